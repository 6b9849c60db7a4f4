/// All wall times of a rule or cron expression, ascending: days of years, and times of days.
///
/// Every question is answered by going to a place, not by walking to it. Years without anything are passed in
/// nanoseconds, and the calendar ends with the year 9999; so what never matches is found out in milliseconds.
final class WallTimes: Sendable {
    private let days: any YearPattern
    private let times: DayTimes
    /// The first and the last second that count.
    let first: Int
    let last: Int

    /// - Parameter count: the set ends after so many.
    init(days: any YearPattern, times: DayTimes, first: Int, last: Int, count: Int? = nil) {
        self.days = days
        self.times = times
        self.first = first
        guard times.hasAny else {
            self.last = first - 1
            return
        }
        let end = count.flatMap { Self.member(at: $0 - 1, days, times, first: first, last: last) }
        self.last = min(last, end ?? last)
    }
}

// MARK: - Going to a place

extension WallTimes {
    /// The first that is `wall` or after it.
    @inline(__always) func first(atOrAfter wall: Int, _ block: inout YearBlock) -> Int? {
        var wall = max(wall, first)
        while wall <= last {
            let day = wall.floored(by: secondsPerDay)
            guard let found = firstDay(onOrAfter: times.firstDay(onOrAfter: day), &block) else { return nil }
            if let time = times.first(atOrAfter: found == day ? wall - day * secondsPerDay : 0, on: found) {
                let result = found * secondsPerDay + time
                return result <= last ? result : nil
            }
            wall = (found + 1) * secondsPerDay
        }
        return nil
    }

    /// The last that is `wall` or before it.
    func last(atOrBefore wall: Int, _ block: inout YearBlock) -> Int? {
        var wall = min(wall, last)
        while wall >= first {
            let day = wall.floored(by: secondsPerDay)
            guard let found = lastDay(onOrBefore: times.lastDay(onOrBefore: day), &block) else { return nil }
            let time = found == day ? wall - day * secondsPerDay : secondsPerDay - 1
            if let time = times.last(atOrBefore: time, on: found) {
                let result = found * secondsPerDay + time
                return result >= first ? result : nil
            }
            wall = found * secondsPerDay - 1
        }
        return nil
    }

    @inline(__always) private func firstDay(onOrAfter day: Int, _ block: inout YearBlock) -> Int? {
        if !block.year.contains(day) {
            guard day <= last.floored(by: secondsPerDay) else { return nil }
            block = days.block(of: CalendarYear(containing: day))
        }
        var index = day - block.year.firstDay
        var years = 0
        while years <= days.cycle {
            years += 1
            if let found = block.mask.first(atOrAfter: index) { return block.year.firstDay + found }
            let next = days.year(after: block.year.number)
            guard CalendarYear.range.contains(next), CalendarYear(next).firstDay * secondsPerDay <= last else {
                return nil
            }
            block = days.block(of: CalendarYear(next))
            index = 0
        }
        return nil
    }

    private func lastDay(onOrBefore day: Int, _ block: inout YearBlock) -> Int? {
        if !block.year.contains(day) {
            guard day >= first.floored(by: secondsPerDay) else { return nil }
            block = days.block(of: CalendarYear(containing: day))
        }
        var index = day - block.year.firstDay
        var years = 0
        while years <= days.cycle {
            years += 1
            if let found = block.mask.last(atOrBefore: index) { return block.year.firstDay + found }
            let next = days.year(before: block.year.number)
            guard CalendarYear.range.contains(next), (CalendarYear(next).lastDay + 1) * secondsPerDay > first else {
                return nil
            }
            block = days.block(of: CalendarYear(next))
            index = 383
        }
        return nil
    }
}

extension YearPattern {
    fileprivate func block(of year: CalendarYear) -> YearBlock { YearBlock(year: year, mask: mask(of: year)) }
}

// MARK: - Counting

extension WallTimes {
    /// How many there are from `start` up to, not including, `end`.
    func count(from start: Int, before end: Int) -> Int {
        let start = max(start, first)
        let end = min(end, last + 1)
        guard start < end else { return 0 }
        return count(before: end) - count(before: start)
    }

    /// Counted from the start of the year in which all begins.
    private func count(before wall: Int) -> Int {
        let day = wall.floored(by: secondsPerDay)
        var total = 0
        var number = CalendarYear(containing: first.floored(by: secondsPerDay)).number
        while true {
            let year = CalendarYear(number)
            guard year.firstDay <= day else { return total }
            let mask = days.mask(of: year)
            total += Self.count(mask, of: year, before: day, times)
            if year.contains(day) {
                let isIn = mask.contains(day - year.firstDay)
                return total + (isIn ? times.rank(wall - day * secondsPerDay, on: day) : 0)
            }
            number = days.year(after: number)
        }
    }

    /// The times on the days of a year that are before `day`.
    private static func count(_ mask: DayMask, of year: CalendarYear, before day: Int, _ times: DayTimes) -> Int {
        let days = mask.count(below: day - year.firstDay)
        if let perDay = times.perDay { return days * perDay }
        var total = 0
        var next = mask.first(atOrAfter: 0)
        while let index = next, year.firstDay + index < day {
            total += times.rank(secondsPerDay, on: year.firstDay + index)
            next = mask.first(atOrAfter: index + 1)
        }
        return total
    }

    /// The wall time that has `index` others before it; nil when the set ends before.
    private static func member(
        at index: Int, _ days: any YearPattern, _ times: DayTimes, first: Int, last: Int
    ) -> Int? {
        let start = first.floored(by: secondsPerDay)
        var year = CalendarYear(containing: start)
        var mask = days.mask(of: year)
        // What lies before the start, in the same year, does not count.
        var rest = index + count(mask, of: year, before: start, times)
        if mask.contains(start - year.firstDay) { rest += times.rank(first - start * secondsPerDay, on: start) }
        while true {
            let total = count(mask, of: year, before: year.lastDay + 1, times)
            if rest < total { return member(at: rest, of: mask, year, times) }
            rest -= total
            let next = days.year(after: year.number)
            guard CalendarYear.range.contains(next), CalendarYear(next).firstDay * secondsPerDay <= last else {
                return nil
            }
            year = CalendarYear(next)
            mask = days.mask(of: year)
        }
    }

    private static func member(at index: Int, of mask: DayMask, _ year: CalendarYear, _ times: DayTimes) -> Int? {
        if let perDay = times.perDay {
            return mask.member(at: index / perDay).flatMap { day in
                times.member(at: index % perDay, on: year.firstDay + day)
                    .map { (year.firstDay + day) * secondsPerDay + $0 }
            }
        }
        var rest = index
        var next = mask.first(atOrAfter: 0)
        while let place = next {
            let day = year.firstDay + place
            let count = times.rank(secondsPerDay, on: day)
            if rest < count { return times.member(at: rest, on: day).map { day * secondsPerDay + $0 } }
            rest -= count
            next = mask.first(atOrAfter: place + 1)
        }
        return nil
    }
}
