/// BYSETPOS. A period with `n` days has `n * perDay` instances, counted day by day; so what it picks follows from the
/// place of a day among the days of its period.
extension RuleDays {
    /// The days of a period on which it picks something.
    func picked(from days: UInt64) -> UInt64 {
        let count = days.nonzeroBitCount
        return positions.reduce(0) { bits, position in
            pickedDay(position, of: count).map { bits | 1 << UInt64(days.member(at: $0)) } ?? bits
        }
    }

    func picked(from days: DayMask) -> DayMask {
        let count = days.count
        var mask = DayMask()
        for position in positions {
            if let day = pickedDay(position, of: count).flatMap({ days.member(at: $0) }) { mask.insert(day) }
        }
        return mask
    }

    private func pickedDay(_ position: Int, of count: Int) -> Int? {
        let index = position > 0 ? position - 1 : count * perDay + position
        return index >= 0 && index < count * perDay ? index / perDay : nil
    }

    /// What BYSETPOS picks on a day, as indexes below `perDay` among its times, neither in order nor each only once.
    func forEachPick(on day: Int, _ body: (Int) -> Void) {
        forEachPlace(of: day) { index, count in
            for position in positions {
                let pick = (position > 0 ? position - 1 : count * perDay + position) - index * perDay
                if pick >= 0, pick < perDay { body(pick) }
            }
        }
    }

    /// The place of a day in its period, and how many days the period has. By SKIP a day can be of two months.
    private func forEachPlace(of day: Int, _ body: (Int, Int) -> Void) {
        func place(_ bit: Int, in days: UInt64) {
            if days.has(bit) { body(days.count(below: bit), days.nonzeroBitCount) }
        }
        let year = CalendarYear(containing: day)
        let index = day - year.firstDay
        switch frequency {
        case .yearly:
            let days = yearly(year)
            if days.contains(index) { body(days.count(below: index), days.count) }
        case .monthly:
            let month = year.month(of: index)
            for owner in max(1, month - 1)...min(12, month + 1) where isActive(owner, of: year) {
                let bit = index - year.start(ofMonth: owner) + 1
                if bit >= 0, bit <= 32 { place(bit, in: monthly(owner, of: year)) }
            }
        case .weekly:
            let start = weekStart(of: day)
            if isActive(weekFrom: start) { place(day - start, in: week(from: start)) }
        default: break
        }
    }
}
