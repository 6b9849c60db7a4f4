internal import StructuredData

/// Turns OpenAPI v3 schemas into nodes.
struct SchemaReader {
    /// The documents of built-in kinds state `""`, `0` and `{}` as defaults wherever Go has a zero value; filling them
    /// in would be wrong.
    let dropsZeroDefaults: Bool
    /// Finds the schema that a `$ref` names.
    let resolve: @Sendable (String) -> Schema?

    func fields(of json: JSON, definition: String? = nil) -> Schema.Fields {
        var fields = Schema.Fields()
        fields.definitionName = definition
        fields.ownDecoding = Schema.OwnDecoding(definition: definition)
        fields.type = json["type"]?.string.flatMap(Schema.ValueType.init)
        fields.format = json["format"]?.string
        fields.isNullable = json["nullable"]?.bool ?? false
        fields.required = strings(json["required"])
        fields.isIntOrString = json["x-kubernetes-int-or-string"]?.bool ?? (fields.format == "int-or-string")
        fields.preservesUnknownFields = json["x-kubernetes-preserve-unknown-fields"]?.bool ?? false
        fields.isEmbeddedResource = json["x-kubernetes-embedded-resource"]?.bool ?? false
        readMergeExtensions(json, into: &fields)
        readChildren(json, into: &fields)
        fields.limits = limits(of: json)
        fields.allOf = nodes(json["allOf"])
        fields.anyOf = nodes(json["anyOf"])
        fields.oneOf = nodes(json["oneOf"])
        fields.not = json["not"].map { Schema(self.fields(of: $0)) }
        if let rules = json["x-kubernetes-validations"]?.array, !rules.isEmpty {
            let node = Schema(fields)
            fields.rules = rules.map { ValidationRule($0, node: node) }
        }
        fields.hasRulesWithin = !fields.rules.isEmpty || children(of: fields).contains(where: \.fields.hasRulesWithin)
        if definition != nil, isOpen(fields) { fields.preservesUnknownFields = true }
        return fields
    }

    /// What a reference's surroundings say beside it holds too.
    private func readMergeExtensions(_ json: JSON, into fields: inout Schema.Fields) {
        if let value = json["default"], !dropsZeroDefaults || !isZero(value) { fields.defaultValue = value }
        if let type = json["x-kubernetes-list-type"]?.string { fields.listType = Schema.ListType(rawValue: type) }
        if let keys = json["x-kubernetes-list-map-keys"] { fields.listMapKeys = strings(keys) }
        if let type = json["x-kubernetes-map-type"]?.string { fields.mapType = Schema.MapType(rawValue: type) }
        if let strategy = json["x-kubernetes-patch-strategy"]?.string {
            fields.patchStrategies = strategy.split(separator: ",").map(String.init)
        }
        if let key = json["x-kubernetes-patch-merge-key"]?.string { fields.patchMergeKey = key }
    }

    private func readChildren(_ json: JSON, into fields: inout Schema.Fields) {
        if let properties = json["properties"]?.object {
            fields.propertyNames = properties.keys
            for (name, property) in properties { fields.properties[name] = link(to: property) }
        }
        fields.items = json["items"].map(link)
        switch json["additionalProperties"] {
        case .bool(let isAllowed)?: fields.allowsAnyProperty = isAllowed
        case .object(let object)?: fields.additionalProperties = link(to: .object(object))
        default: break
        }
    }

    private func link(to json: JSON) -> Schema.Link {
        guard let reference = reference(in: json) else { return .node(Schema(fields(of: json))) }
        let reader = self
        return .lazy(
            Lazy {
                guard var fields = reader.resolve(reference)?.fields else { return nil }
                reader.readMergeExtensions(json, into: &fields)
                return Schema(fields)
            })
    }

    private func reference(in json: JSON) -> String? {
        var text = json["$ref"]?.string
        if text == nil, let parts = json["allOf"]?.array, parts.count == 1 { text = parts[0]["$ref"]?.string }
        guard let text, text.hasPrefix(DefinitionIndex.referencePrefix) else { return nil }
        return String(text.dropFirst(DefinitionIndex.referencePrefix.count))
    }

    private func nodes(_ json: JSON?) -> [Schema] {
        json?.array?.map { Schema(fields(of: $0)) } ?? []
    }

    private func children(of fields: Schema.Fields) -> [Schema] {
        let links = Array(fields.properties.values) + [fields.items, fields.additionalProperties].compactMap(\.self)
        return links.compactMap { if case .node(let schema) = $0 { schema } else { nil } }
    }

    /// Definitions such as RawExtension and JSON say nothing of what is in them: anything is.
    private func isOpen(_ fields: Schema.Fields) -> Bool {
        guard fields.properties.isEmpty, fields.additionalProperties == nil, fields.oneOf.isEmpty else { return false }
        return fields.type == .object || fields.type == nil
    }

    private func limits(of json: JSON) -> Schema.Limits? {
        var limits = Schema.Limits()
        limits.enumeration = json["enum"]?.array ?? []
        limits.minimum = json["minimum"]?.number
        limits.maximum = json["maximum"]?.number
        limits.isMinimumExclusive = json["exclusiveMinimum"]?.bool ?? false
        limits.isMaximumExclusive = json["exclusiveMaximum"]?.bool ?? false
        limits.multipleOf = json["multipleOf"]?.number
        limits.minLength = json["minLength"]?.int
        limits.maxLength = json["maxLength"]?.int
        limits.pattern = json["pattern"]?.string.flatMap { try? RegularExpression($0) }
        limits.minItems = json["minItems"]?.int
        limits.maxItems = json["maxItems"]?.int
        limits.uniqueItems = json["uniqueItems"]?.bool ?? false
        limits.minProperties = json["minProperties"]?.int
        limits.maxProperties = json["maxProperties"]?.int
        return limits == Schema.Limits() ? nil : limits
    }

    private func strings(_ json: JSON?) -> [String] {
        json?.array?.compactMap(\.string) ?? []
    }

    private func isZero(_ value: JSON) -> Bool {
        switch value {
        case .null: true
        case .bool(let value): !value
        case .number(let value): value.double == 0
        case .string(let value): value.isEmpty
        case .array(let value): value.isEmpty
        case .object(let value): value.isEmpty
        }
    }
}
