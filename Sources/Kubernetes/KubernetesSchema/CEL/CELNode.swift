/// An expression of the Common Expression Language, as parsed.
struct CELNode: Sendable {
    indirect enum Kind: Sendable {
        case literal(CELValue)
        case identifier(String)
        /// `target.field`, or `has(target.field)` when `isTest`, or `target.?field` when `isOptional`.
        case select(CELNode, String, isTest: Bool, isOptional: Bool)
        /// `target.name(arguments)` or `name(arguments)`; operators are calls too: `_+_`, `!_`, `_[_]`.
        case call(target: CELNode?, String, [CELNode])
        /// `a && b && …` or `a || b || …`, as many as stand in a row.
        case logical(isAnd: Bool, [CELNode])
        case conditional(CELNode, then: CELNode, otherwise: CELNode)
        case list([(element: CELNode, isOptional: Bool)])
        case map([(key: CELNode, value: CELNode, isOptional: Bool)])
        case comprehension(CELMacro, range: CELNode, variables: [String], bodies: [CELNode])
        /// `cel.bind(name, value, body)`, and what `optMap` needs.
        case bind(String, value: CELNode, body: CELNode)
    }

    let kind: Kind
    /// Where it stands in the source, in Unicode scalars.
    let offset: Int
    /// How deep the tree below it is; bounded, so that walking it cannot exhaust the stack.
    let depth: Int

    static let maximumDepth = 250

    init(_ kind: Kind, at offset: Int, children: [CELNode] = []) {
        self.kind = kind
        self.offset = offset
        depth = (children.map(\.depth).max() ?? 0) + 1
    }
}

/// The macros over lists and maps; each has a form with one variable and one with two (index and element, or key and
/// value).
enum CELMacro: String, Sendable {
    case all, exists, existsOne, filter, map, transformList, transformMap, transformMapEntry
    case optMap, optFlatMap, sortBy
}

/// Why an expression does not compile or cannot be evaluated.
struct CELError: Error, Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case syntax, type, evaluation, budget
    }

    let kind: Kind
    let message: String
    /// Where in the source, in Unicode scalars; meaningful for what does not compile.
    var offset = 0

    static func evaluation(_ message: String) -> CELError { CELError(kind: .evaluation, message: message) }
    static let noSuchOverload = CELError.evaluation("no such overload")
    static func noSuchKey(_ key: String) -> CELError { .evaluation("no such key: \(key)") }

    /// The message with its place in the source, as cel-go prints it.
    func description(in source: String) -> String {
        let scalars = Array(source.unicodeScalars)
        let place = min(offset, scalars.count)
        let lineStart = scalars[..<place].lastIndex(of: "\n").map { $0 + 1 } ?? 0
        let lineEnd = scalars[lineStart...].firstIndex(of: "\n") ?? scalars.count
        let line = scalars[..<lineStart].count { $0 == "\n" } + 1
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[lineStart..<lineEnd])
        let column = place - lineStart
        let marker = String(repeating: ".", count: column) + "^"
        return "ERROR: <input>:\(line):\(column + 1): \(message)\n | \(String(text))\n | \(marker)"
    }
}
