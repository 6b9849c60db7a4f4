extension RuleDays {
    private var namesMonthDays: Bool { monthDays | lastMonthDays != 0 }

    // MARK: - Years

    /// The days of a year before BYSETPOS.
    func yearly(_ year: CalendarYear) -> DayMask {
        var mask = namesMonthDays ? monthDayMask(year) : monthMask(year)
        if !yearDays.isEmpty { mask.formIntersection(yearDayMask(year)) }
        if !weekNumbers.isEmpty { mask.formIntersection(weekMask(year)) }
        if weekdays != 0x7F {
            var days = DayMask(weekdays: weekdays, firstWeekday: year.firstWeekday, below: year.length)
            insertOrdinals(into: &days, of: year)
            mask.formIntersection(days)
        }
        return mask
    }

    private func monthMask(_ year: CalendarYear) -> DayMask {
        guard hasMonths else { return DayMask(allBelow: year.length) }
        var mask = DayMask()
        for month in 1...12 where months.has(month) {
            mask.insert(.below(year.length(ofMonth: month)), at: year.start(ofMonth: month))
        }
        return mask
    }

    private func monthDayMask(_ year: CalendarYear) -> DayMask {
        var mask = DayMask()
        for month in 1...12 where months.has(month) {
            mask.insert(
                monthDayBits(length: year.length(ofMonth: month), skip: skip), at: year.start(ofMonth: month) - 1)
        }
        return mask
    }

    private func yearDayMask(_ year: CalendarYear) -> DayMask {
        var mask = DayMask()
        for day in yearDays {
            let index = day > 0 ? day - 1 : year.length + day
            if index >= 0, index < year.length { mask.insert(index) }
        }
        return mask
    }

    /// The days of this calendar year whose week has one of the numbers; at its edges a week may be of the year before or
    /// after.
    private func weekMask(_ year: CalendarYear) -> DayMask {
        var mask = DayMask()
        let first = year.startOfFirstWeek(weekStart)
        let count = year.weekCount(weekStart)
        for number in weekNumbers {
            let index = number > 0 ? number - 1 : count + number
            if index >= 0, index < count { mask.insert(0x7F, at: first + index * 7) }
        }
        if first > 0, names(CalendarYear(year.number - 1).weekCount(weekStart), of: year.number - 1) {
            mask.insert(.below(first), at: 0)
        }
        if first + count * 7 < year.length, names(1, of: year.number + 1) {
            mask.insert(.below(year.length - first - count * 7), at: first + count * 7)
        }
        mask.formIntersection(DayMask(allBelow: year.length))
        return mask
    }

    private func names(_ week: Int, of year: Int) -> Bool {
        weekNumbers.contains(week) || weekNumbers.contains(week - 1 - CalendarYear(year).weekCount(weekStart))
    }

    /// Of the month where BYMONTH names months, of the year otherwise.
    private func insertOrdinals(into mask: inout DayMask, of year: CalendarYear) {
        guard hasMonths else {
            return insertOrdinals(length: year.length, firstWeekday: year.firstWeekday) { mask.insert($0) }
        }
        for month in 1...12 where !ordinals.isEmpty && months.has(month) {
            let start = year.start(ofMonth: month)
            insertOrdinals(length: year.length(ofMonth: month), firstWeekday: year.firstWeekday + start) {
                mask.insert(start + $0)
            }
        }
    }

    private func insertOrdinals(length: Int, firstWeekday: Int, _ insert: (Int) -> Void) {
        for (weekday, ordinal) in ordinals {
            let first = (weekday - firstWeekday).modulo(7)
            let day = ordinal > 0 ? first + (ordinal - 1) * 7 : first + ((length - 1 - first) / 7 + 1 + ordinal) * 7
            if day >= 0, day < length { insert(day) }
        }
    }

    // MARK: - Months

    /// The days of a month before BYSETPOS; bit 1 is the first of the month, so that SKIP has room on both sides.
    func monthly(_ month: Int, of year: CalendarYear) -> UInt64 {
        let length = year.length(ofMonth: month)
        var bits = namesMonthDays ? monthDayBits(length: length, skip: skip) : .below(length) << 1
        if weekdays != 0x7F {
            let firstWeekday = year.firstWeekday + year.start(ofMonth: month)
            var days = DayMask.everySeven(weekdays, from: firstWeekday - 1)
            insertOrdinals(length: length, firstWeekday: firstWeekday) { days |= 1 << UInt64($0 + 1) }
            bits &= days
        }
        return bits
    }

    /// Bit 1 is the first of the month. A day that the month does not have is dropped, or becomes its neighbour that
    /// exists.
    private func monthDayBits(length: Int, skip: RecurrenceRule.Skip) -> UInt64 {
        let fromEnd = lastMonthDays >> UInt64(62 - length)
        var bits = (monthDays | fromEnd) & (.below(length) << 1)
        guard skip != .omit else { return bits }
        if monthDays.droppingBelow(length + 1) != 0 { bits |= 1 << UInt64(skip == .forward ? length + 1 : length) }
        if lastMonthDays & .below(63 - length) != 0 { bits |= skip == .forward ? 2 : 1 }
        return bits
    }

    // MARK: - Weeks and days

    func weekly(_ year: CalendarYear) -> DayMask {
        if interval == 1, positions.isEmpty { return limited(year) }
        var mask = DayMask()
        for start in stride(from: weekStart(of: year.firstDay), through: year.lastDay, by: 7)
        where isActive(weekFrom: start) {
            let days = week(from: start)
            mask.insert(positions.isEmpty ? days : picked(from: days), at: start - year.firstDay)
        }
        mask.formIntersection(DayMask(allBelow: year.length))
        return mask
    }

    /// The days of a week before BYSETPOS; bit 0 is its first day.
    func week(from start: Int) -> UInt64 {
        let days = DayMask.everySeven(weekdays, from: weekStart) & 0x7F
        guard hasMonths else { return days }
        let year = CalendarYear(containing: start)
        return (0..<7).reduce(0) { bits, day in
            bits | (months.has(year.month(of: start - year.firstDay + day)) ? days & 1 << UInt64(day) : 0)
        }
    }

    /// The days that the parts leave over where they only limit.
    func limited(_ year: CalendarYear) -> DayMask {
        var mask = DayMask(weekdays: weekdays, firstWeekday: year.firstWeekday, below: year.length)
        if hasMonths { mask.formIntersection(monthMask(year)) }
        if namesMonthDays {
            var days = DayMask()
            for month in 1...12 where months.has(month) {
                days.insert(
                    monthDayBits(length: year.length(ofMonth: month), skip: .omit), at: year.start(ofMonth: month) - 1)
            }
            mask.formIntersection(days)
        }
        if !yearDays.isEmpty { mask.formIntersection(yearDayMask(year)) }
        if frequency == .daily, interval > 1 {
            var days = DayMask()
            let first = year.firstDay.alignedUp(to: anchor, step: interval) - year.firstDay
            for day in stride(from: first, to: year.length, by: interval) { days.insert(day) }
            mask.formIntersection(days)
        }
        return mask
    }
}
