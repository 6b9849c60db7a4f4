extension TaskQueryParser {
    private static let keywords: [(name: String, date: TaskDate)] =
        [("today", .today), ("tomorrow", .shifted(1, .day)), ("yesterday", .shifted(-1, .day)), ("now", .now)]
        + TaskDate.Period.allCases.map { ($0.rawValue, .current($0)) }
        + TaskDate.Weekday.allCases.map { ($0.name, .weekday($0)) }

    func taskDate(
        _ field: TaskQueryToken.Field, _ text: String, _ range: Range<Int>
    ) throws(TaskQueryError) -> TaskDate {
        let word = text.lowercased()
        if let keyword = Self.keywords.first(where: { $0.name == word }) { return keyword.date }
        if let weekday = TaskDate.Weekday.allCases.first(where: { $0.name.prefix(3) == word }) {
            return .weekday(weekday)
        }
        if let first = word.unicodeScalars.first {
            if first == "+" || first == "-" { return try shift(field, word, range) }
            if ("0"..."9").contains(first) { return try day(field, word, range) }
        }
        let advice =
            Spelling.closest(to: word, among: Self.keywords.map(\.name)).map { "; did you mean \($0)?" } ?? ""
        throw error(
            "\(field.name) takes a date such as 2026-03-01, today, tomorrow, yesterday, monday, week, month, year, now, "
                + "+7d, -2w, +1m or +1y, \(others(field))not \(text)\(advice)", range)
    }

    private func others(_ field: TaskQueryToken.Field) -> String {
        switch TaskDateField(rawValue: field.name) {
        case .due: "a range such as today..+7d, none, any or overdue, "
        case let name? where !name.isOptional: "or a range such as today..+7d, "
        default: "a range such as today..+7d, none or any, "
        }
    }

    private func shift(
        _ field: TaskQueryToken.Field, _ word: String, _ range: Range<Int>
    ) throws(TaskQueryError) -> TaskDate {
        let digits = word.dropFirst().prefix { $0.isASCII && $0.isWholeNumber }
        guard let unit = TaskDate.Unit(rawValue: String(word.dropFirst(1 + digits.count))), !digits.isEmpty else {
            throw error("a shift is a sign, a number and d, w, m or y, such as +7d or -2w, not \(word)", range)
        }
        guard let amount = Int(digits), amount <= TaskDate.shiftLimit else {
            throw error("a shift reaches at most \(TaskDate.shiftLimit) in either direction", range)
        }
        return .shifted(word.hasPrefix("-") ? -amount : amount, unit)
    }

    private func day(
        _ field: TaskQueryToken.Field, _ word: String, _ range: Range<Int>
    ) throws(TaskQueryError) -> TaskDate {
        if let day = CivilDate(word) { return .day(day) }
        let isWellFormed =
            word.split(separator: "-", omittingEmptySubsequences: false).map(\.utf8.count) == [4, 2, 2]
        throw error(
            isWellFormed
                ? "there is no day \(word) in the calendar"
                : "a date is written as year-month-day, such as 2026-03-01; a shift begins with + or -", range)
    }
}
