internal import StructuredData

/// A value that an expression computes with.
enum CELValue: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case uint(UInt)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case timestamp(Timestamp)
    case duration(GoDuration)
    case list(CELList)
    case map(CELMap)
    case type(String)
    indirect case optional(CELValue?)
    case quantity(Quantity)
    case url(URLParts)
    case ip(IPAddress)
    case cidr(CIDR)
    case semver(SemanticVersion)
    /// A named string format (`format.dns1123Label()`).
    case format(String)
}

/// A list that was computed, or one of the object, whose elements are converted when they are looked at.
struct CELList: Sendable {
    private enum Storage {
        case values([CELValue])
        case json([JSON], Schema?)
    }

    private let storage: Storage
    /// Lists of type set and map compare and add by their elements' identity.
    let schema: Schema?

    init(_ values: [CELValue]) {
        storage = .values(values)
        schema = nil
    }

    init(_ elements: [JSON], _ schema: Schema?) {
        storage = .json(elements, schema?.items)
        self.schema = schema
    }

    var count: Int {
        switch storage {
        case .values(let values): values.count
        case .json(let elements, _): elements.count
        }
    }

    subscript(index: Int) -> CELValue {
        switch storage {
        case .values(let values): values[index]
        case .json(let elements, let schema): CELValue(elements[index], schema)
        }
    }

    var values: [CELValue] {
        switch storage {
        case .values(let values): values
        case .json(let elements, let schema): elements.map { CELValue($0, schema) }
        }
    }
}

/// A map that was computed, or an object or map of the resource.
struct CELMap: Sendable {
    private enum Storage {
        case values(keys: [CELValue], values: [CELValue])
        case json(JSONObject, Schema?)
    }

    private let storage: Storage

    init(_ members: [(key: CELValue, value: CELValue)]) {
        storage = .values(keys: members.map(\.key), values: members.map(\.value))
    }

    init(_ object: JSONObject, _ schema: Schema?) {
        storage = .json(object, schema)
    }

    var count: Int {
        switch storage {
        case .values(let keys, _): keys.count
        case .json(let object, _): object.count
        }
    }

    /// Whether members are named by the schema, and so escaped in expressions: `self.a__dash__b`.
    private func isStructure(_ schema: Schema?) -> Bool { schema?.fields.properties.isEmpty == false }

    /// The member that `.name` means.
    func member(_ name: String) -> CELValue? {
        guard case .json(let object, let schema) = storage, isStructure(schema) else { return self[.string(name)] }
        let field = CELFieldName.unescaped(name)
        return object[field].map { CELValue($0, schema?.property(field)) }
    }

    subscript(key: CELValue) -> CELValue? {
        switch storage {
        case .values(let keys, let values): keys.firstIndex { $0.equals(key) == true }.map { values[$0] }
        case .json(let object, let schema):
            if case .string(let name) = key {
                object[name].map { CELValue($0, schema?.property(name) ?? schema?.additionalProperties) }
            } else {
                nil
            }
        }
    }

    var members: [(key: CELValue, value: CELValue)] {
        switch storage {
        case .values(let keys, let values): Array(zip(keys, values).map { (key: $0, value: $1) })
        case .json(let object, let schema):
            object.map { name, value in
                (.string(name), CELValue(value, schema?.property(name) ?? schema?.additionalProperties))
            }
        }
    }
}

extension CELValue {
    /// A value of the object, by its schema: strings with a format are timestamps, durations or bytes.
    init(_ json: JSON, _ schema: Schema?) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .number(let number):
            if schema?.type != .number, let value = number.int {
                self = .int(value)
            } else {
                self = .double(number.double)
            }
        case .string(let text): self = Self.formatted(text, schema)
        case .array(let elements): self = .list(CELList(elements, schema))
        case .object(let object): self = .map(CELMap(object, schema))
        }
    }

    private static func formatted(_ text: String, _ schema: Schema?) -> CELValue {
        switch schema?.format {
        case "date-time": Timestamp(text).map(CELValue.timestamp) ?? .string(text)
        case "date": Timestamp(text + "T00:00:00Z").map(CELValue.timestamp) ?? .string(text)
        case "duration": GoDuration(text).map(CELValue.duration) ?? .string(text)
        case "byte": Base64.decode(text).map(CELValue.bytes) ?? .string(text)
        default: .string(text)
        }
    }

    /// The name of the value's type.
    var typeName: String {
        switch self {
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .list: "list"
        case .map: "map"
        case .type: "type"
        case .optional: "optional_type"
        case .quantity: "kubernetes.Quantity"
        case .url: "kubernetes.URL"
        case .ip: "net.IP"
        case .cidr: "net.CIDR"
        case .semver: "kubernetes.Semver"
        case .format: "kubernetes.NamedFormat"
        }
    }

    /// About how much work it is to look at the whole value.
    var size: Int {
        switch self {
        case .string(let text): text.utf8.count / 10 + 1
        case .bytes(let bytes): bytes.count / 10 + 1
        case .list(let list): list.count
        case .map(let map): map.count
        default: 1
        }
    }
}

/// Names of properties that are no identifiers in CEL are written with escapes.
enum CELFieldName {
    private static let escapes = [
        ("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/"),
    ]
    private static let keywords: Set<String> = [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
        "let", "loop", "package", "namespace", "return",
    ]

    static func unescaped(_ name: String) -> String {
        guard name.contains("__") else { return name }
        if name.hasPrefix("__"), name.hasSuffix("__"), name.count > 4 {
            let inner = String(name.dropFirst(2).dropLast(2))
            if keywords.contains(inner) { return inner }
        }
        var result = ""
        var rest = Substring(name)
        scan: while !rest.isEmpty {
            for (escape, text) in escapes where rest.hasPrefix(escape) {
                result += text
                rest = rest.dropFirst(escape.count)
                continue scan
            }
            result.append(rest.removeFirst())
        }
        return result
    }
}
