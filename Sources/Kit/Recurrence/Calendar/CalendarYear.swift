/// A year of the Gregorian calendar: the few numbers that everything in it follows from. Days of a year count from 0,
/// months from 1, weekdays from Monday as 0.
struct CalendarYear: Sendable {
    /// The years that a date of RFC 3339 and RFC 5545 can name. Every set ends with the last of them.
    static let range = 1...9999
    /// The last second of the last year, on the wall.
    static let lastWall = 253_402_300_799

    let number: Int
    /// In days since 1970.
    let firstDay: Int
    /// 0 for a year that holds no day.
    let length: Int

    init(_ number: Int) {
        self.number = number
        firstDay = Self.firstDay(of: number)
        length = Self.isLeap(number) ? 366 : 365
    }

    /// - Parameter day: in days since 1970.
    init(containing day: Int) { self.init(CivilDate(daysSince1970: day).civil.year) }

    /// Holds no day.
    static let none = CalendarYear()

    private init() { (number, firstDay, length) = (0, 0, 0) }

    var isLeap: Bool { length == 366 }
    var firstWeekday: Int { (firstDay + 3).modulo(7) }
    var lastDay: Int { firstDay + length - 1 }

    func contains(_ day: Int) -> Bool { day >= firstDay && day < firstDay + length }

    /// - Parameter month: 1 to 13; 13 is the January after.
    func start(ofMonth month: Int) -> Int {
        month <= 2 ? (month - 1) * 31 : (153 * (month - 3) + 2) / 5 + 59 + (isLeap ? 1 : 0)
    }

    func length(ofMonth month: Int) -> Int { start(ofMonth: month + 1) - start(ofMonth: month) }

    /// - Parameter day: of the year; up to a month before and after it also.
    func month(of day: Int) -> Int {
        if day < 0 || day >= length { return day < 0 ? 12 : 1 }
        let march = isLeap ? 60 : 59
        if day < march { return day < 31 ? 1 : 2 }
        return (5 * (day - march) + 2) / 153 + 3
    }

    /// The day of the year on which week 1 begins: the first week with four days in the year (RFC 5545 section 3.3.10;
    /// with `weekStart` Monday, ISO 8601). From -3 to 3.
    func startOfFirstWeek(_ weekStart: Int) -> Int {
        let offset = (weekStart - firstWeekday).modulo(7)
        return offset > 3 ? offset - 7 : offset
    }

    /// 52 or 53.
    func weekCount(_ weekStart: Int) -> Int {
        let next = CalendarYear(number + 1).startOfFirstWeek(weekStart) + length
        return (next - startOfFirstWeek(weekStart)) / 7
    }

    private static func firstDay(of year: Int) -> Int {
        let past = year - 1
        return past * 365 + past.floored(by: 4) - past.floored(by: 100) + past.floored(by: 400) - 719_162
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
}
