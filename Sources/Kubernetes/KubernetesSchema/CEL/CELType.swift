/// What is known of a value before it is there.
indirect enum CELType: Sendable {
    case dyn
    case named(String)
    case list(CELType)
    case map(CELType, CELType)
    case object(Schema)
    case optional(CELType)
    /// Stands for any type in a signature, the same wherever it has the same name.
    case parameter(String)

    static let bool = CELType.named("bool")
    static let int = CELType.named("int")
    static let double = CELType.named("double")
    static let string = CELType.named("string")
    static let null = CELType.named("null_type")

    /// The type of the values that a schema describes.
    init(_ schema: Schema?) {
        guard let schema else {
            self = .dyn
            return
        }
        switch schema.type {
        case _ where schema.isIntOrString: self = .dyn
        case .boolean?: self = .bool
        case .integer?: self = .int
        case .number?: self = .double
        case .array?: self = .list(CELType(schema.items))
        case .string?:
            switch schema.format {
            case "byte": self = .named("bytes")
            case "date", "date-time": self = .named("google.protobuf.Timestamp")
            case "duration": self = .named("google.protobuf.Duration")
            default: self = .string
            }
        case .object?:
            if let values = schema.additionalProperties {
                self = .map(.string, CELType(values))
            } else if schema.fields.properties.isEmpty, schema.preservesUnknownFields || schema.fields.allowsAnyProperty
            {
                self = .dyn
            } else {
                self = .object(schema)
            }
        case nil: self = .dyn
        }
    }

    var text: String {
        switch self {
        case .dyn: "dyn"
        case .named(let name): name
        case .list(let element): "list(\(element.text))"
        case .map(let key, let value): "map(\(key.text), \(value.text))"
        case .object: "object"
        case .optional(let value): "optional_type(\(value.text))"
        case .parameter(let name): name
        }
    }

    var isDyn: Bool { if case .dyn = self { true } else { false } }

    /// Whether a value of type `argument` can be given where this type is wanted; binds the parameters on the way.
    func accepts(_ argument: CELType, _ bindings: inout [String: CELType]) -> Bool {
        switch (self, argument) {
        case (.dyn, _), (_, .dyn): return true
        case (.parameter(let name), _):
            guard let bound = bindings[name] else {
                bindings[name] = argument
                return true
            }
            if bound.isDyn || bound.isNull { bindings[name] = argument }
            return bound.isDyn || argument.isNull || bound.isNull || bound.accepts(argument, &bindings)
        case (.named(let left), .named(let right)): return left == right
        case (.list(let left), .list(let right)): return left.accepts(right, &bindings)
        case (.map(let key, let value), .map(let otherKey, let otherValue)):
            return key.accepts(otherKey, &bindings) && value.accepts(otherValue, &bindings)
        case (.map(let key, let value), .object):
            return key.accepts(.string, &bindings) && value.accepts(.dyn, &bindings)
        case (.object, .map), (.object, .object): return true
        case (.optional(let left), .optional(let right)): return left.accepts(right, &bindings)
        default: return false
        }
    }

    var isNull: Bool { if case .named("null_type") = self { true } else { false } }

    /// The type with its parameters replaced by what they were bound to.
    func substituting(_ bindings: [String: CELType]) -> CELType {
        switch self {
        case .parameter(let name): bindings[name] ?? .dyn
        case .list(let element): .list(element.substituting(bindings))
        case .map(let key, let value): .map(key.substituting(bindings), value.substituting(bindings))
        case .optional(let value): .optional(value.substituting(bindings))
        default: self
        }
    }

    /// What two branches have in common.
    func joined(with other: CELType) -> CELType {
        if isNull { return other }
        if other.isNull { return self }
        var bindings: [String: CELType] = [:]
        return accepts(other, &bindings) && !other.isDyn ? self : .dyn
    }
}
