internal import Concurrency
internal import Glibc

/// A point in time, in whole microseconds as PostgreSQL keeps it.
public struct Instant: Sendable, Hashable, Comparable {
    public let microsecondsSince1970: Int64

    public init(microsecondsSince1970: Int64) { self.microsecondsSince1970 = microsecondsSince1970 }

    /// By the clock of this machine.
    public static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microsecondsSince1970: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    public var millisecondsSince1970: Int64 { microsecondsSince1970 / 1000 }

    /// RFC 3339 in UTC with microseconds: `2026-01-31T09:26:53.589793Z`.
    public var text: String {
        let (seconds, microseconds) = microsecondsSince1970.quotientAndRemainder(dividingBy: 1_000_000)
        let borrowed = microseconds < 0
        return Timestamp.text(
            seconds: Int(borrowed ? seconds - 1 : seconds),
            nanoseconds: Int(borrowed ? microseconds + 1_000_000 : microseconds) * 1000)
    }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.microsecondsSince1970 < right.microsecondsSince1970
    }
}
