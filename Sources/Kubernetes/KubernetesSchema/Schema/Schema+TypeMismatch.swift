public import StructuredData

extension Schema {
    /// Why kube-apiserver would fail to decode `value` into the Go type of a built-in kind, worded as it does:
    /// `json: cannot unmarshal bool into Go struct field Event.note of type string`. Nil when it would not.
    ///
    /// Of a custom resource only the metadata is looked at: the rest has no Go type and is validated.
    public func firstTypeMismatch(in value: JSON) -> String? {
        if fields.isResourceRoot {
            guard let metadata = value["metadata"], let schema = property("metadata") else { return nil }
            return GoDecoder.mismatch(metadata, schema)?.message
        }
        return GoDecoder.mismatch(value, self)?.message
    }

    /// Types of Go that decode themselves.
    enum OwnDecoding: String, Sendable {
        case quantity = "Quantity"
        case intOrString = "IntOrString"
        case time = "Time"
        case microTime = "MicroTime"
        /// A schema, or something else in its place.
        case schemaOrArray = "JSONSchemaPropsOrArray"
        case schemaOrBool = "JSONSchemaPropsOrBool"

        init?(definition: String?) {
            guard let name = definition?.split(separator: ".").last else { return nil }
            self.init(rawValue: String(name))
        }
    }

    /// `Event` for `io.k8s.api.events.v1.Event`.
    fileprivate var goTypeName: String? {
        definitionName?.split(separator: ".").last.map(String.init)
    }
}

/// What Go's decoder trips over, and by which fields it came there. Map keys and indices do not count.
private struct GoMismatch {
    /// The whole message of a type that decodes itself.
    var ownMessage: String?
    var kind = ""
    var type = ""
    /// The struct that has the field, once known.
    var owner: String?
    /// The fields, innermost first: gathered on the way back, so that a value that fits costs nothing.
    var path: [String] = []

    var message: String {
        if let ownMessage { return ownMessage }
        if path.isEmpty { return "json: cannot unmarshal \(kind) into Go value of type \(type)" }
        let field = ([owner ?? ""] + path.reversed()).joined(separator: ".")
        return "json: cannot unmarshal \(kind) into Go struct field \(field) of type \(type)"
    }
}

private enum GoDecoder {
    static func mismatch(_ value: JSON, _ schema: Schema) -> GoMismatch? {
        // Go leaves a field alone that is null.
        if value.isNull { return nil }
        if let decoding = schema.fields.ownDecoding {
            return mismatch(value, decoding).map { GoMismatch(ownMessage: $0) }
        }
        switch schema.type {
        case .object?: return mismatchInObject(value, schema)
        case .array?:
            guard let elements = value.array else { return refusal(value, schema) }
            guard let items = schema.items else { return nil }
            for element in elements {
                if let found = mismatch(element, items) { return found }
            }
            return nil
        case .string?:
            guard let text = value.string else { return refusal(value, schema) }
            guard schema.format == "byte", let offset = Base64.firstBadByte(text) else { return nil }
            return GoMismatch(ownMessage: "illegal base64 data at input byte \(offset)")
        case .integer?: return mismatchInInteger(value, schema)
        case .number?: return value.number == nil ? refusal(value, schema) : nil
        case .boolean?: return value.bool == nil ? refusal(value, schema) : nil
        case nil: return nil
        }
    }

    private static func mismatchInObject(_ value: JSON, _ schema: Schema) -> GoMismatch? {
        if schema.preservesUnknownFields { return nil }
        guard let object = value.object else { return refusal(value, schema) }
        let values = schema.additionalProperties
        for (name, member) in object {
            if let child = schema.property(name) {
                guard var found = mismatch(member, child) else { continue }
                found.path.append(name)
                found.owner = found.owner ?? schema.goTypeName
                return found
            }
            if let values, let found = mismatch(member, values) { return found }
        }
        return nil
    }

    private static func mismatchInInteger(_ value: JSON, _ schema: Schema) -> GoMismatch? {
        guard let number = value.number else { return refusal(value, schema) }
        let integer = Int(number.text)
        let fits = schema.format == "int32" ? integer.map { Int32(exactly: $0) != nil } == true : integer != nil
        return fits ? nil : refusal(value, schema, named: "number \(number.text)")
    }

    private static func mismatch(_ value: JSON, _ decoding: Schema.OwnDecoding) -> String? {
        switch decoding {
        case .quantity:
            let text = value.number?.text ?? value.string
            if let text, text.isEmpty || Quantity(text) != nil { return nil }
            return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        case .intOrString:
            if value.string != nil { return nil }
            guard let number = value.number else {
                return "json: cannot unmarshal \(goKind(value)) into Go value of type string"
            }
            if Int32(number.text) != nil { return nil }
            return "json: cannot unmarshal number \(number.text) into Go value of type int32"
        case .schemaOrArray, .schemaOrBool: return nil
        case .time, .microTime:
            guard let text = value.string else {
                return "json: cannot unmarshal \(goKind(value)) into Go value of type string"
            }
            if text.isEmpty || Timestamp(text) != nil { return nil }
            let layout = decoding == .time ? "2006-01-02T15:04:05Z07:00" : "2006-01-02T15:04:05.000000Z07:00"
            let quoted = FieldError.quoted(text)
            return "parsing time \(quoted) as \"\(layout)\": cannot parse \(quoted) as \"2006\""
        }
    }

    private static func refusal(_ value: JSON, _ schema: Schema, named kind: String? = nil) -> GoMismatch {
        GoMismatch(kind: kind ?? goKind(value), type: goType(schema))
    }

    private static func goKind(_ value: JSON) -> String {
        switch value {
        case .null: "null"
        case .bool: "bool"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    private static func goType(_ schema: Schema) -> String {
        if let name = schema.definitionName {
            let parts = name.split(separator: ".")
            return parts.suffix(2).joined(separator: ".")
        }
        switch schema.type {
        case .object?: return "map[string]" + (schema.additionalProperties.map(goType) ?? "interface {}")
        case .array?: return "[]" + (schema.items.map(goType) ?? "interface {}")
        case .string?: return schema.format == "byte" ? "[]uint8" : "string"
        case .integer?: return schema.format ?? "int64"
        case .number?: return "float64"
        case .boolean?: return "bool"
        case nil: return "interface {}"
        }
    }
}
