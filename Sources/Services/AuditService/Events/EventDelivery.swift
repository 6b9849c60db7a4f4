public import Dapr
internal import Logging
internal import Metrics
internal import StructuredData
internal import TodoModel

/// Takes the events that the sidecar delivers.
public struct EventDelivery: Sendable {
    private let log: AuditLog

    public init(log: AuditLog) { self.log = log }

    var subscribers: [TopicSubscriber] {
        EventFlow.deliveries(to: "audit").map { TopicSubscriber($0.path) { await handle($0) } }
    }

    /// What became of each event. One that cannot be recorded goes to the dead letters, where nothing of it is lost.
    public func handle(_ events: [DeliveredEvent]) async -> [DeliveryStatus] {
        var statuses = events.map { _ in DeliveryStatus.drop }
        var readable: [(place: Int, event: AuditEvent)] = []
        for (place, delivered) in events.enumerated() {
            do {
                readable.append((place, try AuditEvent(cloudEvent: delivered.event)))
            } catch {
                log.metrics.malformed.increment()
                log.logger.error(
                    "an event cannot be recorded; it goes to the dead letters",
                    metadata: ["why": "\(error)", "id": "\(delivered.event["id"]?.text ?? "none")"])
            }
        }
        let recorded = await log.record(readable.map(\.event))
        for ((place, _), isRecorded) in zip(readable, recorded) { statuses[place] = isRecorded ? .success : .retry }
        return statuses
    }
}
