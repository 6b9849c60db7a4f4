/// The days of each year on which something happens.
protocol YearPattern: Sendable {
    func mask(of year: CalendarYear) -> DayMask

    /// The first year after this one that may have days, whatever its mask will be.
    func year(after year: Int) -> Int

    /// The last year before this one that may have days.
    func year(before year: Int) -> Int

    /// So many years in a row without a day, as `year(after:)` and `year(before:)` name them, mean that there is none ever.
    var cycle: Int { get }
}

extension YearPattern {
    /// After 400 years the calendar repeats itself, with its weeks.
    static var calendarCycle: Int { 400 }
}

/// The one year that was looked at last, so that going on in it costs no more.
struct YearBlock: Sendable {
    var year = CalendarYear.none
    var mask = DayMask()
}
