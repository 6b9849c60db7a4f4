/// What a calendar and a clock on the wall show, to the second, in no particular time zone.
public struct LocalDateTime: Sendable, Hashable, Comparable {
    /// Since 1970-01-01T00:00:00 on the same wall, as if no clock had ever been changed.
    public let seconds: Int

    public init(seconds: Int) { self.seconds = seconds }

    /// - Parameter second: of the day, below 86,400.
    public init(date: CivilDate, second: Int = 0) {
        seconds = date.daysSince1970 * secondsPerDay + second
    }

    public init(date: CivilDate, time: TimeOfDay) {
        self.init(date: date, second: time.minutes * 60)
    }

    /// `2026-01-31T09:00:00`, also without the seconds. A second of 60 is read as 59 (RFC 5545 section 3.3.12). Nil when
    /// the text is anything else.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count == 19 || bytes.count == 16, let mark = bytes.dropFirst(10).first,
            mark == UInt8(ascii: "T") || mark == UInt8(ascii: "t"),
            let date = CivilDate(String(text.prefix(10))),
            let time = TimeOfDay(String(text.dropFirst(11).prefix(5)))
        else { return nil }
        var second = 0
        if bytes.count == 19 {
            guard bytes.dropFirst(16).first == UInt8(ascii: ":"), let number = decimal(bytes.suffix(2)), number <= 60
            else { return nil }
            second = min(number, 59)
        }
        self.init(date: date, second: time.minutes * 60 + second)
    }

    public var date: CivilDate { CivilDate(daysSince1970: seconds.floored(by: secondsPerDay)) }

    /// Since midnight, below 86,400.
    public var secondOfDay: Int { seconds.modulo(secondsPerDay) }

    /// To the minute; seconds are dropped.
    public var time: TimeOfDay { TimeOfDay(minutes: secondOfDay / 60) ?? .midnight }

    /// `2026-01-31T09:00:00`.
    public var text: String {
        let second = secondOfDay
        return "\(date.text)T\(padded(second / 3600, to: 2)):\(padded(second / 60 % 60, to: 2)):"
            + padded(second % 60, to: 2)
    }

    public static func < (left: Self, right: Self) -> Bool { left.seconds < right.seconds }
}

let secondsPerDay = 86_400
