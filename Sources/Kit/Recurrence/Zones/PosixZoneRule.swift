/// When clocks are changed each year, as in `EST5EDT,M3.2.0,M11.1.0` (POSIX.1 TZ with the extensions of RFC 9636 section
/// 3.3.1: hours from -167 to 167).
struct PosixZoneRule: Equatable {
    /// In seconds ahead of UTC.
    let standard: Int
    let daylight: Daylight?

    struct Daylight: Equatable {
        let offset: Int
        let start: Change
        let end: Change
    }

    /// A day of each year and a time on the wall.
    struct Change: Equatable {
        enum Day: Equatable {
            /// 1 to 365; 29 February is never counted.
            case numbered(Int)
            /// 0 to 365.
            case ofYear(Int)
            /// A weekday (0 is Sunday) in a week of a month; week 5 is the last.
            case weekday(month: Int, week: Int, weekday: Int)
        }
        let day: Day
        /// In seconds since midnight; may be negative, or beyond the day.
        let time: Int
    }

    /// Nil when the text is no such rule.
    init?(_ text: String) {
        var reader = Reader(rest: text.utf8[...])
        guard reader.skipName(), let west = reader.time(hours: 24) else { return nil }
        standard = -west
        guard !reader.rest.isEmpty else {
            daylight = nil
            return
        }
        guard reader.skipName() else { return nil }
        var offset = standard + 3600
        if reader.rest.first != UInt8(ascii: ",") {
            guard let west = reader.time(hours: 24) else { return nil }
            offset = -west
        }
        guard reader.skip(","), let start = reader.change(), reader.skip(","), let end = reader.change(),
            reader.rest.isEmpty
        else { return nil }
        daylight = Daylight(offset: offset, start: start, end: end)
    }

    /// The changes of one year, ascending.
    func transitions(in year: Int) -> [ZoneTable.Transition] {
        guard let daylight else { return [] }
        let year = CalendarYear(year)
        let start = ZoneTable.Transition(
            instant: daylight.start.wall(in: year) - standard, offset: daylight.offset)
        let end = ZoneTable.Transition(instant: daylight.end.wall(in: year) - daylight.offset, offset: standard)
        return start.instant < end.instant ? [start, end] : [end, start]
    }
}

extension PosixZoneRule.Change {
    fileprivate func wall(in year: CalendarYear) -> Int {
        (year.firstDay + dayOfYear(in: year)) * secondsPerDay + time
    }

    private func dayOfYear(in year: CalendarYear) -> Int {
        switch day {
        case .numbered(let day): return day - (year.isLeap && day >= 60 ? 0 : 1)
        case .ofYear(let day): return day
        case .weekday(let month, let week, let weekday):
            let start = year.start(ofMonth: month)
            // Ours count from Monday.
            let first = start + ((weekday + 6) - (year.firstWeekday + start)).modulo(7)
            let day = first + (week - 1) * 7
            return day < start + year.length(ofMonth: month) ? day : day - 7
        }
    }
}

private struct Reader {
    var rest: Substring.UTF8View

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// `EST` or `<+03>`.
    mutating func skipName() -> Bool {
        if skip("<") {
            rest = rest.drop { $0 != UInt8(ascii: ">") }
            return skip(">")
        }
        let name = rest.prefix { (UInt8(ascii: "A")...UInt8(ascii: "z")).contains($0) }
        rest = rest.dropFirst(name.count)
        return name.count >= 3
    }

    mutating func number() -> Int? {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard (1...3).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        return decimal(digits)
    }

    /// `5`, `-3:30` or `+10:30:15`, in seconds.
    mutating func time(hours limit: Int) -> Int? {
        let sign = skip("-") ? -1 : 1
        if sign == 1 { _ = skip("+") }
        guard let hours = number(), hours <= limit else { return nil }
        var seconds = hours * 3600
        for unit in [60, 1] {
            guard skip(":") else { break }
            guard let value = number(), value < 60 else { return nil }
            seconds += value * unit
        }
        return sign * seconds
    }

    /// `M3.2.0/1`, `J60` or `59`.
    mutating func change() -> PosixZoneRule.Change? {
        let day: PosixZoneRule.Change.Day
        if skip("M") {
            guard let month = number(), skip("."), let week = number(), skip("."), let weekday = number(),
                (1...12).contains(month), (1...5).contains(week), weekday < 7
            else { return nil }
            day = .weekday(month: month, week: week, weekday: weekday)
        } else if skip("J") {
            guard let number = number(), (1...365).contains(number) else { return nil }
            day = .numbered(number)
        } else {
            guard let number = number(), number <= 365 else { return nil }
            day = .ofYear(number)
        }
        guard skip("/") else { return .init(day: day, time: 7200) }
        return time(hours: 167).map { .init(day: day, time: $0) }
    }
}
