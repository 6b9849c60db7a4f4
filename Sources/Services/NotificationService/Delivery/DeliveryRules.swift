internal import TodoModel
internal import TodoStore

/// When a delivery is tried again, and when it is given up: pure.
struct DeliveryRules: Sendable {
    var firstDelay: Duration = .seconds(10)
    var factor = 4.0
    var longestDelay: Duration = .seconds(7200)

    /// How long to wait after so many attempts: it grows by `factor` up to `longestDelay`, and is spread from half to one
    /// and a half of that.
    ///
    /// - Parameter jitter: from 0 to 1.
    func delay(afterAttempts count: Int, jitter: Double) -> Duration {
        var delay = firstDelay
        for _ in 1..<max(1, count) where delay < longestDelay { delay = delay * factor }
        return min(delay, longestDelay) * (0.5 + jitter)
    }

    /// The last attempt is made when the time is up, not before.
    func verdict(
        on failure: AttemptFailure, attempts: Int, giveUp: Instant, now: Instant, jitter: Double
    ) -> DeliveryVerdict {
        guard !failure.isPermanent, now < giveUp else { return .dead(error: failure.message) }
        let delay = max(delay(afterAttempts: attempts, jitter: jitter), failure.retryAfter ?? .zero)
        return .retry(at: now + min(delay, giveUp - now), error: failure.message)
    }
}

/// A circuit breaker: after some failures in a row nothing is tried for a while, then one thing at a time until one
/// succeeds. Pure; its two members are kept with the channel.
struct Circuit: Sendable, Hashable {
    static let threshold = 5
    private static let firstPause: Duration = .seconds(30)
    private static let longestPause: Duration = .seconds(1800)

    var failures = 0
    /// Nil while it is closed.
    var blockedUntil: Instant?

    func isOpen(at now: Instant) -> Bool { blockedUntil.map { $0 > now } ?? false }

    mutating func succeeded() { self = Circuit() }

    mutating func failed(at now: Instant) {
        // What was under way when it opened says nothing new.
        guard !isOpen(at: now) else { return }
        failures += 1
        guard failures >= Self.threshold else { return }
        var pause = Self.firstPause
        for _ in 0..<(failures - Self.threshold) where pause < Self.longestPause { pause = pause * 2 }
        blockedUntil = now + min(pause, Self.longestPause)
    }
}
