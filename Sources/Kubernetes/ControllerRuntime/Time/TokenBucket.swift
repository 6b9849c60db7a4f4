/// A rate limit: `burst` at once, then `perSecond`. A reservation may be made ahead of time; it says how long to wait.
public struct TokenBucket: Sendable {
    public let perSecond: Double
    public let burst: Double
    private var tokens: Double
    private var updated: Instant?

    public init(perSecond: Double, burst: Int) {
        self.perSecond = perSecond
        self.burst = Double(burst)
        tokens = Double(burst)
    }

    private mutating func refill(_ now: Instant) {
        if let updated { tokens = min(burst, tokens + max(0, (now - updated) / .seconds(1)) * perSecond) }
        updated = now
    }

    /// Takes a token, perhaps one of the future, and returns the time until it is there.
    public mutating func reserve(_ now: Instant) -> Duration {
        refill(now)
        tokens -= 1
        return tokens >= 0 ? .zero : .seconds(-tokens / perSecond)
    }

    /// Whether nothing was taken for `period`: then it is as good as new.
    func isFull(_ now: Instant, after period: Duration) -> Bool { updated.map { now - $0 >= period } ?? true }

    /// Takes a token if there is one.
    public mutating func take(_ now: Instant) -> Bool {
        refill(now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
