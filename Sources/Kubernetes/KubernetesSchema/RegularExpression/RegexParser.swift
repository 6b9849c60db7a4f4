/// Reads RE2's syntax into a tree.
struct RegexParser {
    typealias SyntaxError = RegularExpression.SyntaxError

    struct Flags {
        var ignoresCase = false
        var isMultiline = false
        var dotMatchesNewline = false
        var isUngreedy = false
    }

    static let maximumRepeat = 1000
    static let maximumDepth = 250

    let scalars: [Unicode.Scalar]
    var position = 0
    var flags = Flags()
    var depth = 0

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
    }

    mutating func parse() throws(SyntaxError) -> RegexNode {
        let node = try parseChoice()
        if position < scalars.count { throw SyntaxError(message: "unexpected ): `\(text(0..<scalars.count))`") }
        return node
    }

    var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard scalars[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    func text(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return String(view)
    }

    private mutating func parseChoice() throws(SyntaxError) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw SyntaxError(message: "expression nests too deeply") }
        var alternatives = [try parseSequence()]
        while take("|") { alternatives.append(try parseSequence()) }
        return alternatives.count == 1 ? alternatives[0] : .choice(alternatives)
    }

    private mutating func parseSequence() throws(SyntaxError) -> RegexNode {
        var nodes: [RegexNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            if take("\\Q") {
                while position < scalars.count, !take("\\E") {
                    nodes.append(literal(scalars[position]))
                    position += 1
                }
                continue
            }
            let start = position
            guard let atom = try parseAtom() else { continue }
            nodes.append(try parseRepetition(of: atom, from: start))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    /// Nil for what sets flags only: `(?i)`.
    private mutating func parseAtom() throws(SyntaxError) -> RegexNode? {
        let start = position
        let scalar = scalars[position]
        position += 1
        switch scalar {
        case "(": return try parseGroup()
        case "[": return .set(try parseBracket(from: start))
        case ".":
            return .set(flags.dotMatchesNewline ? RegexSet(isNegated: true) : RegexSet([10...10], isNegated: true))
        case "^": return .assertion(flags.isMultiline ? .lineStart : .textStart)
        case "$": return .assertion(flags.isMultiline ? .lineEnd : .textEnd)
        case "\\": return try parseEscape(from: start)
        case "*", "+", "?":
            throw SyntaxError(message: "missing argument to repetition operator: `\(scalar)`")
        default: return literal(scalar)
        }
    }

    func literal(_ scalar: Unicode.Scalar) -> RegexNode {
        let set = RegexSet([scalar.value...scalar.value])
        return .set(flags.ignoresCase ? set.foldingCase() : set)
    }

    private mutating func parseGroup() throws(SyntaxError) -> RegexNode? {
        let outer = flags
        let start = position - 1
        if take("?P<") || take("?<") {
            let nameStart = position
            while let scalar = next,
                scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            {
                position += 1
            }
            guard position > nameStart, take(">") else {
                let end = min(scalars.count, position + 1)
                throw SyntaxError(message: "invalid named capture: `\(text(start..<end))`")
            }
        } else if take("?") {
            if try parseFlags(from: start) { return nil }
        }
        let node = try parseChoice()
        guard take(")") else { throw SyntaxError(message: "missing closing ): `\(text(0..<scalars.count))`") }
        flags = outer
        return node
    }

    /// Reads `i-s)` or `i-s:`; true when the flags hold for the rest of the enclosing group.
    private mutating func parseFlags(from start: Int) throws(SyntaxError) -> Bool {
        var isOn = true
        while let scalar = next {
            position += 1
            switch scalar {
            case "i": flags.ignoresCase = isOn
            case "m": flags.isMultiline = isOn
            case "s": flags.dotMatchesNewline = isOn
            case "U": flags.isUngreedy = isOn
            case "-" where isOn: isOn = false
            case ":": return false
            case ")": return true
            default:
                throw SyntaxError(message: "invalid or unsupported Perl syntax: `\(text(start..<position))`")
            }
        }
        throw SyntaxError(message: "missing closing ): `\(text(0..<scalars.count))`")
    }

    private mutating func parseRepetition(of atom: RegexNode, from start: Int) throws(SyntaxError) -> RegexNode {
        guard let (minimum, maximum) = try parseCount() else { return atom }
        let isGreedy = take("?") == flags.isUngreedy
        if let scalar = next, scalar == "*" || scalar == "+" || scalar == "?" {
            let operators = text(position - 1..<position + 1)
            throw SyntaxError(message: "invalid nested repetition operator: `\(operators)`")
        }
        return .repetition(atom, minimum: minimum, maximum: maximum, isGreedy: isGreedy)
    }

    private mutating func parseCount() throws(SyntaxError) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard next == "{" else { return nil }
        let start = position
        position += 1
        guard let minimum = parseNumber() else {
            position = start
            return nil
        }
        var maximum: Int? = minimum
        if take(",") { maximum = parseNumber() }
        guard take("}") else {
            position = start
            return nil
        }
        let isTooMany = minimum > Self.maximumRepeat || (maximum ?? 0) > Self.maximumRepeat
        if isTooMany || maximum.map({ $0 < minimum }) == true {
            throw SyntaxError(message: "invalid repeat count: `\(text(start..<position))`")
        }
        return (minimum, maximum)
    }

    private mutating func parseNumber() -> Int? {
        var value: Int?
        while let scalar = next, ("0"..."9").contains(scalar) {
            value = min((value ?? 0) * 10 + Int(scalar.value - 48), 1_000_000)
            position += 1
        }
        return value
    }
}
