internal import KubernetesSchema
internal import StructuredData

/// What is left of a value that went through a Go type: nulls are gone, and so are empty lists and maps that need not
/// be there, which Go writes with `omitempty`; quantities and times are in their canonical form.
enum GoForm {
    static func of(_ value: JSON, schema: Schema) -> JSON {
        switch value {
        case .object(var members):
            if schema.preservesUnknownFields || (schema.propertyNames.isEmpty && schema.additionalProperties == nil) {
                return value
            }
            members.keepMembers { key, member in
                isKept(member, schema: schema.property(key), isRequired: schema.required.contains(key))
            }
            members.updateValues { key, member in
                if let schema = schema.property(key) ?? schema.additionalProperties {
                    member = of(member, schema: schema)
                }
            }
            return .object(members)
        case .array(let elements):
            guard let items = schema.items else { return value }
            return .array(elements.map { of($0, schema: items) })
        case .number(let number): return canonical(number.text, schema) ?? value
        case .string(let text): return canonical(text, schema) ?? value
        case .null, .bool: return value
        }
    }

    private static func canonical(_ text: String, _ schema: Schema) -> JSON? {
        switch schema.definitionName {
        case "io.k8s.apimachinery.pkg.api.resource.Quantity": Quantity(text).map { .string($0.canonical) }
        case "io.k8s.apimachinery.pkg.apis.meta.v1.Time":
            Moment.canonical(text, withMicroseconds: false).map(JSON.string)
        case "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime":
            Moment.canonical(text, withMicroseconds: true).map(JSON.string)
        default: nil
        }
    }

    private static func isKept(_ value: JSON, schema: Schema?, isRequired: Bool) -> Bool {
        switch value {
        case .null: return false
        case .array(let elements): return !elements.isEmpty || isRequired
        case .object(let members):
            let isMap = schema.map { $0.additionalProperties != nil && $0.propertyNames.isEmpty } ?? false
            return !members.isEmpty || !isMap || isRequired
        case .bool, .number, .string: return true
        }
    }
}
