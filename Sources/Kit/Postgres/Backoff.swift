/// How long to wait before the next attempt: doubling, capped, with the upper half drawn at random so that clients that
/// failed together do not come back together.
///
/// | attempt | initial 50 ms, cap 10 s |
/// | --- | --- |
/// | 1 | 25–50 ms |
/// | 2 | 50–100 ms |
/// | 5 | 400–800 ms |
/// | 9 and later | 5–10 s |
struct Backoff: Sendable {
    var initial: Duration = .milliseconds(50)
    var cap: Duration = .seconds(10)

    /// `random` is in 0..<1; `attempt` counts from 1.
    func delay(attempt: Int, random: Double = .random(in: 0..<1)) -> Duration {
        let doublings = min(max(0, attempt - 1), 30)
        let full = min(cap, initial * (1 << doublings))
        return full / 2 + full / 2 * random
    }
}
