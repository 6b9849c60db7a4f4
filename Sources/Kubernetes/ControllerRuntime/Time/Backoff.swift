/// Growing delays with jitter between attempts: the n-th delay is drawn from `[d/2, d]` with `d = 2 * base * 2^n`, at
/// most `limit`. So the first lies in `[base, 2 * base]` and many clients that failed together do not return together.
public struct Backoff: Sendable {
    public let base: Duration
    public let limit: Duration
    /// Failures in a row since the last reset.
    public private(set) var failures = 0

    public init(base: Duration, limit: Duration) {
        self.base = base
        self.limit = limit
    }

    /// The delay before the next attempt. `random` is in `0..<1`.
    public mutating func next(random: Double) -> Duration {
        let upper = Backoff.exponential(base: base * 2, failures: failures, limit: limit)
        failures += 1
        return upper * (0.5 + 0.5 * random)
    }

    public mutating func reset() { failures = 0 }

    /// `base * 2^failures`, at most `limit`.
    public static func exponential(base: Duration, failures: Int, limit: Duration) -> Duration {
        guard failures < 40 else { return limit }
        let delay = base * Double(UInt64(1) << UInt64(max(0, failures)))
        return delay < limit ? delay : limit
    }
}
