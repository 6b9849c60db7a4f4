/// How something repeats: the value of an RRULE property (RFC 5545 section 3.3.10), with `SKIP` of RFC 7529 on the
/// Gregorian calendar.
///
/// A rule says nothing about when it begins, or in which zone: see ``RecurrenceSet``.
public struct RecurrenceRule: Sendable, Hashable {
    public enum Frequency: String, Sendable, Hashable, CaseIterable, Comparable {
        case secondly = "SECONDLY"
        case minutely = "MINUTELY"
        case hourly = "HOURLY"
        case daily = "DAILY"
        case weekly = "WEEKLY"
        case monthly = "MONTHLY"
        case yearly = "YEARLY"

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }

    /// When the rule makes no more instances.
    public enum End: Sendable, Hashable {
        case never
        /// After so many, at least one; those that an EXDATE takes away count too.
        case count(Int)
        /// With the last that is not after it.
        case until(Until)
    }

    public enum Until: Sendable, Hashable {
        /// The whole day, in the zone of the start.
        case date(CivilDate)
        /// In the zone of the start.
        case local(LocalDateTime)
        /// In UTC.
        case utc(LocalDateTime)
    }

    /// `MO`, `2MO` (the second of the month or year) or `-1MO` (the last).
    public struct Day: Sendable, Hashable {
        /// Nil: every such weekday.
        public let ordinal: Int?
        public let weekday: Weekday

        public init(_ weekday: Weekday, ordinal: Int? = nil) {
            self.weekday = weekday
            self.ordinal = ordinal
        }
    }

    /// What becomes of a day that a month does not have, such as 31 April (RFC 7529 section 4.1).
    public enum Skip: String, Sendable, Hashable, CaseIterable {
        /// It makes no instance.
        case omit = "OMIT"
        /// The last day of the month.
        case backward = "BACKWARD"
        /// The first day of the next month.
        case forward = "FORWARD"
    }

    public internal(set) var frequency: Frequency
    /// Every so many periods, counted from the one that holds the start.
    public internal(set) var interval = 1
    public var end = End.never
    /// From 0 to 60.
    public internal(set) var seconds: [Int] = []
    public internal(set) var minutes: [Int] = []
    public internal(set) var hours: [Int] = []
    public internal(set) var days: [Day] = []
    /// From 1 to 31, or from -1, the last, to -31; so with the next two.
    public internal(set) var monthDays: [Int] = []
    public internal(set) var yearDays: [Int] = []
    public internal(set) var weekNumbers: [Int] = []
    public internal(set) var months: [Int] = []
    /// Which instances of each period are kept; empty for all.
    public internal(set) var positions: [Int] = []
    public internal(set) var weekStart = Weekday.monday
    public var skip = Skip.omit

    init(_ frequency: Frequency) { self.frequency = frequency }

    /// Every day.
    public static let daily = RecurrenceRule(.daily)
}

extension RecurrenceRule: CustomStringConvertible {
    public var description: String { text }

    /// The value of an RRULE property. Reading it again gives an equal rule.
    public var text: String {
        var parts = ["FREQ=\(frequency.rawValue)"]
        if interval != 1 { parts.append("INTERVAL=\(interval)") }
        switch end {
        case .never: break
        case .count(let count): parts.append("COUNT=\(count)")
        case .until(let until): parts.append("UNTIL=\(until.text)")
        }
        let lists = [
            ("BYSECOND", seconds), ("BYMINUTE", minutes), ("BYHOUR", hours), ("BYDAY", nil), ("BYMONTHDAY", monthDays),
            ("BYYEARDAY", yearDays), ("BYWEEKNO", weekNumbers), ("BYMONTH", months), ("BYSETPOS", positions),
        ]
        for (name, numbers) in lists {
            let members = numbers.map { $0.map(String.init) } ?? days.map(\.text)
            if !members.isEmpty { parts.append("\(name)=\(members.joined(separator: ","))") }
        }
        if weekStart != .monday { parts.append("WKST=\(weekStart.code)") }
        if skip != .omit { parts.append("RSCALE=GREGORIAN;SKIP=\(skip.rawValue)") }
        return parts.joined(separator: ";")
    }
}

extension RecurrenceRule.Day {
    var text: String { (ordinal.map(String.init) ?? "") + weekday.code }
}

extension RecurrenceRule.Until {
    /// `20260131`, `20260131T090000` or `20260131T080000Z`.
    var text: String {
        switch self {
        case .date(let date): Self.compact(date.text)
        case .local(let time): Self.compact(time.text)
        case .utc(let time): Self.compact(time.text) + "Z"
        }
    }

    private static func compact(_ text: String) -> String { text.filter { $0 != "-" && $0 != ":" } }
}
