internal import Concurrency
internal import TodoModel
internal import TodoStore

/// Says until when a statement may take effect, by the database's clock. A process that is stopped for longer before it
/// sends the statement sends one that does nothing; whoever has taken over meanwhile is not disturbed.
final class WorkPermit: Sendable {
    /// Less than what a lease lasts for.
    private static let budget: Duration = .seconds(5)

    private struct Sight {
        let database: Instant
        let at: ContinuousClock.Instant
    }

    private let firing: FireStore
    private let leaseCheck: @Sendable () async throws -> Void
    private let sight = Lock<Sight?>(nil)

    init(firing: FireStore, leaseCheck: @escaping @Sendable () async throws -> Void) {
        self.firing = firing
        self.leaseCheck = leaseCheck
    }

    /// Throws `LeaseLost` when this process may not work.
    func deadline() async throws -> Instant {
        var seen = sight.withLock { $0 }
        if seen == nil {
            see(try await firing.time())
            seen = sight.withLock { $0 }
        }
        // First the deadline, then the question: a stop in between makes the deadline pass.
        let elapsed = seen.map { $0.at.duration(to: .now) } ?? .zero
        let deadline = seen?.database.advanced(by: elapsed + Self.budget) ?? Instant(microsecondsSince1970: 0)
        do {
            try await leaseCheck()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw LeaseLost(reason: error)
        }
        return deadline
    }

    /// What the database's clock showed in an answer that has just come. It shows later by now, so deadlines are early if
    /// anything.
    func see(_ time: Instant) { sight.withLock { $0 = Sight(database: time, at: .now) } }
}

/// Another process has this one's work now.
public struct LeaseLost: Error, CustomStringConvertible {
    public let reason: any Error
    public var description: String { "\(reason)" }
}
