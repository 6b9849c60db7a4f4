/// Parses CEL (github.com/google/cel-spec, with optional syntax and the macros that Kubernetes enables).
struct CELParser {
    private static let reserved: Set<String> = [
        "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
        "package", "namespace", "null", "return", "true", "var", "void", "while",
    ]
    static let maximumLength = 100_000

    private let tokens: [(token: CELLexer.Token, offset: Int)]
    private var position = 0
    private var depth = 0

    static func parse(_ source: String) throws(CELError) -> CELNode {
        guard source.utf8.count <= maximumLength else {
            throw CELError(kind: .syntax, message: "expression is too long")
        }
        var parser = CELParser(tokens: try CELLexer.tokens(of: source))
        let node = try parser.expression()
        guard parser.token == .end else { throw parser.unexpected() }
        return node
    }

    private init(tokens: [(token: CELLexer.Token, offset: Int)]) {
        self.tokens = tokens
    }

    private var token: CELLexer.Token { tokens[position].token }
    private var offset: Int { tokens[position].offset }

    private mutating func advance() {
        if position < tokens.count - 1 { position += 1 }
    }

    private mutating func take(_ symbol: String) -> Bool {
        guard token == .symbol(symbol) else { return false }
        advance()
        return true
    }

    private mutating func expect(_ symbol: String) throws(CELError) {
        guard take(symbol) else { throw unexpected() }
    }

    private func unexpected() -> CELError {
        let text: String =
            switch token {
            case .end: "<EOF>"
            case .identifier(let name): name
            case .symbol(let symbol): symbol
            default: "literal"
            }
        return CELError(kind: .syntax, message: "Syntax error: mismatched input '\(text)'", offset: offset)
    }

    private func node(_ kind: CELNode.Kind, at offset: Int, _ children: [CELNode]) throws(CELError) -> CELNode {
        let node = CELNode(kind, at: offset, children: children)
        guard node.depth <= CELNode.maximumDepth else {
            throw CELError(kind: .syntax, message: "expression nests too deeply", offset: offset)
        }
        return node
    }

    private mutating func expression() throws(CELError) -> CELNode {
        depth += 1
        defer { depth -= 1 }
        guard depth < CELNode.maximumDepth else {
            throw CELError(kind: .syntax, message: "expression recursion limit exceeded: 250", offset: offset)
        }
        let condition = try logical(isAnd: false)
        let place = offset
        guard take("?") else { return condition }
        let then = try logical(isAnd: false)
        try expect(":")
        let otherwise = try expression()
        return try node(
            .conditional(condition, then: then, otherwise: otherwise), at: place, [condition, then, otherwise])
    }

    private mutating func logical(isAnd: Bool) throws(CELError) -> CELNode {
        let place = offset
        var operands = [isAnd ? try relation() : try logical(isAnd: true)]
        while take(isAnd ? "&&" : "||") { operands.append(isAnd ? try relation() : try logical(isAnd: true)) }
        return operands.count == 1 ? operands[0] : try node(.logical(isAnd: isAnd, operands), at: place, operands)
    }

    private mutating func relation() throws(CELError) -> CELNode {
        var left = try sum()
        while true {
            let place = offset
            var name: String?
            for symbol in ["<=", ">=", "==", "!=", "<", ">"] where name == nil {
                if take(symbol) { name = "_\(symbol)_" }
            }
            if name == nil, token == .identifier("in") {
                advance()
                name = "@in"
            }
            guard let name else { return left }
            let right = try sum()
            left = try node(.call(target: nil, name, [left, right]), at: place, [left, right])
        }
    }

    private mutating func sum() throws(CELError) -> CELNode {
        var left = try product()
        while true {
            let place = offset
            guard let symbol = ["+", "-"].first(where: { token == .symbol($0) }) else { return left }
            advance()
            let right = try product()
            left = try node(.call(target: nil, "_\(symbol)_", [left, right]), at: place, [left, right])
        }
    }

    private mutating func product() throws(CELError) -> CELNode {
        var left = try unary()
        while true {
            let place = offset
            guard let symbol = ["*", "/", "%"].first(where: { token == .symbol($0) }) else { return left }
            advance()
            let right = try unary()
            left = try node(.call(target: nil, "_\(symbol)_", [left, right]), at: place, [left, right])
        }
    }

    private mutating func unary() throws(CELError) -> CELNode {
        let place = offset
        guard let symbol = ["!", "-"].first(where: { token == .symbol($0) }) else { return try member() }
        var count = 0
        while take(symbol) { count += 1 }
        if symbol == "-", count == 1 {
            switch token {
            case .intMinMagnitude:
                advance()
                return CELNode(.literal(.int(.min)), at: place)
            case .int(let value):
                advance()
                return try suffixes(of: CELNode(.literal(.int(-value)), at: place))
            case .double(let value):
                advance()
                return try suffixes(of: CELNode(.literal(.double(-value)), at: place))
            default: break
            }
        }
        let operand = try member()
        guard count % 2 == 1 else { return operand }
        return try node(.call(target: nil, symbol == "!" ? "!_" : "-_", [operand]), at: place, [operand])
    }

    private mutating func member() throws(CELError) -> CELNode {
        try suffixes(of: try primary())
    }

    private mutating func suffixes(of start: CELNode) throws(CELError) -> CELNode {
        var target = start
        while true {
            let place = offset
            if take(".") {
                let isOptional = take("?")
                guard case .identifier(let name) = token else { throw unexpected() }
                let namePlace = offset
                advance()
                if !isOptional, take("(") {
                    let arguments = try arguments(until: ")")
                    target = try call(target, name, arguments, at: namePlace)
                } else {
                    target = try node(
                        .select(target, name, isTest: false, isOptional: isOptional), at: place, [target])
                }
            } else if take("[") {
                let name = take("?") ? "_[?_]" : "_[_]"
                let index = try expression()
                try expect("]")
                target = try node(.call(target: nil, name, [target, index]), at: place, [target, index])
            } else if token == .symbol("{") {
                throw CELError(kind: .type, message: "undeclared reference to a message type", offset: place)
            } else {
                return target
            }
        }
    }

    private mutating func arguments(until end: String) throws(CELError) -> [CELNode] {
        var arguments: [CELNode] = []
        if take(end) { return arguments }
        repeat { arguments.append(try expression()) } while take(",")
        try expect(end)
        return arguments
    }

    private mutating func primary() throws(CELError) -> CELNode {
        let place = offset
        let token = token
        switch token {
        case .int(let value): return literal(.int(value))
        case .uint(let value): return literal(.uint(value))
        case .double(let value): return literal(.double(value))
        case .string(let value): return literal(.string(value))
        case .bytes(let value): return literal(.bytes(value))
        case .identifier("true"): return literal(.bool(true))
        case .identifier("false"): return literal(.bool(false))
        case .identifier("null"): return literal(.null)
        case .identifier(let name):
            guard !Self.reserved.contains(name) else { throw unexpected() }
            advance()
            if take("(") { return try call(nil, name, try arguments(until: ")"), at: place) }
            return CELNode(.identifier(name), at: place)
        case .symbol("("):
            advance()
            let inner = try expression()
            try expect(")")
            return inner
        case .symbol("["):
            advance()
            return try list(at: place)
        case .symbol("{"):
            advance()
            return try map(at: place)
        case .symbol("."):
            advance()
            return try primary()
        default: throw unexpected()
        }
    }

    private mutating func literal(_ value: CELValue) -> CELNode {
        let node = CELNode(.literal(value), at: offset)
        advance()
        return node
    }

    private mutating func list(at place: Int) throws(CELError) -> CELNode {
        var elements: [(element: CELNode, isOptional: Bool)] = []
        while !take("]") {
            let isOptional = take("?")
            elements.append((try expression(), isOptional))
            if !take(",") {
                try expect("]")
                break
            }
        }
        return try node(.list(elements), at: place, elements.map(\.element))
    }

    private mutating func map(at place: Int) throws(CELError) -> CELNode {
        var members: [(key: CELNode, value: CELNode, isOptional: Bool)] = []
        while !take("}") {
            let isOptional = take("?")
            let key = try expression()
            try expect(":")
            members.append((key, try expression(), isOptional))
            if !take(",") {
                try expect("}")
                break
            }
        }
        return try node(.map(members), at: place, members.flatMap { [$0.key, $0.value] })
    }
}

extension CELParser {
    /// A call, or the macro that has its name and form.
    private func call(
        _ target: CELNode?, _ name: String, _ arguments: [CELNode], at place: Int
    ) throws(CELError) -> CELNode {
        let children = [target].compactMap(\.self) + arguments
        if target == nil, name == "has" {
            guard arguments.count == 1, case .select(let operand, let field, false, let isOptional) = arguments[0].kind
            else { throw CELError(kind: .type, message: "invalid argument to has() macro", offset: place) }
            return try node(.select(operand, field, isTest: true, isOptional: isOptional), at: place, [operand])
        }
        guard let target else { return try node(.call(target: nil, name, arguments), at: place, children) }
        if case .identifier("cel") = target.kind, name == "bind", arguments.count == 3 {
            let variable = try variable(arguments[0])
            return try node(.bind(variable, value: arguments[1], body: arguments[2]), at: place, children)
        }
        if let (macro, variableCount) = Self.macro(name, argumentCount: arguments.count) {
            var variables: [String] = []
            for argument in arguments.prefix(variableCount) { variables.append(try variable(argument)) }
            let bodies = Array(arguments.dropFirst(variableCount))
            return try node(
                .comprehension(macro, range: target, variables: variables, bodies: bodies), at: place, children)
        }
        return try node(.call(target: target, name, arguments), at: place, children)
    }

    private func variable(_ node: CELNode) throws(CELError) -> String {
        if case .identifier(let name) = node.kind { return name }
        throw CELError(kind: .type, message: "argument must be a simple name", offset: node.offset)
    }

    /// The macro that a member call is, and how many of its arguments name variables.
    private static func macro(_ name: String, argumentCount: Int) -> (CELMacro, Int)? {
        switch (name, argumentCount) {
        case ("all", 2): (.all, 1)
        case ("all", 3): (.all, 2)
        case ("exists", 2): (.exists, 1)
        case ("exists", 3): (.exists, 2)
        case ("exists_one", 2), ("existsOne", 2): (.existsOne, 1)
        case ("exists_one", 3), ("existsOne", 3): (.existsOne, 2)
        case ("filter", 2): (.filter, 1)
        case ("map", 2), ("map", 3): (.map, 1)
        case ("transformList", 3), ("transformList", 4): (.transformList, 2)
        case ("transformMap", 3), ("transformMap", 4): (.transformMap, 2)
        case ("transformMapEntry", 3), ("transformMapEntry", 4): (.transformMapEntry, 2)
        case ("optMap", 2): (.optMap, 1)
        case ("optFlatMap", 2): (.optFlatMap, 1)
        case ("sortBy", 2): (.sortBy, 1)
        default: nil
        }
    }
}
