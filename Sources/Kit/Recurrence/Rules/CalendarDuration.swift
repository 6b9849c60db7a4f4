/// A length of time as people say it: days are as long as the calendar makes them, hours are exact.
public struct CalendarDuration: Sendable, Hashable {
    /// Weeks are seven of these.
    public let days: Int
    /// Beside the days, of the same sign.
    public let seconds: Int

    public init(days: Int = 0, seconds: Int = 0) {
        self.days = days
        self.seconds = seconds
    }

    /// ISO 8601 as in RFC 5545 section 3.3.6 (`P1DT2H`, `-PT15M`, `P2W`), or short: `1d`, `2h30m`, `0m`, `1w2d`.
    /// In capitals or not; the larger units first.
    public init(_ text: String) throws(RecurrenceError) {
        var reader = DurationReader(text: text, rest: Array(text.uppercased().utf8)[...])
        self = try reader.duration()
    }

    /// As if a day had 24 hours.
    public var nominalSeconds: Int { days * secondsPerDay + seconds }

    /// The shortest ISO 8601 form; reading it again gives an equal duration.
    public var text: String {
        let sign = days < 0 || seconds < 0 ? "-" : ""
        let (days, seconds) = (abs(days), abs(seconds))
        let parts = [(seconds / 3600, "H"), (seconds / 60 % 60, "M"), (seconds % 60, "S")]
        let time = parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
        if days == 0, time.isEmpty { return "PT0S" }
        return sign + "P" + (days > 0 ? "\(days)D" : "") + (time.isEmpty ? "" : "T" + time)
    }

    /// The wall time so much later; what is left of hours is added to the clock on the wall.
    public func added(to time: LocalDateTime) -> LocalDateTime {
        LocalDateTime(seconds: time.seconds + nominalSeconds)
    }
}

private struct DurationReader {
    let text: String
    var rest: ArraySlice<UInt8>

    private static let units: [(letter: Unicode.Scalar, seconds: Int)] = [
        ("W", 7 * 86_400), ("D", 86_400), ("H", 3600), ("M", 60), ("S", 1),
    ]
    /// No part is longer than a thousand years.
    private static let limit = 366_000 * 86_400

    mutating func duration() throws(RecurrenceError) -> CalendarDuration {
        let isNegative = skip("-")
        if !isNegative { _ = skip("+") }
        let isISO = skip("P")
        var inTime = !isISO
        var (days, seconds, next) = (0, 0, 0)
        var isEmpty = true
        while !rest.isEmpty {
            if isISO, !inTime, skip("T") {
                (inTime, next) = (true, max(next, 2))
                if rest.isEmpty { throw fault() }
                continue
            }
            let (number, unit) = try part(from: next)
            if isISO, inTime != (unit >= 2) { throw fault() }
            if unit < 2 { days += number * (unit == 0 ? 7 : 1) } else { seconds += number * Self.units[unit].seconds }
            (next, isEmpty) = (unit + 1, false)
        }
        if isEmpty { throw fault() }
        return isNegative
            ? CalendarDuration(days: -days, seconds: -seconds) : CalendarDuration(days: days, seconds: seconds)
    }

    private mutating func part(from next: Int) throws(RecurrenceError) -> (Int, Int) {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let letter = rest.dropFirst(digits.count).first
        guard (1...9).contains(digits.count), let number = decimal(digits),
            let unit = Self.units.indices.first(where: { UInt8(ascii: Self.units[$0].letter) == letter }), unit >= next,
            number <= Self.limit / Self.units[unit].seconds
        else { throw fault() }
        rest = rest.dropFirst(digits.count + 1)
        return (number, unit)
    }

    private mutating func skip(_ letter: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: letter) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private func fault() -> RecurrenceError {
        let message =
            "a length of time is written as 1d, 2h30m or 0m (w, d, h, m, s in this order), or as P1DT2H, not "
            + quoted(text[...])
        return RecurrenceError(message, in: text, at: min(rest.startIndex, text.utf8.count))
    }
}
