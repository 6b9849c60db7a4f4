/// A piece of a query with its place in it.
struct TaskQueryToken {
    enum Kind {
        case open, close, minus, and, or, not
        case word(String)
        case phrase(String)
        case field(Field)
    }

    /// `name:value`, `name<value` and the like.
    struct Field {
        let name: String
        let nameRange: Range<Int>
        let comparison: TaskComparison
        let value: String
        let valueRange: Range<Int>
        /// In quotes, a value is never a keyword.
        let isQuoted: Bool
        /// A quoted value with `*` after the quotes.
        let isPrefix: Bool
    }

    let kind: Kind
    let range: Range<Int>
}

/// Cuts a query into tokens.
struct TaskQueryLexer {
    let text: [Unicode.Scalar]
    private var position = 0

    init(_ query: String) throws(TaskQueryError) {
        // A text that is much too long is not even copied whole.
        text = Array(query.unicodeScalars.prefix(TaskQuery.lengthLimit + 1))
        if text.count > TaskQuery.lengthLimit {
            throw error(
                "the query is too long: at most \(TaskQuery.lengthLimit) characters are allowed",
                TaskQuery.lengthLimit..<text.count)
        }
        for (index, scalar) in text.enumerated() where scalar.isControl && !scalar.properties.isWhitespace {
            throw error("the query must not contain control characters", index..<index + 1)
        }
    }

    func error(_ message: String, _ range: Range<Int>) -> TaskQueryError {
        TaskQueryError(message, at: range, of: text)
    }

    /// Nil at the end.
    mutating func next() throws(TaskQueryError) -> TaskQueryToken? {
        while let scalar = current, scalar.properties.isWhitespace { position += 1 }
        guard let first = current else { return nil }
        let start = position
        switch first {
        case "(", ")", "-":
            position += 1
            return TaskQueryToken(kind: first == "(" ? .open : first == ")" ? .close : .minus, range: start..<position)
        case "\"":
            let phrase = try quoted()
            return TaskQueryToken(kind: .phrase(phrase), range: start..<position)
        default:
            if let field = try field() { return TaskQueryToken(kind: .field(field), range: start..<position) }
            let word = bare()
            return TaskQueryToken(kind: TaskQueryToken.Kind(word: word), range: start..<position)
        }
    }

    private var current: Unicode.Scalar? { position < text.count ? text[position] : nil }

    /// A name and a comparison make a field; anything else is a word of the text to be found.
    private mutating func field() throws(TaskQueryError) -> TaskQueryToken.Field? {
        let start = position
        var end = start
        while end < text.count, text[end].isASCIILetter { end += 1 }
        guard end > start, end < text.count, ":<>=".unicodeScalars.contains(text[end]) else { return nil }
        position = end
        if current == ":" { position += 1 }
        let comparison = self.comparison() ?? .equal
        let valueStart = position
        let isQuoted = current == "\""
        let value = isQuoted ? try quoted() : bare()
        let valueEnd = position
        let isPrefix = isQuoted && current == "*"
        if isPrefix { position += 1 }
        let name = string(start..<end).lowercased()
        if value.isEmpty {
            throw error("\(name) needs a value right after it", start..<max(position, valueStart))
        }
        return TaskQueryToken.Field(
            name: name, nameRange: start..<end, comparison: comparison, value: value,
            valueRange: valueStart..<valueEnd, isQuoted: isQuoted, isPrefix: isPrefix)
    }

    private mutating func comparison() -> TaskComparison? {
        let two = string(position..<min(position + 2, text.count))
        guard let found = TaskComparison(rawValue: two) ?? current.flatMap({ TaskComparison(rawValue: String($0)) })
        else { return nil }
        position += found.rawValue.utf8.count
        return found
    }

    /// Up to white space, a parenthesis or a quote.
    private mutating func bare() -> String {
        let start = position
        while let scalar = current, !scalar.properties.isWhitespace, !"()\"".unicodeScalars.contains(scalar) {
            position += 1
        }
        return string(start..<position)
    }

    /// Text in quotes; a backslash takes the character after it as it is.
    private mutating func quoted() throws(TaskQueryError) -> String {
        let start = position
        var content = String.UnicodeScalarView()
        position += 1
        while let scalar = current {
            position += 1
            if scalar == "\"" { return String(content) }
            if scalar == "\\", let escaped = current {
                content.append(escaped)
                position += 1
            } else {
                content.append(scalar)
            }
        }
        throw error("the quote is not closed; put \" at its end", start..<text.count)
    }

    private func string(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text[range])
        return String(view)
    }
}

extension TaskQueryToken.Kind {
    init(word: String) {
        switch word.lowercased() {
        case "and": self = .and
        case "or": self = .or
        case "not": self = .not
        default: self = .word(word)
        }
    }
}

extension Unicode.Scalar {
    var isControl: Bool { properties.generalCategory == .control }
    var isASCIILetter: Bool { isASCII && properties.isAlphabetic }
    /// Full text search sees nothing else.
    var isSearchable: Bool { properties.isAlphabetic || properties.numericType != nil }
}
