public import KubernetesClient

/// A point on the monotonic clock. It counts while the machine sleeps and while the process is stopped (`CLOCK_BOOTTIME`
/// on Linux), and never jumps with the wall clock.
public typealias Instant = ContinuousClock.Instant

/// Where this module gets time from, so that tests can turn the clock by hand.
public protocol TimeSource: Sendable {
    var now: Instant { get }
    /// The wall clock: only for what is written into objects, never to measure a span.
    var wallClock: KubernetesTime { get }
    /// Returns at `deadline` or soon after; at once when it has passed. Throws `CancellationError` when cancelled.
    func sleep(until deadline: Instant) async throws
}

/// The machine's clocks.
public struct SystemTime: TimeSource {
    public init() {}
    public var now: Instant { ContinuousClock.now }
    public var wallClock: KubernetesTime { .now }
    public func sleep(until deadline: Instant) async throws { try await TimerQueue.shared.sleep(until: deadline) }
}

/// The work did not end before its deadline.
public struct DeadlineExceeded: Error, Sendable, CustomStringConvertible {
    public init() {}
    public var description: String { "no answer in time" }
}

extension TimeSource {
    /// Runs `work` and cancels it at `deadline`. Throws `DeadlineExceeded` when the deadline came first.
    public func run<Result: Sendable>(
        until deadline: Instant, _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await self.sleep(until: deadline)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else { throw DeadlineExceeded() }
            return result
        }
    }
}
