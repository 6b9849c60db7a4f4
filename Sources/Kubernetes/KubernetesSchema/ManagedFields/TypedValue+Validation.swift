internal import StructuredData

extension TypedValue {
    /// Why `value` is not of the type, worded as structured-merge-diff does: `.spec.wat: field not declared in schema`.
    static func problems(_ value: JSON, _ type: MergeType) -> [String] {
        problemsBelow(value, type).map(\.text)
    }

    private struct Problem {
        var path: String
        let message: String
        var text: String { path.isEmpty ? message : "\(path): \(message)" }
    }

    /// Paths are put together on the way back, so that a value without problems costs none.
    private static func problemsBelow(_ value: JSON, _ type: MergeType) -> [Problem] {
        if value.isNull { return [] }
        if let mismatch = mismatch(value, type.schema) { return [Problem(path: "", message: mismatch)] }
        switch value {
        case .object(let object):
            guard let schema = type.schema else { return [] }
            let isClosed = schema.type == .object && schema.isClosed
            var problems: [Problem] = []
            for (name, member) in object {
                if isClosed, schema.fields.properties[name] == nil {
                    problems.append(Problem(path: ".\(name)", message: "field not declared in schema"))
                } else {
                    for problem in problemsBelow(member, type.member(name)) {
                        problems.append(Problem(path: ".\(name)\(problem.path)", message: problem.message))
                    }
                }
            }
            return problems
        case .array(let elements): return problems(inList: elements, type)
        default: return []
        }
    }

    private static func problems(inList elements: [JSON], _ type: MergeType) -> [Problem] {
        let isAssociative = type.shape(of: .array(elements)) == .list
        var problems: [Problem] = []
        var seen: Set<String> = []
        for (index, element) in elements.enumerated() {
            var identity: String?
            if isAssociative {
                switch type.identity(of: element) {
                case .success(let text): identity = text
                case .failure(let error):
                    return problems + [Problem(path: "", message: "element \(index): \(error.message)")]
                }
            }
            if let identity, !seen.insert(identity).inserted {
                let message = "duplicate entries for key \(FieldSet.printed(identity))"
                problems.append(Problem(path: "", message: message))
            }
            for problem in problemsBelow(element, type.element) {
                let place = FieldSet.printed(identity ?? "i:\(index)")
                problems.append(Problem(path: place + problem.path, message: problem.message))
            }
        }
        return problems
    }

    private static func mismatch(_ value: JSON, _ schema: Schema?) -> String? {
        guard let schema, let type = schema.type else { return nil }
        switch (type, value) {
        case (.object, .object), (.array, .array), (.string, .string), (.boolean, .bool), (.integer, .number),
            (.number, .number):
            return nil
        case (.object, _) where schema.preservesUnknownFields && schema.fields.properties.isEmpty: return nil
        case (.object, _): return "expected map, got &{\(goText(value))}"
        case (.array, _): return "expected list, got &{\(goText(value))}"
        case (.string, _): return "expected string, got &value.valueUnstructured{Value:\(goText(value))}"
        case (.boolean, _): return "expected boolean, got &{\(goText(value))}"
        case (.integer, _), (.number, _): return "expected numeric (int or float), got \(goType(value))"
        }
    }

    private static func goText(_ value: JSON) -> String { value.string ?? value.text }

    private static func goType(_ value: JSON) -> String {
        switch value {
        case .null: "<nil>"
        case .bool: "bool"
        case .number: "int64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }
}

extension Schema {
    /// Whether members that it does not name are errors.
    fileprivate var isClosed: Bool {
        additionalProperties == nil && !preservesUnknownFields && !fields.allowsAnyProperty && !isEmbeddedResource
            && !fields.properties.isEmpty
    }
}
