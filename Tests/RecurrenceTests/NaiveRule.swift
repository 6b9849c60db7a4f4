import Recurrence

/// A second opinion: period by period, day by day, second by second, by the words of RFC 5545 section 3.3.10 and RFC
/// 7529 section 4.1. Slow, and without any of the arithmetic of the real thing.
struct NaiveRule {
    let rule: RecurrenceRule
    let start: LocalDateTime

    /// The first instances on the wall, up to `limit` of them, of the periods that begin before `horizon` seconds.
    func instances(limit: Int, horizon: Int) -> [LocalDateTime] {
        var found: [LocalDateTime] = []
        var most = limit
        if case .count(let count) = rule.end { most = min(most, count) }
        var period = 0
        while found.count < most, let instances = self.instances(ofPeriod: period, horizon: horizon) {
            for instance in instances where instance >= start && found.last.map({ $0 < instance }) ?? true {
                found.append(instance)
            }
            period += rule.interval
        }
        return Array(found.prefix(most))
    }

    /// Nil beyond the horizon.
    private func instances(ofPeriod number: Int, horizon: Int) -> [LocalDateTime]? {
        let limit = start.seconds + horizon
        var instances: [LocalDateTime] = []
        switch rule.frequency {
        case .yearly, .monthly, .weekly, .daily:
            let days = self.days(ofPeriod: number)
            guard days[0] < limit / 86_400 else { return nil }
            for day in Set(candidates(days)).sorted() {
                for time in dayTimes {
                    instances.append(LocalDateTime(date: CivilDate(daysSince1970: day), second: time))
                }
            }
        case .hourly, .minutely, .secondly:
            let unit = rule.frequency == .hourly ? 3600 : rule.frequency == .minutely ? 60 : 1
            let begin = start.seconds - (start.seconds % unit + unit) % unit + number * unit
            guard begin < limit else { return nil }
            guard isAllowed(LocalDateTime(seconds: begin).date.daysSince1970, ordinalsOf: nil) else { return [] }
            for wall in walls(ofUnit: begin, unit) { instances.append(LocalDateTime(seconds: wall)) }
        }
        return picked(instances)
    }

    private func picked(_ instances: [LocalDateTime]) -> [LocalDateTime] {
        guard !rule.positions.isEmpty else { return instances }
        return instances.indices.filter {
            rule.positions.contains($0 + 1) || rule.positions.contains($0 - instances.count)
        }.map { instances[$0] }
    }

    // MARK: - Days

    private func day(_ year: Int, _ month: Int, _ day: Int) -> Int? {
        CivilDate(year: year, month: month, day: day)?.daysSince1970
    }

    private func civil(_ day: Int) -> (year: Int, month: Int, day: Int) { CivilDate(daysSince1970: day).civil }

    private func length(_ year: Int, _ month: Int) -> Int { (28...31).last { day(year, month, $0) != nil } ?? 28 }

    /// All days of the period.
    private func days(ofPeriod number: Int) -> [Int] {
        let first = start.date
        switch rule.frequency {
        case .yearly:
            let year = first.civil.year + number
            guard let begin = day(year, 1, 1), let end = day(year, 12, 31) else { return [.max] }
            return Array(begin...end)
        case .monthly:
            let index = first.civil.year * 12 + first.civil.month - 1 + number
            guard let begin = day(index / 12, index % 12 + 1, 1) else { return [.max] }
            return (0..<length(index / 12, index % 12 + 1)).map { begin + $0 }
        case .weekly:
            var begin = first.daysSince1970
            while CivilDate(daysSince1970: begin).weekday != rule.weekStart { begin -= 1 }
            return (0..<7).map { begin + number * 7 + $0 }
        default: return [first.daysSince1970 + number]
        }
    }

    private var implied: (monthDays: [Int], months: [Int], weekday: Weekday?) {
        let first = start.date.civil
        guard rule.days.isEmpty, rule.monthDays.isEmpty, rule.yearDays.isEmpty else {
            return (rule.monthDays, rule.months, nil)
        }
        switch rule.frequency {
        case .yearly where rule.weekNumbers.isEmpty:
            return ([first.day], rule.months.isEmpty ? [first.month] : rule.months, nil)
        case .yearly, .weekly: return ([], rule.months, start.date.weekday)
        case .monthly: return ([first.day], rule.months, nil)
        default: return ([], rule.months, nil)
        }
    }

    /// The days of a period that the BY parts leave, and those that SKIP moves.
    private func candidates(_ days: [Int]) -> [Int] {
        guard rule.frequency >= .monthly, !implied.monthDays.isEmpty else {
            return days.filter { isAllowed($0, ordinalsOf: $0) }
        }
        var found: [Int] = []
        for month in Set(days.map { civil($0).year * 12 + civil($0).month - 1 }).sorted() {
            let (year, month) = (month / 12, month % 12 + 1)
            guard implied.months.isEmpty || implied.months.contains(month), let first = day(year, month, 1) else {
                continue
            }
            let length = length(year, month)
            for number in implied.monthDays {
                let place = number > 0 ? number - 1 : length + number
                if (0..<length).contains(place) {
                    found.append(first + place)
                } else if rule.skip == .forward {
                    found.append(place < 0 ? first : first + length)
                } else if rule.skip == .backward {
                    found.append(place < 0 ? first - 1 : first + length - 1)
                }
            }
        }
        return found.filter { day in
            (rule.yearDays.isEmpty || isYearDay(day)) && (rule.weekNumbers.isEmpty || isInWeek(day))
                && isWeekday(day, periodOf: days[0])
        }
    }

    private func isAllowed(_ day: Int, ordinalsOf period: Int?) -> Bool {
        let (year, month, number) = civil(day)
        let (monthDays, months, weekday) = implied
        return (months.isEmpty || months.contains(month))
            && (monthDays.isEmpty || monthDays.contains(number) || monthDays.contains(number - length(year, month) - 1))
            && (rule.yearDays.isEmpty || isYearDay(day)) && (rule.weekNumbers.isEmpty || isInWeek(day))
            && (weekday.map { $0 == CivilDate(daysSince1970: day).weekday } ?? true)
            && isWeekday(day, periodOf: period ?? day)
    }

    private func isYearDay(_ day: Int) -> Bool {
        let year = civil(day).year
        guard let first = self.day(year, 1, 1), let last = self.day(year, 12, 31) else { return false }
        return rule.yearDays.contains(day - first + 1) || rule.yearDays.contains(day - last - 1)
    }

    /// The week of a day belongs to the year that has four of its days.
    private func isInWeek(_ day: Int) -> Bool {
        var begin = day
        while CivilDate(daysSince1970: begin).weekday != rule.weekStart { begin -= 1 }
        let year = civil(begin + 3).year
        func number(_ week: Int) -> Int {
            var count = 1
            while civil(week - count * 7 + 3).year == year { count += 1 }
            return count
        }
        var last = begin
        while civil(last + 7 + 3).year == year { last += 7 }
        return rule.weekNumbers.contains(number(begin)) || rule.weekNumbers.contains(number(begin) - number(last) - 1)
    }

    /// BYDAY; numbers count in the month, or in the year when there is no BYMONTH in a YEARLY rule.
    private func isWeekday(_ day: Int, periodOf period: Int) -> Bool {
        guard !rule.days.isEmpty else { return true }
        let (year, month, _) = civil(day)
        let inYear = rule.frequency == .yearly && rule.months.isEmpty
        // A day that SKIP moved out of its month is no n-th of anything there.
        if !inYear, rule.frequency == .monthly, civil(period).month != month {
            return rule.days.contains { $0.ordinal == nil && $0.weekday == CivilDate(daysSince1970: day).weekday }
        }
        let span: ClosedRange<Int>
        if inYear {
            span = (self.day(year, 1, 1) ?? 0)...(self.day(year, 12, 31) ?? 0)
        } else {
            let first = self.day(year, month, 1) ?? 0
            span = first...(first + length(year, month) - 1)
        }
        if !inYear, rule.frequency == .yearly, !rule.months.contains(month) {
            return rule.days.contains { $0.ordinal == nil && $0.weekday == CivilDate(daysSince1970: day).weekday }
        }
        return rule.days.contains { entry in
            guard entry.weekday == CivilDate(daysSince1970: day).weekday else { return false }
            guard let ordinal = entry.ordinal else { return true }
            return ordinal == (day - span.lowerBound) / 7 + 1 || ordinal == -((span.upperBound - day) / 7 + 1)
        }
    }

    // MARK: - Times

    private var dayTimes: [Int] {
        let second = start.secondOfDay
        let hours = rule.hours.isEmpty ? [second / 3600] : rule.hours
        let minutes = rule.minutes.isEmpty ? [second / 60 % 60] : rule.minutes
        let seconds = rule.seconds.isEmpty ? [second % 60] : rule.seconds.map { min($0, 59) }
        let all = hours.flatMap { hour in minutes.flatMap { minute in seconds.map { hour * 3600 + minute * 60 + $0 } } }
        return Set(all).sorted()
    }

    /// Parts longer than the unit limit; shorter ones are those named, or those of the start.
    private func walls(ofUnit begin: Int, _ unit: Int) -> [Int] {
        let first = LocalDateTime(seconds: begin).secondOfDay
        guard rule.hours.isEmpty || rule.hours.contains(first / 3600) else { return [] }
        var minutes = [first / 60 % 60]
        if unit > 60 {
            minutes = rule.minutes.isEmpty ? [start.secondOfDay / 60 % 60] : rule.minutes
        } else if !rule.minutes.isEmpty, !rule.minutes.contains(minutes[0]) {
            return []
        }
        let named = Set(rule.seconds.map { min($0, 59) }).sorted()
        var seconds = [first % 60]
        if unit > 1 {
            seconds = named.isEmpty ? [start.secondOfDay % 60] : named
        } else if !named.isEmpty, !named.contains(seconds[0]) {
            return []
        }
        let hour = begin - first % 3600
        return minutes.flatMap { minute in seconds.map { hour + minute * 60 + $0 } }
    }
}
