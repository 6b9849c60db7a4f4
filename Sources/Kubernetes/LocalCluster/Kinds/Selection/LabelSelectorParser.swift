internal import KubernetesSchema

/// The parser of a label selector's text, with the messages of apimachinery's `labels.Parse`.
struct LabelSelectorParser {
    private enum Token: Equatable {
        case word(String)
        case symbol(String)
        case end

        var text: String {
            switch self {
            case .word(let text), .symbol(let text): text
            case .end: ""
            }
        }
    }

    private var tokens: [Token] = []
    private var position = 0

    init(_ text: String) {
        var scanner = text.unicodeScalars[...]
        let special: Set<Unicode.Scalar> = ["=", "!", "(", ")", ",", ">", "<"]
        while let first = scanner.first {
            if first.properties.isWhitespace {
                scanner.removeFirst()
            } else if special.contains(first) {
                scanner.removeFirst()
                var symbol = String(first)
                if first == "=" || first == "!", scanner.first == "=" {
                    scanner.removeFirst()
                    symbol += "="
                }
                tokens.append(.symbol(symbol))
            } else {
                let word = scanner.prefix { !special.contains($0) && !$0.properties.isWhitespace }
                scanner.removeFirst(word.count)
                tokens.append(.word(String(word)))
            }
        }
    }

    mutating func parse() throws(SelectorError) -> [LabelRequirement] {
        var requirements: [LabelRequirement] = []
        while true {
            switch peek() {
            case .word, .symbol("!"):
                do { requirements.append(try requirement()) } catch {
                    throw SelectorError(message: "unable to parse requirement: \(error.message)")
                }
                switch next() {
                case .end: return requirements
                case .symbol(","):
                    switch peek() {
                    case .word, .symbol("!"): continue
                    default: throw SelectorError(message: "found '\(peek().text)', expected: identifier after ','")
                    }
                case let other: throw SelectorError(message: "found '\(other.text)', expected: ',' or 'end of string'")
                }
            case .end: return requirements
            case let other:
                throw SelectorError(message: "found '\(other.text)', expected: !, identifier, or 'end of string'")
            }
        }
    }

    private func peek() -> Token { position < tokens.count ? tokens[position] : .end }

    private mutating func next() -> Token {
        let token = peek()
        position += 1
        return token
    }

    private mutating func requirement() throws(SelectorError) -> LabelRequirement {
        var isNegated = false
        if peek() == .symbol("!") {
            position += 1
            isNegated = true
        }
        let token = next()
        guard case .word(let key) = token else {
            throw SelectorError(message: "found '\(token.text)', expected: identifier")
        }
        if let fault = Validators.qualifiedName(key).first {
            throw SelectorError(message: "key: Invalid value: \(quoted(key)): \(fault)")
        }
        if isNegated { return LabelRequirement(key: key, .absent) }
        switch peek() {
        case .end, .symbol(","): return LabelRequirement(key: key, .exists)
        default: return LabelRequirement(key: key, try condition(key))
        }
    }

    private mutating func condition(_ key: String) throws(SelectorError) -> LabelRequirement.Condition {
        let operation = next()
        switch operation {
        case .symbol("="), .symbol("=="): return .equals(try value(of: key))
        case .symbol("!="): return .differs(try value(of: key))
        case .symbol(">"): return .above(try bound(of: key))
        case .symbol("<"): return .below(try bound(of: key))
        case .word("in"): return .oneOf(try values(of: key))
        case .word("notin"): return .noneOf(try values(of: key))
        default:
            throw SelectorError(message: "found '\(operation.text)', expected: in, notin, =, ==, !=, gt, lt")
        }
    }

    private mutating func value(of key: String) throws(SelectorError) -> String {
        guard case .word(let value) = peek() else { return "" }
        position += 1
        return try checked(value, of: key)
    }

    private mutating func bound(of key: String) throws(SelectorError) -> Int {
        let text = try value(of: key)
        guard let bound = Int(text) else {
            throw SelectorError(
                message:
                    "values[0][\(key)]: Invalid value: \(quoted(text)): for 'Gt', 'Lt' operators, the value must be an "
                    + "integer"
            )
        }
        return bound
    }

    private mutating func values(of key: String) throws(SelectorError) -> [String] {
        let open = next()
        guard open == .symbol("(") else { throw SelectorError(message: "found '\(open.text)', expected: '('") }
        var values: [String] = []
        var wantsValue = true
        while true {
            let token = next()
            switch token {
            case .word(let value):
                guard wantsValue else { throw SelectorError(message: "found '\(value)', expected: ',' or ')'") }
                values.append(try checked(value, of: key))
                wantsValue = false
            case .symbol(","):
                if wantsValue { values.append("") }
                wantsValue = true
            case .symbol(")"):
                if wantsValue { values.append("") }
                return values
            default: throw SelectorError(message: "found '\(token.text)', expected: ',', ')' or identifier")
            }
        }
    }

    private func checked(_ value: String, of key: String) throws(SelectorError) -> String {
        if let fault = Validators.labelValue(value).first {
            throw SelectorError(message: "values[0][\(key)]: Invalid value: \(quoted(value)): \(fault)")
        }
        return value
    }
}
