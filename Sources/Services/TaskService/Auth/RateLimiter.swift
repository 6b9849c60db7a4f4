internal import Concurrency
internal import HTTPTypes
internal import ServiceHTTP

/// Lets so many requests of one token through: a bucket that fills at a steady rate.
final class RateLimiter: Sendable {
    private struct Bucket {
        var level: Double
        var time: ContinuousClock.Instant
    }

    /// Full buckets are forgotten when there are so many.
    private static let capacity = 50_000

    private let rate: Double
    private let burst: Double
    private let buckets = Lock<[String: Bucket]>([:])
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - rate: requests each second, in the long run; 0 lets everything through.
    ///   - burst: how many may come at once.
    init(
        rate: Double, burst: Double,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock().now }
    ) {
        self.rate = rate
        self.burst = max(1, burst)
        self.now = now
    }

    /// Throws 429 with `Retry-After`.
    func admit(_ key: String) throws {
        guard rate > 0 else { return }
        let wait = take(key)
        guard wait == 0 else {
            throw Problem(
                .tooManyRequests, "too many requests; try again in \(wait) s", headers: [.retryAfter: "\(wait)"])
        }
    }

    /// How many seconds to wait; 0 when the request may go on.
    private func take(_ key: String) -> Int {
        let now = now()
        return buckets.withLock { buckets in
            var bucket = buckets[key] ?? Bucket(level: burst, time: now)
            bucket.level = min(burst, bucket.level + rate * (bucket.time.duration(to: now) / .seconds(1)))
            bucket.time = now
            defer {
                buckets[key] = bucket
                if buckets.count > Self.capacity { forgetFull(&buckets, now) }
            }
            guard bucket.level >= 1 else { return Int(((1 - bucket.level) / rate).rounded(.up)) }
            bucket.level -= 1
            return 0
        }
    }

    private func forgetFull(_ buckets: inout [String: Bucket], _ now: ContinuousClock.Instant) {
        buckets = buckets.filter { $0.value.level + rate * ($0.value.time.duration(to: now) / .seconds(1)) < burst }
        // All of them busy is an attack: the oldest guesses start afresh.
        if buckets.count > Self.capacity { buckets.removeAll(keepingCapacity: true) }
    }
}
