/// Computes an expression. Every step is paid for, so that no expression and no object can make it run for long.
struct CELEvaluator {
    private(set) var budget: Int
    private var variables: [(name: String, value: CELValue)]
    let patterns: [String: RegularExpression]

    init(variables: [(name: String, value: CELValue)], budget: Int, patterns: [String: RegularExpression]) {
        self.variables = variables
        self.budget = budget
        self.patterns = patterns
    }

    mutating func pay(_ cost: Int) throws(CELError) {
        budget -= max(cost, 0)
        if budget < 0 {
            throw CELError(kind: .budget, message: "operation cancelled: actual cost limit exceeded")
        }
    }

    mutating func evaluate(_ node: CELNode) throws(CELError) -> CELValue {
        try pay(1)
        switch node.kind {
        case .literal(let value): return value
        case .identifier(let name): return try variable(name)
        case .select(let target, let field, let isTest, let isOptional):
            let value = try evaluate(target)
            return try select(field, of: value, isTest: isTest, isOptional: isOptional)
        case .call(let target, let name, let arguments): return try call(target, name, arguments)
        case .logical(let isAnd, let operands): return try logical(isAnd: isAnd, operands)
        case .conditional(let condition, let then, let otherwise):
            return try evaluate(bool(of: condition) ? then : otherwise)
        case .list(let elements): return try list(elements)
        case .map(let members): return try map(members)
        case .comprehension(let macro, let range, let names, let bodies):
            return try comprehension(macro, try evaluate(range), names, bodies)
        case .bind(let name, let value, let body):
            return try with([(name, try evaluate(value))], body)
        }
    }

    private func variable(_ name: String) throws(CELError) -> CELValue {
        if let variable = variables.last(where: { $0.name == name }) { return variable.value }
        return .type(name)
    }

    /// The body's value with further variables in scope.
    mutating func with(_ scope: [(String, CELValue)], _ body: CELNode) throws(CELError) -> CELValue {
        for (name, value) in scope { variables.append((name, value)) }
        defer { variables.removeLast(scope.count) }
        return try evaluate(body)
    }

    mutating func bool(of node: CELNode) throws(CELError) -> Bool {
        guard case .bool(let value) = try evaluate(node) else { throw .noSuchOverload }
        return value
    }

    private func select(
        _ field: String, of target: CELValue, isTest: Bool, isOptional: Bool
    ) throws(CELError) -> CELValue {
        switch target {
        case .map(let map):
            let value = map.member(field)
            if isTest { return .bool(value != nil) }
            if isOptional { return .optional(value) }
            guard let value else { throw .noSuchKey(field) }
            return value
        case .optional(let inner):
            guard let inner else { return isTest ? .bool(false) : .optional(nil) }
            let value = try select(field, of: inner, isTest: isTest, isOptional: true)
            return value
        default: throw .noSuchOverload
        }
    }

    /// One operand that decides is enough: an error in another does not count then.
    private mutating func logical(isAnd: Bool, _ operands: [CELNode]) throws(CELError) -> CELValue {
        var failure: CELError?
        for operand in operands {
            do {
                if try bool(of: operand) != isAnd { return .bool(!isAnd) }
            } catch {
                if error.kind == .budget { throw error }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return .bool(isAnd)
    }

    private mutating func list(_ elements: [(element: CELNode, isOptional: Bool)]) throws(CELError) -> CELValue {
        var values: [CELValue] = []
        for (element, isOptional) in elements {
            let value = try evaluate(element)
            if isOptional {
                guard case .optional(let inner) = value else { throw .noSuchOverload }
                if let inner { values.append(inner) }
            } else {
                values.append(value)
            }
        }
        return .list(CELList(values))
    }

    private mutating func map(
        _ members: [(key: CELNode, value: CELNode, isOptional: Bool)]
    ) throws(CELError) -> CELValue {
        var result: [(key: CELValue, value: CELValue)] = []
        for member in members {
            let key = try evaluate(member.key)
            var value = try evaluate(member.value)
            if member.isOptional {
                guard case .optional(let inner) = value else { throw .noSuchOverload }
                guard let inner else { continue }
                value = inner
            }
            try pay(result.count)
            guard !result.contains(where: { $0.key.equals(key) }) else {
                throw .evaluation("Failed with repeated key")
            }
            result.append((key, value))
        }
        return .map(CELMap(result))
    }

    private mutating func call(
        _ target: CELNode?, _ name: String, _ arguments: [CELNode]
    ) throws(CELError) -> CELValue {
        var fullName = name
        var values: [CELValue] = []
        var isMember = false
        if let target {
            if let namespace = target.namespace(of: name), !variables.contains(where: { $0.name == namespace }) {
                fullName = "\(namespace).\(name)"
            } else {
                values.append(try evaluate(target))
                isMember = true
            }
        }
        for argument in arguments { values.append(try evaluate(argument)) }
        for value in values { try pay(value.size / 8) }
        return try apply(fullName, values, isMember: isMember)
    }
}
