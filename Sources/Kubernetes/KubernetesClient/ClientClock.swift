/// The time a client goes by. `system` in a program, hand-driven in tests.
public struct ClientClock: Sendable {
    /// Time since some fixed point; never goes back.
    public var elapsed: @Sendable () -> Duration
    /// The wall clock.
    public var now: @Sendable () -> KubernetesTime
    /// Returns after `duration`; throws when the task is cancelled.
    public var sleep: @Sendable (_ duration: Duration) async throws -> Void

    public init(
        elapsed: @escaping @Sendable () -> Duration, now: @escaping @Sendable () -> KubernetesTime,
        sleep: @escaping @Sendable (_ duration: Duration) async throws -> Void
    ) {
        self.elapsed = elapsed
        self.now = now
        self.sleep = sleep
    }

    public static let system: ClientClock = {
        let start = ContinuousClock.now
        return ClientClock(
            elapsed: { start.duration(to: .now) }, now: { .now },
            sleep: { try await ContinuousClock().sleep(for: $0) })
    }()
}
