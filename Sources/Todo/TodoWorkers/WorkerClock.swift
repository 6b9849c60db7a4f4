public import TodoModel

/// What workers tell the time by.
public protocol WorkerClock: Sendable {
    var now: Instant { get }
    /// Returns at `instant`, or as soon as it can after. Throws `CancellationError` when the task is cancelled.
    func sleep(until instant: Instant) async throws
}

/// The clock of this machine.
public struct SystemClock: WorkerClock {
    public init() {}

    public var now: Instant { .now() }

    public func sleep(until instant: Instant) async throws {
        let wait = now.duration(to: instant)
        // The runtime's timer is what wakes up on time; a tolerance would let it wait for others.
        if wait > .zero { try await Task.sleep(for: wait, tolerance: .zero) }
    }
}
