public import StructuredData

extension Schema {
    /// `value` without the members that the schema does not know.
    ///
    /// apiVersion, kind and metadata of an embedded resource stay, and so does everything below
    /// `x-kubernetes-preserve-unknown-fields` that no property describes.
    public func pruned(_ value: JSON) -> JSON {
        var pruner = Pruner()
        var result = value
        pruner.prune(&result, by: self, at: "")
        return result
    }

    /// The paths of the members that the schema does not know, as kube-apiserver prints them: `spec.parts[0].x`.
    public func unknownFields(in value: JSON) -> [String] {
        var pruner = Pruner()
        pruner.notesPaths = true
        var copy = value
        pruner.prune(&copy, by: self, at: "")
        return fields.isResourceRoot ? pruner.unknown.sorted() : pruner.unknown
    }
}

/// Walks over a value, drops what a schema does not know and notes where.
private struct Pruner {
    var notesPaths = false
    var unknown: [String] = []

    mutating func prune(_ value: inout JSON, by schema: Schema, at path: String) {
        switch value {
        case .object(var object):
            value = .null  // lets `object` be mutated in place
            prune(&object, by: schema.decodedSchema, at: path)
            value = .object(object)
        case .array(var elements):
            guard let items = schema.items, !items.isLeaf else { return }
            value = .null
            for index in elements.indices {
                prune(&elements[index], by: items, at: notesPaths ? "\(path)[\(index)]" : "")
            }
            value = .array(elements)
        default: return
        }
    }

    private mutating func prune(_ object: inout JSONObject, by schema: Schema, at path: String) {
        let values = schema.additionalProperties
        let keepsUnknown = schema.preservesUnknownFields || schema.fields.allowsAnyProperty
        if schema.fields.properties.isEmpty {
            if keepsUnknown { return }
            if let values, values.isLeaf { return }
        }
        object.keepMembers { name, _ in
            if keepsUnknown || values != nil || schema.fields.properties[name] != nil { return true }
            if schema.isEmbeddedResource, Schema.resourceMembers.contains(name) { return true }
            if notesPaths { unknown.append(join(path, name)) }
            return false
        }
        object.updateValues { name, value in
            let child = schema.property(name) ?? embedded(name, in: schema) ?? values
            if let child, !child.isLeaf { prune(&value, by: child, at: join(path, name)) }
        }
    }

    /// The metadata of an embedded resource is an ObjectMeta.
    private func embedded(_ name: String, in schema: Schema) -> Schema? {
        guard schema.isEmbeddedResource, name == "metadata" else { return nil }
        return BuiltinDefinitions.shared.schema(definition: Schema.objectMetaDefinition)
    }

    private func join(_ path: String, _ name: String) -> String {
        !notesPaths ? "" : path.isEmpty ? name : "\(path).\(name)"
    }
}

extension Schema {
    static let resourceMembers: Set<String> = ["apiVersion", "kind", "metadata"]

    /// What an object under this node is decoded as: `items` of a CRD's schema is any value to OpenAPI and a schema to
    /// Go.
    fileprivate var decodedSchema: Schema {
        guard fields.ownDecoding == .schemaOrArray || fields.ownDecoding == .schemaOrBool, let name = definitionName
        else { return self }
        let group = name.split(separator: ".").dropLast().joined(separator: ".")
        return BuiltinDefinitions.shared.schema(definition: "\(group).JSONSchemaProps") ?? self
    }

    /// Whether no value can have members that the schema does not know.
    var isLeaf: Bool {
        if fields.ownDecoding == .schemaOrArray || fields.ownDecoding == .schemaOrBool { return false }
        return fields.properties.isEmpty && fields.items == nil && fields.additionalProperties == nil
            && (fields.preservesUnknownFields || fields.type.map { $0 != .object } ?? fields.isIntOrString)
    }
}
