extension TaskQueryParser {
    typealias Reader<Value> = (TaskQueryToken.Field, String, Range<Int>) throws(TaskQueryError) -> Value

    func date(_ name: TaskDateField, _ field: TaskQueryToken.Field) throws(TaskQueryError) -> TaskTerm {
        if name == .due, field.comparison == .equal, field.value.lowercased() == "overdue" { return .overdue }
        let condition = try condition(field, taskDate)
        switch condition {
        case .missing where !name.isOptional, .present where !name.isOptional:
            throw error(
                "every task has a \(name.rawValue) date; give a date instead of \(field.value)", field.valueRange)
        case .compared(.equal, .now):
            throw error("now is an instant; write \(name.rawValue)<now or \(name.rawValue)>now", field.valueRange)
        case .between(.day(let first), .day(let last)) where last < first:
            throw endsBeforeItBegins(field)
        default: return .date(name, condition)
        }
    }

    /// `none`, `any`, a comparison, or a range `a..b`, `a..`, `..b`.
    func condition<Value: Comparable>(
        _ field: TaskQueryToken.Field, _ read: Reader<Value>
    ) throws(TaskQueryError) -> TaskCondition<Value> {
        let condition = try anyCondition(field, read)
        if case .between(let first, let last) = condition, last < first { throw endsBeforeItBegins(field) }
        return condition
    }

    private func condition(
        _ field: TaskQueryToken.Field, _ read: Reader<TaskDate>
    ) throws(TaskQueryError) -> TaskCondition<TaskDate> {
        try anyCondition(field, read)
    }

    private func endsBeforeItBegins(_ field: TaskQueryToken.Field) -> TaskQueryError {
        error("the range ends before it begins; swap its ends", field.valueRange)
    }

    private func anyCondition<Value>(
        _ field: TaskQueryToken.Field, _ read: Reader<Value>
    ) throws(TaskQueryError) -> TaskCondition<Value> {
        if field.comparison == .equal, field.name != "priority" || field.value.lowercased() != "none",
            let present = Self.presence(field.value)
        {
            return present ? .present : .missing
        }
        let text = Array(field.value.unicodeScalars)
        guard let dots = text.indices.dropLast().first(where: { text[$0] == "." && text[$0 + 1] == "." }) else {
            return .compared(field.comparison, try read(field, field.value, field.valueRange))
        }
        guard field.comparison == .equal else {
            throw error(
                "a range cannot be compared by \(field.comparison.rawValue); write \(field.name):\(field.value)",
                field.nameRange.upperBound..<field.valueRange.lowerBound)
        }
        func end(_ part: ArraySlice<Unicode.Scalar>) throws(TaskQueryError) -> Value? {
            if part.isEmpty { return nil }
            let start = field.valueRange.lowerBound
            let range = field.isQuoted ? field.valueRange : start + part.startIndex..<start + part.endIndex
            return try read(field, String(String.UnicodeScalarView(part)), range)
        }
        switch (try end(text[..<dots]), try end(text[(dots + 2)...])) {
        case (let first?, let last?): return .between(first, last)
        case (let first?, nil): return .compared(.greaterOrEqual, first)
        case (nil, let last?): return .compared(.lessOrEqual, last)
        case (nil, nil): throw error("a range needs at least one end: \(field.name):a..b", field.valueRange)
        }
    }

    func priority(
        _ field: TaskQueryToken.Field, _ text: String, _ range: Range<Int>
    ) throws(TaskQueryError) -> TodoTask.Priority {
        if let priority = TodoTask.Priority(name: text.lowercased()) { return priority }
        if text.utf8.count == 1, let rank = Int(text), let priority = TodoTask.Priority(rawValue: rank) {
            return priority
        }
        throw wrong(field, value: text, at: range, names: TodoTask.Priority.allCases.map(\.name))
    }

    /// `30m`, `2h`, `1h30m`.
    func minutes(_ field: TaskQueryToken.Field, _ text: String, _ range: Range<Int>) throws(TaskQueryError) -> Int {
        var rest = Substring(text.lowercased())
        var total = 0
        var isEmpty = true
        for (unit, size) in [("h", 60), ("m", 1)] as [(Character, Int)] {
            let digits = rest.prefix { $0.isASCII && $0.isWholeNumber }
            guard let count = Int(digits), digits.count <= 6, rest.dropFirst(digits.count).first == unit else {
                continue
            }
            total += count * size
            rest = rest.dropFirst(digits.count + 1)
            isEmpty = false
        }
        guard !isEmpty, rest.isEmpty, total <= TodoTask.Limits.estimate else {
            throw error("estimate takes a time such as 30m, 2h or 1h30m, or none or any, not \(text)", range)
        }
        return total
    }

    func sortKeys(_ field: TaskQueryToken.Field) throws(TaskQueryError) -> [TaskSortKey] {
        var keys: [TaskSortKey] = []
        var start = field.valueRange.lowerBound
        for part in field.value.split(separator: ",", omittingEmptySubsequences: false) {
            let isDescending = part.hasPrefix("-")
            let name = String(isDescending ? part.dropFirst() : part)
            let range = field.isQuoted ? field.valueRange : start..<start + max(1, part.unicodeScalars.count)
            start += part.unicodeScalars.count + 1
            guard let known = TaskSortKey.Field(rawValue: name.lowercased()), field.comparison == .equal else {
                throw wrong(
                    field, value: name.isEmpty ? "an empty key" : name, at: range,
                    names: TaskSortKey.Field.allCases.map(\.rawValue), also: " (with - for descending order)")
            }
            guard !keys.contains(where: { $0.field == known }) else {
                throw error("the list is sorted by \(known.rawValue) twice; keep one", range)
            }
            keys.append(TaskSortKey(known, isDescending: isDescending))
        }
        return keys
    }
}
