internal import Concurrency
internal import Dapr
internal import Logging
internal import NIOCore
internal import Telemetry
internal import TodoModel

/// Whether events come in: since when the sidecar has had this process's subscriptions.
///
/// Every replica begins with the next event there is (`initialOffset: newest`), so whoever is sent here before it is
/// subscribed misses what happens until then. A probe of readiness therefore asks the sidecar, until it has them all. A
/// sidecar that goes later makes no difference: who is connected had better stay.
final class EventSupply: Sendable {
    private static let answerTime = Duration.seconds(2)

    private let sidecar: DaprClient?
    private let start: Lock<NIODeadline?>
    private let logger: Logger

    /// - Parameter sidecar: nil takes events as coming in from now on.
    init(_ sidecar: DaprClient.Configuration?, logger: Logger) {
        self.logger = logger
        self.sidecar = sidecar.map { configuration in
            var configuration = configuration
            configuration.timeout = Self.answerTime
            return DaprClient(configuration)
        }
        start = Lock(sidecar == nil ? .now() : nil)
    }

    /// Since when events have come in; nil while they do not.
    var since: NIODeadline? { start.withLock { $0 } }

    /// Throws `HealthFailure` while events do not come in.
    func check() async throws {
        guard since == nil, let sidecar else { return }
        do throws(DaprError) {
            let topics = try await sidecar.metadata().subscriptions.map(\.topic)
            // In a Kafka that others use too, their names have a prefix.
            let missing = EventFlow.deliveries(to: "realtime").map(\.topic).filter { topic in
                !topics.contains { $0.hasSuffix(topic) }
            }
            guard missing.isEmpty else {
                throw .malformed("the sidecar is not subscribed yet to \(missing.joined(separator: ", "))")
            }
        } catch .refused(let status, let code, let message) where status < 500 {
            // It is there, and would not tell later either.
            logger.warning(
                "the sidecar does not say what it is subscribed to",
                metadata: ["status": "\(status)", "code": "\(code)", "error": "\(message)"])
        } catch {
            throw HealthFailure("\(error)")
        }
        start.withLock { if $0 == nil { $0 = .now() } }
    }
}
