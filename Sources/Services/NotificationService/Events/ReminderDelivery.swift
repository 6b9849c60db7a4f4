internal import Dapr
internal import Logging
internal import Postgres
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// Takes the reminders that the sidecar delivers, and makes deliveries of them. One that never will do goes to the dead
/// letters; what fails for now comes again.
struct ReminderDelivery: Sendable {
    let store: NotificationStore
    /// Those that can be sent.
    let kinds: Set<NotificationChannel.Kind>
    let metrics: NotificationMetrics
    let logger: Logger
    let now: @Sendable () -> Instant
    /// Called when there is something to send.
    let didEnqueue: @Sendable () -> Void

    var subscribers: [TopicSubscriber] {
        EventFlow.deliveries(to: "notification").map { TopicSubscriber($0.path) { await handle($0) } }
    }

    /// What became of each event.
    func handle(_ events: [DeliveredEvent]) async -> [DeliveryStatus] {
        var statuses = events.map { _ in DeliveryStatus.success }
        var notices: [(place: Int, notice: Notice)] = []
        for (place, delivered) in events.enumerated() {
            do {
                if let notice = try Notice(cloudEvent: delivered.event) { notices.append((place, notice)) }
            } catch {
                statuses[place] = drop(delivered, because: error)
            }
        }
        do {
            try await enqueue(notices.map(\.notice))
        } catch  where Self.isPoison(error) && notices.count > 1 {
            // One of them spoils it for the others.
            for (place, _) in notices { statuses[place] = await handle([events[place]])[0] }
        } catch  where Self.isPoison(error) {
            for (place, _) in notices { statuses[place] = drop(events[place], because: error) }
        } catch {
            logger.warning("reminders were not taken and come again", metadata: ["error": "\(error)"])
            for (place, _) in notices { statuses[place] = .retry }
        }
        return statuses
    }

    private func enqueue(_ notices: [Notice]) async throws {
        let count = try await store.enqueue(notices, sending: kinds, at: now())
        guard count > 0 else { return }
        metrics.enqueued(count)
        didEnqueue()
    }

    private func drop(_ delivered: DeliveredEvent, because error: any Error) -> DeliveryStatus {
        metrics.wasMalformed()
        logger.error(
            "a reminder cannot be delivered; it goes to the dead letters",
            metadata: ["why": "\(error)", "id": "\(delivered.event["id"]?.text ?? "none")"])
        return .drop
    }

    /// The server refused the values (PostgreSQL, appendix A: data exceptions and broken constraints): they will not get
    /// better. A person who is gone in this moment is no such case.
    private static func isPoison(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError, let state = error.sqlState else { return false }
        return (state.hasPrefix("22") || state.hasPrefix("23")) && !error.isForeignKeyViolation
    }
}
