internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

/// The one OpenAPI 2.0 document that clients before 1.27 read.
struct OpenAPIVersion2 {
    let served: ServedSet

    var document: JSON {
        var paths: JSON = [:]
        var definitions: JSON = [:]
        for name in BuiltinDefinitions.shared.definitionNames {
            guard let text = BuiltinDefinitions.shared.definitionText(name), let schema = try? JSON(parsing: text)
            else { continue }
            definitions[name] = Self.schema(ofBuiltin: schema)
        }
        for resource in served.resources {
            if let custom = served.customDefinitions(of: resource, dialect: .version2) {
                definitions[custom.name] = custom.kind
                definitions[custom.listName] = custom.list
            }
            guard let (kind, list) = served.definitions(of: resource, dialect: .version2) else { continue }
            let builder = OpenAPIPaths(
                resource: resource, dialect: .version2, definition: kind, listDefinition: list)
            for (path, item) in builder.items { paths[path] = item }
        }
        return [
            "swagger": "2.0", "info": ["title": "Kubernetes", "version": .string(ServerVersion.gitVersion)],
            "paths": paths, "definitions": definitions,
            "securityDefinitions": [
                "BearerToken": [
                    "description": "Bearer Token authentication", "type": "apiKey", "name": "authorization",
                    "in": "header",
                ]
            ],
            "security": [["BearerToken": []]],
        ]
    }

    /// A definition of a built-in kind in the words of version 2.
    static func schema(ofBuiltin schema: JSON) -> JSON {
        var schema = schema
        if let target = schema["allOf"]?[0]?["$ref"] {
            schema["allOf"] = nil
            schema["$ref"] = target
        }
        if let target = schema["$ref"]?.string {
            let name = target.split(separator: "/").last ?? ""
            schema["$ref"] = .string("#/definitions/\(name)")
        }
        if schema["oneOf"] != nil, schema["format"] == nil || schema["type"] == nil {
            schema["oneOf"] = nil
            schema.setDefault("type", "string")
        }
        schema["default"] = nil
        changeChildren(of: &schema, Self.schema(ofBuiltin:))
        return schema
    }

    /// A custom resource's schema without what version 2 cannot say.
    static func schema(ofCustom schema: JSON) -> JSON {
        var schema = schema
        for key in ["allOf", "anyOf", "default", "not", "nullable", "oneOf", "x-kubernetes-validations"] {
            schema[key] = nil
        }
        if schema["x-kubernetes-int-or-string"]?.bool == true { schema["type"] = nil }
        if schema["x-kubernetes-preserve-unknown-fields"]?.bool == true {
            // Old clients would refuse the fields that are not listed.
            for key in ["properties", "items", "additionalProperties"] { schema[key] = nil }
            if schema["type"].text != "object" { schema["type"] = nil }
            return schema
        }
        changeChildren(of: &schema, Self.schema(ofCustom:))
        return schema
    }

    private static func changeChildren(of schema: inout JSON, _ change: (JSON) -> JSON) {
        schema.with("properties") { properties in
            properties.object?.updateValues { _, value in value = change(value) }
        }
        for key in ["items", "additionalProperties"] {
            schema.with(key) { if $0.object != nil { $0 = change($0) } }
        }
    }
}
