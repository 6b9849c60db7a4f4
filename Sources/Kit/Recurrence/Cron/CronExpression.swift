/// When a cron job fires: five fields (minute, hour, day of month, month, weekday), or six with the second first.
///
/// Each field is `*` or a list of numbers, ranges `a-b` and steps `*/n`, `a-b/n`, `a/n`. Months and weekdays have English
/// names of three letters; weekdays are 0 to 7, Sunday being both. A day may be `L` (the last), `L-3`, `15W` (the weekday
/// from Monday to Friday nearest to the 15th of the month) or `LW`; a weekday `FRI#2` (the second of the month) or `FRIL`
/// (the last); `?` is `*` for days. `@yearly`, `@monthly`, `@weekly`, `@daily` and `@hourly` are short for five fields.
/// When days of the month and weekdays are both limited, one of them is enough.
public struct CronExpression: Sendable {
    /// As it was given.
    public let text: String
    private let walls: WallTimes

    /// - Throws: what is wrong, where, and what is allowed.
    public init(_ text: String) throws(RecurrenceError) {
        let parser = CronParser(text: text)
        let fields = try parser.fields()
        self.text = text
        walls = WallTimes(
            days: fields.days,
            times: .fixed(.product(hours: fields.hours, minutes: fields.minutes, seconds: fields.seconds)),
            first: CalendarYear(CalendarYear.range.lowerBound).firstDay * secondsPerDay, last: CalendarYear.lastWall)
    }

    /// The first time after an instant; nil when there is none until the year 9999.
    ///
    /// Wall times that clocks leave out or repeat are read as in a ``RecurrenceSet``.
    ///
    /// - Parameter zone: nil: instants are wall times.
    public func next(after instant: Int, in zone: ZoneTable?) -> Int? {
        Timeline(walls: walls, zone: zone).first(after: instant)?.instant
    }

    /// The last time before an instant; nil when there is none since the year 1.
    public func previous(before instant: Int, in zone: ZoneTable?) -> Int? {
        Timeline(walls: walls, zone: zone).last(before: instant)?.instant
    }

    /// How many times there are in a span of instants.
    public func count(in span: Range<Int>, in zone: ZoneTable?) -> Int {
        Timeline(walls: walls, zone: zone).count(in: span)
    }
}

extension CronExpression: Hashable, CustomStringConvertible {
    public static func == (left: Self, right: Self) -> Bool { left.text == right.text }
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
    public var description: String { text }
}

struct CronFields {
    var seconds: UInt64 = 1
    var minutes: UInt64 = 0
    var hours: UInt64 = 0
    var days = CronDays()
}
