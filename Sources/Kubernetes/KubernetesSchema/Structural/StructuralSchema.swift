public import StructuredData

/// The problems of a custom resource's schema, as kube-apiserver lists them.
public struct StructuralSchemaErrors: Error, Sendable, CustomStringConvertible {
    public let errors: [FieldError]

    public init(errors: [FieldError]) {
        self.errors = errors
    }

    public var description: String { errors.map(\.description).joined(separator: "; ") }
}

/// Reads the `openAPIV3Schema` of a CustomResourceDefinition's version.
public enum StructuralSchema {
    /// The schema, with its patterns and validation rules compiled.
    ///
    /// The root knows `apiVersion`, `kind` and `metadata` (the built-in ObjectMeta) whether or not the schema says so.
    /// - Parameter field: the path of the schema in the CRD, for errors:
    ///   `spec.versions[0].schema.openAPIV3Schema` (kube-apiserver says `spec.validation.openAPIV3Schema` when all
    ///   versions share one).
    /// - Throws: every rule of structural schemas that is broken (KEP-1693), and every rule in CEL that does not
    ///   compile.
    public static func compile(
        _ openAPIV3Schema: JSON, field: String = "spec.validation.openAPIV3Schema"
    ) throws(StructuralSchemaErrors) -> Schema {
        var checker = StructuralChecker()
        checker.check(openAPIV3Schema, at: field)
        guard checker.errors.isEmpty else { throw StructuralSchemaErrors(errors: checker.errors) }

        let reader = SchemaReader(dropsZeroDefaults: false) { _ in nil }
        var root = reader.fields(of: openAPIV3Schema)
        let view = rootForRules(root)
        root.rules = (openAPIV3Schema["x-kubernetes-validations"]?.array ?? []).map { ValidationRule($0, node: view) }
        root.isResourceRoot = true
        root.metadataRestrictions = root.properties["metadata"]?.schema
        for name in ["apiVersion", "kind"] where root.properties[name] == nil {
            root.propertyNames.append(name)
            root.properties[name] = .node(Schema(Schema.Fields(type: .string)))
        }
        if root.properties["metadata"] == nil { root.propertyNames.append("metadata") }
        root.properties["metadata"] = .lazy(
            Lazy { BuiltinDefinitions.shared.schema(definition: Schema.objectMetaDefinition) })
        return Schema(root)
    }

    /// The root as rules see it: of the metadata only the names.
    static func rootForRules(_ fields: Schema.Fields) -> Schema {
        let string = Schema.Link.node(Schema(Schema.Fields(type: .string)))
        var metadata = Schema.Fields(type: .object)
        metadata.properties = ["name": string, "generateName": string]
        var root = fields
        root.properties["apiVersion"] = string
        root.properties["kind"] = string
        root.properties["metadata"] = .node(Schema(metadata))
        return Schema(root)
    }
}

extension Schema {
    static let objectMetaDefinition = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
}
