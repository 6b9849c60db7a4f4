internal import FoundationEssentials

extension TaskQueryParser {
    private static let fields = [
        "due", "start", "created", "updated", "completed", "priority", "status", "tag", "project", "parent", "estimate",
        "is", "has",
    ]

    func term(_ token: TaskQueryToken) throws(TaskQueryError) -> TaskTerm {
        switch token.kind {
        case .word(let word):
            let isPrefix = word.hasSuffix("*")
            let text = isPrefix ? String(word.dropLast()) : word
            try checkSearchable(text, token)
            return .word(text, isPrefix: isPrefix)
        case .phrase(let text):
            try checkSearchable(text, token)
            return .phrase(text)
        case .field(let field): return try term(field)
        default: throw error("expected a term", token.range)
        }
    }

    private func checkSearchable(_ text: String, _ token: TaskQueryToken) throws(TaskQueryError) {
        if !text.unicodeScalars.contains(where: \.isSearchable) {
            throw error("there is no letter or digit to search for here; take it away", token.range)
        }
    }

    private func term(_ field: TaskQueryToken.Field) throws(TaskQueryError) -> TaskTerm {
        if field.isPrefix, field.name != "tag" {
            let end = field.valueRange.upperBound
            throw error("* after quotes is for tags only; take it away", end..<end + 1)
        }
        if let date = TaskDateField(rawValue: field.name) { return try self.date(date, field) }
        switch field.name {
        case "priority": return .priority(try condition(field, priority))
        case "estimate": return .estimate(try condition(field, minutes))
        case "status", "tag", "project", "parent", "is", "has": return try equality(field)
        default: throw unknownField(field)
        }
    }

    private func unknownField(_ field: TaskQueryToken.Field) -> TaskQueryError {
        let names = Self.fields + ["sort"]
        let advice =
            Spelling.closest(to: field.name, among: names).map { "did you mean \($0)?" }
            ?? "put it in quotes to search for it as text, or take one of \(names.joined(separator: ", "))"
        return error("\(field.name) is not a field; \(advice)", field.nameRange)
    }

    /// The fields that only are or are not something.
    private func equality(_ field: TaskQueryToken.Field) throws(TaskQueryError) -> TaskTerm {
        guard field.comparison == .equal else {
            let sign = field.comparison.rawValue
            throw error(
                "\(field.name) cannot be compared by \(sign); write \(field.name):\(field.value)",
                field.nameRange.upperBound..<field.valueRange.lowerBound)
        }
        switch field.name {
        case "status": return .status(try status(field))
        case "tag": return .tag(tag(field))
        case "project": return .project(project(field))
        case "parent": return .parent(try parent(field))
        case "has":
            return .flag(try choice(field, [("description", .description)]))
        default:
            return .flag(try choice(field, [("subtask", .subtask), ("deleted", .deleted)]))
        }
    }

    private func status(_ field: TaskQueryToken.Field) throws(TaskQueryError) -> TodoTask.Status? {
        let known = TodoTask.Status.allCases.map { ($0.rawValue, Optional($0)) }
        return try choice(field, known + [("any", nil)])
    }

    private func tag(_ field: TaskQueryToken.Field) -> TaskTerm.TagCondition {
        if field.isQuoted { return field.isPrefix ? .prefix(field.value) : .name(field.value) }
        if let condition = Self.presence(field.value) { return condition ? .present : .missing }
        if field.value.hasSuffix("*"), field.value != "*" { return .prefix(String(field.value.dropLast())) }
        return .name(field.value)
    }

    private func project(_ field: TaskQueryToken.Field) -> TaskTerm.ReferenceCondition {
        if field.isQuoted { return .name(field.value) }
        if let condition = Self.presence(field.value) { return condition ? .present : .missing }
        return UUID(uuidString: field.value).map { .id($0) } ?? .name(field.value)
    }

    private func parent(_ field: TaskQueryToken.Field) throws(TaskQueryError) -> TaskTerm.ReferenceCondition {
        if let condition = Self.presence(field.value) { return condition ? .present : .missing }
        if let id = UUID(uuidString: field.value) { return .id(id) }
        throw error("parent takes the id of a task, none or any, not \(field.value)", field.valueRange)
    }

    /// False for `none`, true for `any`.
    static func presence(_ value: String) -> Bool? {
        switch value.lowercased() {
        case "none": false
        case "any": true
        default: nil
        }
    }

    func choice<Value>(
        _ field: TaskQueryToken.Field, _ known: [(name: String, value: Value)]
    ) throws(TaskQueryError) -> Value {
        let value = field.value.lowercased()
        if let match = known.first(where: { $0.name == value }) { return match.value }
        throw wrong(field, value: field.value, at: field.valueRange, names: known.map(\.name))
    }

    /// "priority takes none, low, medium, high or urgent, not hihg; did you mean high?"
    func wrong(
        _ field: TaskQueryToken.Field, value: String, at range: Range<Int>, names: [String], also: String = ""
    ) -> TaskQueryError {
        let advice = Spelling.closest(to: value, among: names).map { "; did you mean \($0)?" } ?? ""
        return error("\(field.name) takes \(Spelling.list(names))\(also), not \(value)\(advice)", range)
    }
}
