internal import Concurrency

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// An instant as the API writes it: `Time` (`2026-01-02T03:04:05Z`) and `MicroTime` (`2026-01-02T03:04:05.000006Z`).
/// Microseconds since 1970-01-01T00:00:00Z, no leap seconds.
public struct KubernetesTime: Sendable, Hashable, Comparable {
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }
    /// - Parameter seconds: past the years 1 to 9999, which are all that can be written, it is their first or last second.
    public init(seconds: Int64) { microseconds = Self.writable(seconds) * 1_000_000 }

    /// The wall clock of this machine.
    public static var now: KubernetesTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return KubernetesTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    public static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    /// However long the span, which may be a number that a user wrote, it ends within the years 1 to 9999.
    public func advanced(by duration: Duration) -> KubernetesTime {
        let start = Duration.microseconds(microseconds)
        let first = Duration.seconds(Self.writable(.min))
        let last = Duration.seconds(Self.writable(.max)) + .microseconds(999_999)
        let (seconds, attoseconds) = min(max(start + duration, first), last).components
        return KubernetesTime(microseconds: seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }

    /// Within 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
    private static func writable(_ seconds: Int64) -> Int64 { min(max(seconds, -62_135_596_800), 253_402_300_799) }

    public func duration(to other: KubernetesTime) -> Duration { .microseconds(other.microseconds - microseconds) }
}

extension KubernetesTime {
    /// `2026-01-02T03:04:05Z`, as `metadata.creationTimestamp` has it; cut to the second.
    public var text: String { Timestamp.text(wholeSeconds: Int(microseconds.floorDivided(by: 1_000_000))) }
    /// `2026-01-02T03:04:05.000006Z`, as Lease and Event have it.
    public var microText: String {
        let seconds = microseconds.floorDivided(by: 1_000_000)
        return Timestamp.text(seconds: Int(seconds), nanoseconds: Int(microseconds - seconds * 1_000_000) * 1000)
    }

    /// Reads RFC 3339: any number of decimals (cut to microseconds), `Z` or an offset. Nil for everything else.
    public init?(_ text: String) {
        var reader = DigitReader(Array(text.utf8))
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2), reader.skip("T") || reader.skip("t") || reader.skip(" "),
            let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2), reader.skip(":"),
            let second = reader.number(2), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var micros: Int64 = 0
        if reader.skip(".") {
            guard let fraction = reader.fraction() else { return nil }
            micros = fraction
        }
        guard let offset = reader.offsetMinutes(), reader.isAtEnd else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        let next = month == 12 ? (year + 1, Int64(1)) : (year, month + 1)
        guard days < Self.days(year: next.0, month: next.1, day: 1) else { return nil }  // 30 February
        let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second
        self.init(microseconds: seconds * 1_000_000 + micros)
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar; years begin in March so that leap days come last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year.floorDivided(by: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

/// Reads fixed-width numbers and separators off a timestamp.
private struct DigitReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, UInt32(bytes[position]) == character.value else { return false }
        position += 1
        return true
    }

    mutating func number(_ width: Int) -> Int64? {
        guard position + width <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[position..<position + width] {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 48)
        }
        position += width
        return value
    }

    mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while let digit = number(1) {
            if count < 6 { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in 0..<max(0, 6 - count) { value *= 10 }
        return value
    }

    mutating func offsetMinutes() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes)
    }
}
