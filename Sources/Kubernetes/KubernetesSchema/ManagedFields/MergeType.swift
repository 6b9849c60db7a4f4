internal import StructuredData

/// How values under a schema node merge (structured-merge-diff's types).
///
/// Where there is no schema the type is deduced from the value: maps are granular, lists atomic.
struct MergeType {
    enum Shape {
        /// Scalars, and maps and lists that are replaced as a whole.
        case leaf
        case map
        /// A list of which the elements have identities: a set, or a map by keys.
        case list
    }

    let schema: Schema?
    private let depth: Int

    /// Deeper than this everything is replaced as a whole: managed fields nest as deep as the object, and must not
    /// nest deeper than what can be read again.
    static let maximumDepth = 200

    init(schema: Schema?) {
        self.init(schema: schema, depth: 0)
    }

    private init(schema: Schema?, depth: Int) {
        self.schema = schema
        self.depth = depth
    }

    /// The shape of a value of this type. A null is a map or list without content.
    func shape(of value: JSON) -> Shape {
        if depth >= Self.maximumDepth { return .leaf }
        guard let schema, !schema.isDeduced else {
            if case .object = value { return .map }
            return .leaf
        }
        switch (schema.type, value) {
        case (.object?, .object), (.object?, .null): return schema.mapType == .atomic ? .leaf : .map
        case (.array?, .array), (.array?, .null): return schema.listType == .atomic ? .leaf : .list
        default: return .leaf
        }
    }

    func member(_ name: String) -> MergeType {
        MergeType(schema: schema?.property(name) ?? schema?.additionalProperties, depth: depth + 1)
    }

    /// Whether the schema names the member, so that it is not just any key of a map.
    func declares(_ name: String) -> Bool { schema?.fields.properties[name] != nil }

    var element: MergeType { MergeType(schema: schema?.items, depth: depth + 1) }

    /// The path element of a list's element, such as `k:{"name":"a"}`; keys that are absent have their default.
    func identity(of element: JSON) -> Result<String, IdentityError> {
        guard let schema else { return .failure(IdentityError(message: "invalid indexing of non-associative list")) }
        if schema.listType == .set {
            switch element {
            case .object: return failure("associative list without keys has an element that's a map type")
            case .array: return failure("not supported: associative list with lists as elements")
            case .null: return failure("associative list without keys has an element that's an explicit null")
            default: return .success("v:" + element.text)
            }
        }
        guard !element.isNull else { return failure("associative list with keys may not have a null element") }
        guard let object = element.object else {
            return failure("associative list with keys may not have non-map elements")
        }
        let items = schema.items
        var keys: [(key: String, value: JSON)] = []
        for key in schema.listMapKeys {
            if let value = object[key] ?? items?.property(key)?.defaultValue { keys.append((key, value)) }
        }
        if keys.isEmpty {
            let names = schema.listMapKeys.map(FieldError.quoted).joined(separator: " ")
            return failure(
                "associative list with keys has an element that omits all key fields [\(names)] (and doesn't have "
                    + "default values for any key fields)")
        }
        if keys.count > 1 { keys.sort { $0.key < $1.key } }
        var text = "k:{"
        for (index, key) in keys.enumerated() {
            text += index == 0 ? "" : ","
            text += Self.text(.string(key.key)) + ":" + Self.text(key.value)
        }
        return .success(text + "}")
    }

    /// A value as JSON; most are short names that need no escapes.
    private static func text(_ value: JSON) -> String {
        guard let string = value.string, string.utf8.allSatisfy({ 0x20...0x7E ~= $0 && $0 != 0x22 && $0 != 0x5C })
        else { return value.text }
        return "\"" + string + "\""
    }

    private func failure(_ message: String) -> Result<String, IdentityError> {
        .failure(IdentityError(message: message))
    }
}

/// Why a list's element has no identity.
struct IdentityError: Error {
    let message: String
}

extension Schema {
    /// Whether nothing is said of how values merge.
    fileprivate var isDeduced: Bool {
        guard fields.properties.isEmpty, fields.additionalProperties == nil else { return false }
        return type == nil || (type == .object && mapType != .atomic)
    }
}
