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

    /// RFC 3339, such as `2026-01-31T09:26:53.589793Z` or `2026-01-31T10:26:53+01:00`; digits beyond microseconds are
    /// dropped. Nil when the text is anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t"),
            let date = CivilDate(String(decoding: bytes[..<10], as: UTF8.self)),
            let time = TimeOfDay(String(decoding: bytes[11..<16], as: UTF8.self)), bytes[16] == UInt8(ascii: ":"),
            let second = Self.number(bytes[17..<19]), second <= 60
        else { return nil }
        var rest = bytes[19...]
        var fraction: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { Self.digits.contains($0) }
            guard !digits.isEmpty else { return nil }
            let padded =
                Array(digits.prefix(6)) + [UInt8](repeating: UInt8(ascii: "0"), count: max(0, 6 - digits.count))
            fraction = Int64(Self.number(padded[...]) ?? 0)
            rest = rest.dropFirst(digits.count + 1)
        }
        guard let offset = Self.offset(rest) else { return nil }
        let seconds = date.daysSince1970 * 86_400 + (time.minutes - offset) * 60 + second
        self.init(microsecondsSince1970: Int64(seconds) * 1_000_000 + fraction)
    }

    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        bytes.allSatisfy { digits.contains($0) } ? Int(String(decoding: bytes, as: UTF8.self)) : nil
    }

    /// `Z` or `+01:00`, in minutes.
    private static func offset(_ bytes: ArraySlice<UInt8>) -> Int? {
        if bytes.elementsEqual([UInt8(ascii: "Z")]) || bytes.elementsEqual([UInt8(ascii: "z")]) { return 0 }
        guard let sign = bytes.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            let time = TimeOfDay(String(decoding: bytes.dropFirst(), as: UTF8.self))
        else { return nil }
        return sign == UInt8(ascii: "-") ? -time.minutes : time.minutes
    }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.microsecondsSince1970 < right.microsecondsSince1970
    }
}

extension Instant {
    /// To the microsecond.
    public static func + (instant: Instant, duration: Duration) -> Instant {
        let (seconds, attoseconds) = duration.components
        return Instant(
            microsecondsSince1970: instant.microsecondsSince1970 + seconds * 1_000_000
                + attoseconds / 1_000_000_000_000)
    }

    public static func - (instant: Instant, duration: Duration) -> Instant { instant + (.zero - duration) }

    /// How long after `earlier`; negative when it is before.
    public static func - (later: Instant, earlier: Instant) -> Duration {
        .microseconds(later.microsecondsSince1970 - earlier.microsecondsSince1970)
    }
}
