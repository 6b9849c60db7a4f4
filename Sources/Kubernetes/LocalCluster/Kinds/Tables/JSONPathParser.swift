internal import StructuredData

/// Reads a JSONPath; total on any text.
struct JSONPathParser {
    private var rest: Substring

    init(_ text: String) {
        rest = text[...]
        if rest.first == "{", rest.last == "}" { rest = rest.dropFirst().dropLast() }
        if rest.first == "$" { rest.removeFirst() }
    }

    /// The steps of the whole text; nil when it is not a path.
    mutating func parseAll() -> [JSONPathExpression.Step]? {
        guard let steps = steps(), rest.isEmpty else { return nil }
        return steps
    }

    private mutating func steps() -> [JSONPathExpression.Step]? {
        var steps: [JSONPathExpression.Step] = []
        while let first = rest.first {
            if first == "[" {
                rest.removeFirst()
                guard let step = bracket() else { return nil }
                steps.append(step)
            } else if first == "." {
                rest.removeFirst()
                if rest.first == "." {
                    rest.removeFirst()
                    steps.append(.descend)
                }
                if rest.isEmpty || rest.first == "[" { continue }
                guard let name = name() else { return nil }
                steps.append(name == "*" ? .all : .member(name))
            } else {
                break
            }
        }
        return steps
    }

    private mutating func name() -> String? {
        var name = ""
        while let character = rest.first, !".[]()=!<>&| ".contains(character) {
            rest.removeFirst()
            if character == "\\" {
                guard let escaped = rest.popFirst() else { return nil }
                name.append(escaped)
            } else {
                name.append(character)
            }
        }
        return name.isEmpty ? nil : name
    }

    private mutating func bracket() -> JSONPathExpression.Step? {
        switch rest.first {
        case "*":
            rest.removeFirst()
            return close(.all)
        case "'", "\"":
            guard let name = quotedText() else { return nil }
            return close(.member(name))
        case "?":
            rest.removeFirst()
            guard rest.popFirst() == "(", let filter = filter(), rest.popFirst() == ")" else { return nil }
            return close(.filter(filter))
        default:
            let from = integer()
            guard rest.first == ":" else { return from.flatMap { close(.element($0)) } }
            rest.removeFirst()
            return close(.slice(from: from, to: integer()))
        }
    }

    private mutating func close(_ step: JSONPathExpression.Step) -> JSONPathExpression.Step? {
        rest.popFirst() == "]" ? step : nil
    }

    private mutating func integer() -> Int? {
        let digits = rest.prefix { $0 == "-" || $0.isASCII && $0.isNumber }
        rest.removeFirst(digits.count)
        return Int(digits)
    }

    private mutating func quotedText() -> String? {
        guard let quote = rest.popFirst() else { return nil }
        var text = ""
        while let character = rest.popFirst() {
            if character == quote { return text }
            if character == "\\" {
                guard let escaped = rest.popFirst() else { return nil }
                text.append(escaped)
            } else {
                text.append(character)
            }
        }
        return nil
    }

    private mutating func filter() -> JSONPathExpression.Filter? {
        guard let left = operand() else { return nil }
        skipSpaces()
        if rest.first == ")" { return JSONPathExpression.Filter(left: left, comparison: nil) }
        for symbol in ["==", "!=", "<=", ">=", "<", ">"] where rest.hasPrefix(symbol) {
            rest.removeFirst(symbol.count)
            guard let right = operand() else { return nil }
            skipSpaces()
            return JSONPathExpression.Filter(
                left: left, comparison: JSONPathExpression.Comparison(symbol: symbol, right: right))
        }
        return nil
    }

    private mutating func operand() -> JSONPathExpression.Operand? {
        skipSpaces()
        switch rest.first {
        case "@":
            rest.removeFirst()
            guard let steps = steps() else { return nil }
            return .path(JSONPathExpression(text: "@", steps: steps))
        case "'", "\"": return quotedText().map { .literal(.string($0)) }
        default:
            let word = rest.prefix { !") =!<>".contains($0) }
            rest.removeFirst(word.count)
            switch word {
            case "true": return .literal(true)
            case "false": return .literal(false)
            default: return JSONNumber(text: String(word)).map { .literal(.number($0)) }
            }
        }
    }

    private mutating func skipSpaces() { rest = rest.drop { $0 == " " } }
}
