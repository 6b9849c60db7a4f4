/// Finds what cannot work in an expression before it runs: names and fields that are not there, functions that do not
/// take what they are given. Where a type is not known (`dyn`) it lets everything pass.
struct CELChecker {
    private static let typeNames: [String: String] = [
        "bool": "bool", "int": "int", "uint": "uint", "double": "double", "string": "string", "bytes": "bytes",
        "list": "list", "map": "map", "null_type": "null_type", "type": "type",
    ]

    /// What takes the same operands as `<`.
    private static let comparisons: Set<String> = ["_<=_", "_>_", "_>=_"]

    private var variables: [(name: String, type: CELType)]
    /// The variables of the outermost scope that the expression refers to.
    private(set) var used: Set<String> = []
    /// Regular expressions that stand in the expression, ready to use.
    private(set) var patterns: [String: RegularExpression] = [:]
    private let outermost: Int

    init(variables: [(name: String, type: CELType)]) {
        self.variables = variables
        outermost = variables.count
    }

    mutating func type(of node: CELNode) throws(CELError) -> CELType {
        switch node.kind {
        case .literal(let value): return .named(value.typeName)
        case .identifier(let name): return try type(ofVariable: name, at: node)
        case .select(let target, let field, let isTest, let isOptional):
            let result = try type(ofMember: field, of: type(of: target), at: node)
            if isTest { return .bool }
            return isOptional ? .optional(result) : result
        case .call(let target, let name, let arguments): return try type(ofCall: name, target, arguments, at: node)
        case .logical(_, let operands):
            for operand in operands { try expect(.bool, operand, as: "logical operator") }
            return .bool
        case .conditional(let condition, let then, let otherwise):
            try expect(.bool, condition, as: "_?_:_")
            return try type(of: then).joined(with: type(of: otherwise))
        case .list(let elements):
            var result: CELType?
            for (element, _) in elements {
                let type = try type(of: element)
                result = result?.joined(with: type) ?? type
            }
            return .list(result ?? .dyn)
        case .map(let members):
            var key: CELType?
            var value: CELType?
            for member in members {
                let keyType = try type(of: member.key)
                let valueType = try type(of: member.value)
                key = key?.joined(with: keyType) ?? keyType
                value = value?.joined(with: valueType) ?? valueType
            }
            return .map(key ?? .dyn, value ?? .dyn)
        case .comprehension(let macro, let range, let names, let bodies):
            return try type(of: macro, over: type(of: range), names, bodies, at: node)
        case .bind(let name, let value, let body):
            variables.append((name, try type(of: value)))
            defer { variables.removeLast() }
            return try type(of: body)
        }
    }

    private mutating func type(ofVariable name: String, at node: CELNode) throws(CELError) -> CELType {
        if let index = variables.lastIndex(where: { $0.name == name }) {
            if index < outermost { used.insert(name) }
            return variables[index].type
        }
        if Self.typeNames[name] != nil { return .named("type") }
        throw failure("undeclared reference to '\(name)' (in container '')", at: node)
    }

    private func type(ofMember field: String, of target: CELType, at node: CELNode) throws(CELError) -> CELType {
        switch target {
        case .dyn, .parameter: return .dyn
        case .map(_, let value): return value
        case .optional(let inner): return .optional(try type(ofMember: field, of: inner, at: node))
        case .object(let schema):
            if let property = schema.property(CELFieldName.unescaped(field)) { return CELType(property) }
            if schema.isEmbeddedResource, Schema.resourceMembers.contains(field) { return .dyn }
            throw failure("undefined field '\(field)'", at: node)
        case .named, .list:
            throw failure("type '\(target.text)' does not support field selection", at: node)
        }
    }

    private mutating func type(
        ofCall name: String, _ target: CELNode?, _ arguments: [CELNode], at node: CELNode
    ) throws(CELError) -> CELType {
        var operands = arguments
        var fullName = name
        var isMember = false
        if let target {
            if let namespace = target.namespace(of: name), !variables.contains(where: { $0.name == namespace }) {
                fullName = "\(namespace).\(name)"
            } else {
                operands.insert(target, at: 0)
                isMember = true
            }
        }
        var types: [CELType] = []
        for operand in operands { types.append(try type(of: operand)) }
        let formName = Self.comparisons.contains(fullName) ? "_<_" : fullName
        guard let forms = CELSignature.all[formName]?.filter({ $0.isMember == isMember }), !forms.isEmpty else {
            throw failure("undeclared reference to '\(fullName)' (in container '')", at: node)
        }
        try notePattern(of: name, operands)
        var results: [CELType] = []
        for form in forms where form.parameters.count == types.count {
            var bindings: [String: CELType] = [:]
            if zip(form.parameters, types).allSatisfy({ $0.accepts($1, &bindings) }) {
                results.append(form.result.substituting(bindings))
            }
        }
        guard let first = results.first else {
            let text = types.map(\.text)
            let applied =
                isMember
                ? "\(text[0]).(\(text.dropFirst().joined(separator: ", ")))" : "(\(text.joined(separator: ", ")))"
            throw failure("found no matching overload for '\(fullName)' applied to '\(applied)'", at: node)
        }
        return results.dropFirst().reduce(first) { $0.joined(with: $1) }
    }

    /// A pattern that is written out is compiled once, and refused at once if it is none.
    private mutating func notePattern(of name: String, _ operands: [CELNode]) throws(CELError) {
        guard ["matches", "find", "findAll"].contains(name), operands.count >= 2,
            case .literal(.string(let text)) = operands[1].kind
        else { return }
        do {
            patterns[text] = try RegularExpression(text)
        } catch {
            throw failure("invalid matches argument: error parsing regexp: \(error.message)", at: operands[1])
        }
    }

    private mutating func type(
        of macro: CELMacro, over range: CELType, _ names: [String], _ bodies: [CELNode], at node: CELNode
    ) throws(CELError) -> CELType {
        let first: CELType
        let second: CELType
        switch range {
        case .list(let element): (first, second) = names.count == 1 ? (element, .dyn) : (.int, element)
        case .map(let key, let value): (first, second) = (key, value)
        case .optional(let value) where macro == .optMap || macro == .optFlatMap: (first, second) = (value, .dyn)
        case .object: (first, second) = (.string, .dyn)
        case .dyn, .parameter, .optional: (first, second) = (.dyn, .dyn)
        case .named:
            throw failure(
                "expression of type '\(range.text)' cannot be range of a comprehension (must be list, map, or dynamic)",
                at: node)
        }
        variables.append((names[0], first))
        if names.count > 1 { variables.append((names[1], second)) }
        defer { variables.removeLast(names.count) }
        var types: [CELType] = []
        for body in bodies { types.append(try type(of: body)) }
        let isFiltered = bodies.count > 1
        if isFiltered { try requireBool(types[0], bodies[0], macro) }
        let last = types.last ?? .dyn
        switch macro {
        case .all, .exists, .existsOne:
            try requireBool(last, bodies[0], macro)
            return .bool
        case .filter:
            try requireBool(last, bodies[0], macro)
            return .list(first)
        case .map, .transformList: return .list(last)
        case .transformMap: return .map(first, last)
        case .transformMapEntry: return last
        case .optMap: return .optional(last)
        case .optFlatMap: return last
        case .sortBy: return range
        }
    }

    private func requireBool(_ type: CELType, _ node: CELNode, _ macro: CELMacro) throws(CELError) {
        var bindings: [String: CELType] = [:]
        guard CELType.bool.accepts(type, &bindings) else {
            throw failure("found no matching overload for '\(macro.rawValue)' applied to '(\(type.text))'", at: node)
        }
    }

    private mutating func expect(_ wanted: CELType, _ node: CELNode, as name: String) throws(CELError) {
        let type = try type(of: node)
        var bindings: [String: CELType] = [:]
        guard wanted.accepts(type, &bindings) else {
            throw failure("expected type '\(wanted.text)' but found '\(type.text)'", at: node)
        }
    }

    private func failure(_ message: String, at node: CELNode) -> CELError {
        CELError(kind: .type, message: message, offset: node.offset)
    }
}

extension CELNode {
    /// The namespace when this, before `.name(…)`, is one and no value: `sets` in `sets.contains(…)`.
    func namespace(of name: String) -> String? {
        guard case .identifier(let text) = kind, CELSignature.namespaces.contains(text),
            CELSignature.all["\(text).\(name)"] != nil
        else { return nil }
        return text
    }
}
