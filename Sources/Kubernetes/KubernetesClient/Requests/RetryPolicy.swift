internal import HTTPTransport
internal import HTTPTypes

/// When a failed request is sent again, and after how long. Pure.
///
/// Only two kinds are: what the server says it has not processed (429, and 503 or other server errors that come with
/// `Retry-After`), and safe requests whose connection broke or that met a 502, 503 or 504.
struct RetryPolicy: Sendable {
    var maximumRetries: Int
    /// Waits without `Retry-After` double from here.
    var firstDelay = Duration.milliseconds(200)
    var longestDelay = Duration.seconds(30)

    /// The wait before the next try, or nil when there is to be none. `attempt` counts from 0; `random` is in 0..<1.
    func delay(
        status: Int, retryAfter: Int?, isSafe: Bool, attempt: Int, random: Double
    ) -> Duration? {
        guard attempt < maximumRetries else { return nil }
        if let retryAfter, status == 429 || status >= 500 {
            // Up to a tenth later, at least 100 ms, so that clients told the same second do not come back as one.
            let base = Duration.seconds(max(0, retryAfter))
            return base <= longestDelay ? base + max(.milliseconds(100), base / 10) * random : nil
        }
        let unprocessed = status == 429
        let passing = isSafe && (502...504).contains(status)
        return unprocessed || passing ? backoff(attempt: attempt, random: random) : nil
    }

    func delay(error: HTTPTransportError, isSafe: Bool, attempt: Int, random: Double) -> Duration? {
        guard attempt < maximumRetries, isSafe, case .connectionLost = error else { return nil }
        return backoff(attempt: attempt, random: random)
    }

    /// Between half of and the whole exponential delay.
    private func backoff(attempt: Int, random: Double) -> Duration {
        min(firstDelay * (1 << min(attempt, 16)), longestDelay) * (0.5 + random / 2)
    }
}

extension HTTPFields {
    /// `Retry-After` in seconds (RFC 9110 section 10.2.3); the API server never sends the date form.
    var retryAfterSeconds: Int? { self[.retryAfter].flatMap { Int($0) } }
}
