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
        let parts = [days, isAllDay ? "" : times, skip]
        return parts.filter { !$0.isEmpty }.joined(separator: " ") + picks + end
    }

    // MARK: - Days

    private var subDaily: String {
        return phrase([
            EnglishWords.every(rule.interval, unit), on(plainDays(plural: true)), on(the(monthDays)), on(yearDays),
            inMonths,
        ])
    }

    private var daily: String {
        let limits = [on(the(monthDays)), inMonths]
        guard rule.interval == 1, !rule.days.isEmpty else {
            return phrase([EnglishWords.every(rule.interval, "day"), on(plainDays(plural: true))] + limits)
        }
        return phrase(["every \(plainDays(plural: false))"] + limits)
    }

    private var longer: String {
        let every = EnglishWords.every(rule.interval, unit)
        if rule.frequency == .weekly {
            let days = rule.days.isEmpty ? start.date.weekday.name : plainDays(plural: rule.interval > 1)
            return phrase([rule.interval == 1 ? "every \(days)" : "\(every) on \(days)", inMonths])
        }
        if rule.frequency == .monthly, rule.interval == 1, rule.monthDays.isEmpty, rule.positions.isEmpty,
            !rule.days.isEmpty
        {
            return phrase(["every \(ordinalDays)", inMonths])
        }
        return phrase([every] + longDays)
    }

    /// What follows `every month` or `every year`.
    private var longDays: [String] {
        if !rule.weekNumbers.isEmpty {
            let days = rule.days.isEmpty ? start.date.weekday.name : plainDays(plural: false)
            let weeks = EnglishWords.list(rule.weekNumbers.map { $0 > 0 ? "\($0)" : EnglishWords.ordinal($0) })
            return ["on \(days) of week \(weeks)", inMonths]
        }
        if !rule.monthDays.isEmpty {
            let days = rule.days.isEmpty ? "" : "if it is \(plainDays(plural: false, joiner: " or "))"
            return [on(the(monthDays)), ofMonths, days]
        }
        if !rule.yearDays.isEmpty { return [on(yearDays), on(plainDays(plural: true)), inMonths] }
        if !rule.days.isEmpty {
            let isYear = rule.frequency == .yearly && rule.months.isEmpty && rule.days.contains { $0.ordinal != nil }
            let days = isOrdinal ? "the \(ordinalDays)" : picksDays ? "the \(pickedDays)" : plainDays(plural: true)
            return ["on \(days)", isYear ? "of the year" : ofMonths]
        }
        let civil = start.date.civil
        if rule.frequency == .monthly { return ["on the \(EnglishWords.numeral(civil.day))", inMonths] }
        let months = rule.months.isEmpty ? [civil.month] : rule.months
        return ["on \(EnglishWords.list(months.map { "\(civil.day) \(EnglishWords.months[$0 - 1])" }))"]
    }

    private var isOrdinal: Bool { rule.days.contains { $0.ordinal != nil } }

    /// `first Monday and last Friday`.
    private var ordinalDays: String {
        guard isOrdinal else { return plainDays(plural: false) }
        return EnglishWords.list(
            rule.days.map { day in
                (day.ordinal.map { EnglishWords.ordinal($0) + " " } ?? "every ") + day.weekday.name
            })
    }

    /// Whether BYSETPOS only says which of some weekdays.
    private var picksDays: Bool {
        rule.frequency >= .monthly && !rule.positions.isEmpty && !rule.days.isEmpty && !isOrdinal
            && [rule.monthDays, rule.yearDays, rule.weekNumbers].allSatisfy(\.isEmpty)
            && [rule.hours, rule.minutes, rule.seconds].allSatisfy { $0.count < 2 }
    }

    /// `last weekday`, `third of Tuesday, Wednesday and Thursday`.
    private var pickedDays: String {
        let days = plainDays(plural: false)
        let isOne = !days.contains(" ") || days == "weekend day"
        return EnglishWords.list(rule.positions.map(EnglishWords.ordinal)) + (isOne ? " " : " of ") + days
    }

    private func plainDays(plural: Bool, joiner: String? = nil) -> String {
        let days = rule.days.map(\.weekday).sorted()
        let ending = plural ? "s" : ""
        if days.count == 7 { return "day" + ending }
        if days == [.monday, .tuesday, .wednesday, .thursday, .friday] { return "weekday" + ending }
        if days == [.saturday, .sunday] { return "weekend day" + ending }
        let names = days.map { $0.name + ending }
        return joiner.map { names.joined(separator: $0) } ?? EnglishWords.list(names)
    }

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
        guard times.count > 6 else {
            return "at " + EnglishWords.list((0..<times.count).map { EnglishWords.time(times.member(at: $0)) })
        }
        return limits
    }

    /// `in the hours 9 and 10, in the minutes 0 and 30`.
    private var limits: String {
        let parts = [("hour", rule.hours), ("minute", rule.minutes), ("second", rule.seconds)]
        return parts.filter { !$0.1.isEmpty }.map { unit, numbers in
            "in \(unit)\(numbers.count == 1 ? "" : "s") \(EnglishWords.list(numbers.map(String.init)))"
        }.joined(separator: ", ")
    }

    private var skip: String {
        guard rule.frequency >= .monthly else { return "" }
        switch rule.skip {
        case .omit: return ""
        case .backward: return "(the last day of a shorter month)"
        case .forward: return "(the day after a shorter month)"
        }
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
