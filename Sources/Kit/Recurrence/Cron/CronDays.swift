/// The days that a cron expression names.
struct CronDays: YearPattern {
    /// Bits 1 to 12.
    var months: UInt64 = 0
    /// Bits 1 to 31.
    var monthDays: UInt64 = 0
    /// `L` is bit 0, `L-3` bit 3.
    var lastDays: UInt64 = 0
    /// `15W` is bit 15, `LW` bit 0.
    var nearestWeekdays: UInt64 = 0
    /// Bit 0 is Monday; so with the next.
    var weekdays: UInt64 = 0
    /// `FRIL`.
    var lastWeekdays: UInt64 = 0
    /// `FRI#2`.
    var ordinals: [(weekday: Int, ordinal: Int)] = []
    /// Neither days of the month nor weekdays are `*`: one of them is enough.
    var eitherIsEnough = false

    var cycle: Int { Self.calendarCycle }
    func year(after year: Int) -> Int { year + 1 }
    func year(before year: Int) -> Int { year - 1 }

    func mask(of year: CalendarYear) -> DayMask {
        var mask = DayMask()
        for month in 1...12 where months.has(month) {
            let start = year.start(ofMonth: month)
            let length = year.length(ofMonth: month)
            let first = (year.firstWeekday + start).modulo(7)
            let (days, weekdays) = (monthBits(length, first), weekdayBits(length, first))
            mask.insert((eitherIsEnough ? days | weekdays : days & weekdays) & .below(length), at: start)
        }
        return mask
    }

    /// Bit 0 is the first of the month.
    private func monthBits(_ length: Int, _ first: Int) -> UInt64 {
        var bits = monthDays >> 1
        for back in 0..<length where lastDays.has(back) { bits |= 1 << UInt64(length - 1 - back) }
        for day in 1...length where nearestWeekdays.has(day) { bits |= 1 << UInt64(workday(day - 1, length, first)) }
        if nearestWeekdays.has(0) { bits |= 1 << UInt64(workday(length - 1, length, first)) }
        return bits
    }

    /// The day from Monday to Friday nearest to a day, in the same month.
    private func workday(_ day: Int, _ length: Int, _ first: Int) -> Int {
        switch (first + day).modulo(7) {
        case 5: day > 0 ? day - 1 : day + 2
        case 6: day < length - 1 ? day + 1 : day - 2
        default: day
        }
    }

    private func weekdayBits(_ length: Int, _ first: Int) -> UInt64 {
        var bits = weekdays == 0 ? 0 : DayMask.everySeven(weekdays, from: first)
        for weekday in 0..<7 where lastWeekdays.has(weekday) {
            bits |= 1 << UInt64(length - 1 - (first + length - 1 - weekday).modulo(7))
        }
        for (weekday, ordinal) in ordinals {
            bits |= 1 << UInt64((weekday - first).modulo(7) + (ordinal - 1) * 7)
        }
        return bits
    }
}
