internal import StructuredData

/// The definitions that a custom resource's schema becomes in OpenAPI documents.
struct CustomDefinitions {
    let definition: CustomResourceDefinition
    let version: String
    let dialect: OpenAPIDialect

    private static let conventions =
        "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"

    /// `test.example.lab.v1.Gizmo` for Gizmo in `lab.example.test/v1`.
    var name: String { "\(package).\(definition.kind)" }
    var listName: String { "\(package).\(definition.listKind)" }

    private var package: String {
        definition.group.split(separator: ".").reversed().joined(separator: ".") + ".\(version)"
    }

    var kind: JSON {
        let declared = definition.versions.first { $0["name"].text == version }
        var schema = described(declared?.at("schema", "openAPIV3Schema") ?? ["type": "object"])
        schema["type"] = "object"
        schema.withObject("properties") { properties in
            Self.addTypeFields(&properties)
            properties["metadata"] = described(
                reference: "ObjectMeta",
                "Standard object's metadata. More info: \(Self.conventions)#metadata")
        }
        schema["x-kubernetes-group-version-kind"] = [identity(definition.kind)]
        return schema
    }

    var list: JSON {
        var properties: JSON = [
            "items": [
                "description":
                    "List of \(definition.plural). More info: \(Self.conventions)",
                "type": "array", "items": dialect.reference(name),
            ]
        ]
        Self.addTypeFields(&properties)
        properties["metadata"] = described(reference: "ListMeta", "Standard list metadata.")
        return [
            "description": "\(definition.listKind) is a list of \(definition.kind)", "type": "object",
            "required": ["items"], "properties": properties,
            "x-kubernetes-group-version-kind": [identity(definition.listKind)],
        ]
    }

    private func identity(_ kind: String) -> JSON {
        ["group": .string(definition.group), "kind": .string(kind), "version": .string(version)]
    }

    private func described(reference: String, _ description: String) -> JSON {
        let target = dialect.reference("\(OpenAPIPaths.meta).\(reference)")
        switch dialect {
        case .version3: return ["description": .string(description), "allOf": [target]]
        case .version2:
            var schema = target
            schema["description"] = .string(description)
            return schema
        }
    }

    /// A schema as a document of the dialect may hold it: version 2 knows neither alternatives nor nullable values.
    private func described(_ schema: JSON) -> JSON {
        dialect == .version2 ? OpenAPIVersion2.schema(ofCustom: schema) : Self.withEmbedded(schema)
    }

    /// Embedded objects show the fields that every object has.
    private static func withEmbedded(_ schema: JSON) -> JSON {
        var schema = schema
        schema.with("properties") { properties in
            properties.object?.updateValues { _, value in value = withEmbedded(value) }
        }
        for key in ["items", "additionalProperties"] {
            schema.with(key) { if $0.object != nil { $0 = withEmbedded($0) } }
        }
        if schema["x-kubernetes-embedded-resource"]?.bool == true {
            schema.withObject("properties") { properties in
                addTypeFields(&properties)
                properties.setDefault(
                    "metadata", OpenAPIDialect.version3.reference("\(OpenAPIPaths.meta).ObjectMeta"))
            }
        }
        return schema
    }

    private static func addTypeFields(_ properties: inout JSON) {
        let version =
            "APIVersion defines the versioned schema of this representation of an object. Servers should convert "
            + "recognized schemas to the latest internal value, and may reject unrecognized values. More info: "
            + "\(conventions)#resources"
        let kind =
            "Kind is a string value representing the REST resource this object represents. Servers may infer this "
            + "from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: "
            + "\(conventions)#types-kinds"
        properties["apiVersion"] = ["description": .string(version), "type": "string"]
        properties["kind"] = ["description": .string(kind), "type": "string"]
    }
}
