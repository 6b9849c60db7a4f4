extension RecurrenceRule {
    /// The rule in English: `every last Friday at 17:00, 12 times`.
    ///
    /// - Parameters:
    ///   - start: says what the rule does not: the day of the month, the time.
    ///   - isAllDay: times are left out.
    public func summary(start: LocalDateTime, isAllDay: Bool = false) -> String {
        RuleSummary(rule: self, start: start, isAllDay: isAllDay).text
    }
}

private struct RuleSummary {
    let rule: RecurrenceRule
    let start: LocalDateTime
    let isAllDay: Bool

    var text: String {
        let days = rule.frequency < .daily ? subDaily : rule.frequency == .daily ? daily : longer
        return phrase([days, isAllDay ? "" : times, skip]) + picks + end
    }

    // MARK: - Days

    private var every: String { EnglishWords.every(rule.interval, unit) }

    private var subDaily: String { phrase([every, onDays, on(the(monthDays)), on(yearDays), inMonths]) }

    private var daily: String {
        let days = rule.interval == 1 && !rule.days.isEmpty ? ["every \(plainDays(plural: false))"] : [every, onDays]
        return phrase(days + [on(the(monthDays)), inMonths])
    }

    private var longer: String {
        if rule.frequency == .weekly {
            let days = rule.days.isEmpty ? start.date.weekday.name : plainDays(plural: rule.interval > 1)
            return phrase([rule.interval == 1 ? "every \(days)" : "\(every) on \(days)", inMonths])
        }
        if rule.frequency == .monthly, rule.interval == 1, rule.monthDays.isEmpty, rule.positions.isEmpty,
            !rule.days.isEmpty, !isOrdinal || isFirstOrLast
        {
            return phrase(["every \(isOrdinal ? EnglishWords.list(countedDays) : plainDays(plural: false))", inMonths])
        }
        return phrase([every] + longDays)
    }

    /// What follows `every month` or `every year`.
    private var longDays: [String] {
        if !rule.monthDays.isEmpty { return [on(the(monthDays)), ofMonths, on(yearDays), inWeeks, ifDays] }
        if !rule.yearDays.isEmpty { return [on(yearDays), inWeeks, inMonths, ifDays] }
        if !rule.weekNumbers.isEmpty {
            let days = rule.days.isEmpty ? start.date.weekday.name : plainDays(plural: false)
            return ["on \(daysWord == nil ? days : "every \(days)") of \(weeks)", inMonths]
        }
        if !rule.days.isEmpty {
            guard isOrdinal || picksDays else { return [on(plainDays(plural: true)), inMonths] }
            let isOfYear = rule.frequency == .yearly && rule.months.isEmpty
            return [on(isOrdinal ? ordinalDays : the(pickedDays)), isOfYear ? "of the year" : ofMonths]
        }
        let civil = start.date.civil
        if rule.frequency == .monthly { return ["on the \(EnglishWords.numeral(civil.day))", ofMonths] }
        let months = rule.months.isEmpty ? [civil.month] : rule.months
        return ["on \(EnglishWords.list(months.map { "\(civil.day) \(EnglishWords.months[$0 - 1])" }))"]
    }

    private var isOrdinal: Bool { rule.days.contains { $0.ordinal != nil } }

    /// Whether it can be told without `the`. Every second Monday would be every other.
    private var isFirstOrLast: Bool { rule.days.allSatisfy { $0.ordinal == 1 || $0.ordinal == -1 } }

    /// `the first Monday and last Friday`, `every Tuesday and the first Monday`.
    private var ordinalDays: String {
        let plain = rule.days.filter { $0.ordinal == nil }.map { "every \($0.weekday.name)" }
        return EnglishWords.list(plain + countedDays.enumerated().map { $0 == 0 ? the($1) : $1 })
    }

    private var countedDays: [String] {
        rule.days.compactMap { day in day.ordinal.map { "\(EnglishWords.ordinal($0)) \(day.weekday.name)" } }
    }

    /// Whether BYSETPOS only says which of some weekdays.
    private var picksDays: Bool {
        rule.frequency >= .monthly && !rule.positions.isEmpty && !rule.days.isEmpty && !isOrdinal
            && (rule.frequency == .monthly || rule.months.count < 2)
            && [rule.monthDays, rule.yearDays, rule.weekNumbers].allSatisfy(\.isEmpty)
            && [rule.hours, rule.minutes, rule.seconds].allSatisfy { $0.count < 2 }
    }

    /// `last weekday`, `third of Tuesday, Wednesday and Thursday`.
    private var pickedDays: String {
        let isOne = daysWord != nil || rule.days.count == 1
        return EnglishWords.list(rule.positions.map(EnglishWords.ordinal)) + (isOne ? " " : " of ")
            + plainDays(plural: false)
    }

    /// One word for all the weekdays of the rule, where there is one.
    private var daysWord: String? {
        let days = rule.days.map(\.weekday)
        if isOrdinal { return nil }
        if days.count == 7 { return "day" }
        if days == [.monday, .tuesday, .wednesday, .thursday, .friday] { return "weekday" }
        return days == [.saturday, .sunday] ? "weekend day" : nil
    }

    private func plainDays(plural: Bool) -> String {
        let ending = plural ? "s" : ""
        guard let daysWord else { return EnglishWords.list(rule.days.map { $0.weekday.name + ending }) }
        return plural && daysWord == "day" ? "every day" : daysWord + ending
    }

    /// Where BYDAY only limits, all days are as good as none.
    private var onDays: String { daysWord == "day" ? "" : on(plainDays(plural: true)) }

    /// `if it is Friday`, `if it is a weekday`, `if it is the first Monday`.
    private var ifDays: String {
        guard !rule.days.isEmpty, daysWord != "day" else { return "" }
        let days = rule.days.map { day in
            (day.ordinal.map { "the \(EnglishWords.ordinal($0)) " } ?? "") + day.weekday.name
        }
        return "if it is \(daysWord.map { "a \($0)" } ?? EnglishWords.list(days, by: "or"))"
    }

    /// `week 20`, `weeks 1 and 20`, `week 1 and the last week`.
    private var weeks: String {
        let count = rule.weekNumbers.count { $0 > 0 }
        let numbers = rule.weekNumbers.map { $0 > 0 ? "\($0)" : "the \(EnglishWords.ordinal($0)) week" }
        return (count == 0 ? "" : count == 1 ? "week " : "weeks ") + EnglishWords.list(numbers)
    }

    private var inWeeks: String { rule.weekNumbers.isEmpty ? "" : "in \(weeks)" }

    /// `15th and last day`.
    private var monthDays: String {
        EnglishWords.list(
            rule.monthDays.map { $0 > 0 ? EnglishWords.numeral($0) : "\(EnglishWords.ordinal($0)) day" })
    }

    private var yearDays: String {
        guard !rule.yearDays.isEmpty else { return "" }
        let days = rule.yearDays.map { $0 > 0 ? EnglishWords.numeral($0) : EnglishWords.ordinal($0) }
        return "the \(EnglishWords.list(days)) day of the year"
    }

    private var monthNames: String { EnglishWords.list(rule.months.map { EnglishWords.months[$0 - 1] }) }
    private var inMonths: String { rule.months.isEmpty ? "" : "in \(monthNames)" }
    private var ofMonths: String {
        rule.months.isEmpty
            ? rule.frequency == .yearly && !rule.monthDays.isEmpty ? "of every month" : "" : "of \(monthNames)"
    }

    private var unit: String {
        switch rule.frequency {
        case .secondly: "second"
        case .minutely: "minute"
        case .hourly: "hour"
        case .daily: "day"
        case .weekly: "week"
        case .monthly: "month"
        case .yearly: "year"
        }
    }

    private func on(_ days: String) -> String { days.isEmpty ? "" : "on \(days)" }
    private func the(_ days: String) -> String { days.isEmpty ? "" : "the \(days)" }
    private func phrase(_ parts: [String]) -> String { parts.filter { !$0.isEmpty }.joined(separator: " ") }

    // MARK: - The rest

    private var times: String {
        if rule.frequency < .daily { return limits }
        let named = NamedTimes(rule, start: start)
        let times = ClockTimes.product(hours: named.hours, minutes: named.minutes, seconds: named.seconds)
        guard times.count > 24 else {
            return "at " + EnglishWords.list((0..<times.count).map { EnglishWords.time(times.member(at: $0)) })
        }
        return limits
    }

    /// `in hours 9 and 10, in minute 30`; from days on, the start says what the rule does not.
    private var limits: String {
        let (isLimit, second) = (rule.frequency < .daily, start.secondOfDay)
        let parts: [(String, [Int])] = [
            ("hour", rule.hours.isEmpty && !isLimit ? [second / 3600] : rule.hours),
            ("minute", rule.minutes.isEmpty && !isLimit ? [second / 60 % 60] : rule.minutes), ("second", rule.seconds),
        ]
        return parts.filter { !$0.1.isEmpty }.map { unit, numbers in
            "in \(unit)\(numbers.count == 1 ? "" : "s") \(EnglishWords.list(numbers.map(String.init)))"
        }.joined(separator: ", ")
    }

    private var skip: String {
        guard rule.frequency >= .monthly, lacksDays else { return "" }
        switch rule.skip {
        case .omit: return ""
        case .backward: return "(the last day of a shorter month)"
        case .forward: return "(the day after a shorter month)"
        }
    }

    /// Whether a month of the rule may be shorter than one of its days.
    private var lacksDays: Bool {
        let (civil, isNamed) = (start.date.civil, !rule.monthDays.isEmpty)
        guard isNamed || rule.days.isEmpty && rule.yearDays.isEmpty && rule.weekNumbers.isEmpty else { return false }
        let ownMonths = isNamed || rule.frequency == .monthly ? Array(1...12) : [civil.month]
        let lengths = (rule.months.isEmpty ? ownMonths : rule.months).map { CalendarYear(2026).length(ofMonth: $0) }
        return (isNamed ? rule.monthDays : [civil.day]).contains { abs($0) > lengths.min() ?? 28 }
    }

    private var picks: String {
        guard !rule.positions.isEmpty, !picksDays else { return "" }
        return ", only the \(EnglishWords.list(rule.positions.map(EnglishWords.ordinal))) of each \(unit)"
    }

    private var end: String {
        switch rule.end {
        case .never: ""
        case .count(1): ", once"
        case .count(let count): ", \(count) times"
        case .until(.date(let date)): ", until \(EnglishWords.date(date))"
        case .until(.local(let time)):
            ", until \(EnglishWords.date(time.date))" + (isAllDay ? "" : " at \(EnglishWords.time(time.secondOfDay))")
        case .until(.utc(let time)):
            ", until \(EnglishWords.date(time.date))"
                + (isAllDay ? "" : " at \(EnglishWords.time(time.secondOfDay)) UTC")
        }
    }
}
