internal import FoundationEssentials

extension TaskQuery: CustomStringConvertible {
    /// The query in its canonical form: what the parser made of a text, it makes of this again.
    public var description: String {
        var parts: [String] = []
        if filter != .everything { parts.append(filter.text) }
        if !sort.isEmpty {
            let keys = sort.map { ($0.isDescending ? "-" : "") + $0.field.rawValue }
            parts.append("sort:" + keys.joined(separator: ","))
        }
        // A sort after `a or b` belongs to the whole list all the same.
        return parts.joined(separator: " ")
    }
}

extension TaskFilter {
    fileprivate var text: String {
        switch self {
        case .all(let parts):
            parts.map { part in if case .any = part { "(\(part.text))" } else { part.text } }.joined(separator: " ")
        case .any(let parts): parts.map(\.text).joined(separator: " or ")
        case .not(.term(let term)): "-" + term.text
        case .not(let part): "-(\(part.text))"
        case .term(let term): term.text
        }
    }
}

extension TaskTerm {
    fileprivate var text: String {
        switch self {
        case .word(let word, let isPrefix): word + (isPrefix ? "*" : "")
        case .phrase(let phrase): Self.quoted(phrase)
        case .date(let field, let condition): condition.text(of: field.rawValue, \.text)
        case .overdue: "due:overdue"
        case .priority(let condition): condition.text(of: "priority", \.name)
        case .status(let status): "status:\(status?.rawValue ?? "any")"
        case .tag(let condition): "tag:\(condition.text)"
        case .project(let condition): "project:\(condition.text)"
        case .parent(let condition): "parent:\(condition.text)"
        case .estimate(let condition): condition.text(of: "estimate", Self.time)
        case .flag(.subtask): "is:subtask"
        case .flag(.deleted): "is:deleted"
        case .flag(.description): "has:description"
        }
    }

    fileprivate static func quoted(_ text: String) -> String {
        var quoted = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted.append("\\") }
            quoted.append(scalar)
        }
        quoted.append("\"")
        return String(quoted)
    }

    /// Letters, digits and a few signs stand by themselves; a name that says something else by itself does not.
    fileprivate static func value(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { $0.isSearchable || $0 == "-" || $0 == "_" || $0 == "/" }
        let isKeyword = TaskQueryParser.presence(text) != nil || UUID(uuidString: text) != nil
        return isPlain && !isKeyword ? text : quoted(text)
    }

    private static func time(_ minutes: Int) -> String {
        let (hours, rest) = minutes.quotientAndRemainder(dividingBy: 60)
        return (hours > 0 ? "\(hours)h" : "") + (rest > 0 || hours == 0 ? "\(rest)m" : "")
    }
}

extension TaskCondition {
    fileprivate func text(of field: String, _ text: (Value) -> String) -> String {
        switch self {
        case .missing: "\(field):none"
        case .present: "\(field):any"
        case .compared(.equal, let value): "\(field):\(text(value))"
        case .compared(let comparison, let value): "\(field)\(comparison.rawValue)\(text(value))"
        case .between(let first, let last): "\(field):\(text(first))..\(text(last))"
        }
    }
}

extension TaskTerm.TagCondition {
    fileprivate var text: String {
        switch self {
        case .missing: "none"
        case .present: "any"
        case .name(let name): TaskTerm.value(name)
        case .prefix(let prefix): TaskTerm.value(prefix) + "*"
        }
    }
}

extension TaskTerm.ReferenceCondition {
    fileprivate var text: String {
        switch self {
        case .missing: "none"
        case .present: "any"
        case .name(let name): TaskTerm.value(name)
        case .id(let id): id.uuidString.lowercased()
        }
    }
}

extension TaskDate {
    fileprivate var text: String {
        switch self {
        case .day(let day): day.text
        case .shifted(0, .day): "today"
        case .shifted(1, .day): "tomorrow"
        case .shifted(-1, .day): "yesterday"
        case .shifted(let amount, let unit): (amount < 0 ? "" : "+") + "\(amount)\(unit.rawValue)"
        case .weekday(let weekday): weekday.name
        case .current(let period): period.rawValue
        case .now: "now"
        }
    }
}
