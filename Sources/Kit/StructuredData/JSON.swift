/// A JSON value (RFC 8259): numbers keep their text, objects keep the order of their keys.
///
/// Equality is semantic, as Kubernetes compares: the order of members does not matter, `1` equals `1.0`, and strings are
/// equal when their bytes are.
public enum JSON: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

extension JSON {
    public var isNull: Bool { self == .null }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var number: JSONNumber? { if case .number(let value) = self { value } else { nil } }
    /// The number as an integer; nil for fractions, exponents that leave one, and values outside `Int`.
    public var int: Int? { number?.int }
    public var double: Double? { number?.double }

    /// The elements, mutable in place (`json.array?[0] = 1`); nil when this is not an array. Assigning nil makes an
    /// array null and leaves any other value as it is.
    public var array: [JSON]? {
        get { if case .array(let value) = self { value } else { nil } }
        _modify {
            var elements = array
            let wasArray = elements != nil
            if wasArray { self = .null }  // gives up the second reference, so that `elements` is mutated in place
            defer { if wasArray || elements != nil { self = elements.map(JSON.array) ?? .null } }
            yield &elements
        }
    }

    /// The members, mutable in place (`json.object?["a"] = 1`); nil when this is not an object. Assigning nil makes an
    /// object null and leaves any other value as it is.
    public var object: JSONObject? {
        get { if case .object(let value) = self { value } else { nil } }
        _modify {
            var members = object
            let wasObject = members != nil
            if wasObject { self = .null }
            defer { if wasObject || members != nil { self = members.map(JSON.object) ?? .null } }
            yield &members
        }
    }

    /// The member `key`, mutable in place. Nil when this is not an object or has no such key; assigning nil removes the
    /// member; assigning a value to what is not an object makes it one.
    public subscript(key: String) -> JSON? {
        get { if case .object(let object) = self { object[key] } else { nil } }
        _modify {
            if case .object(var object) = self {
                self = .null  // gives up the second reference, so that `object` is mutated in place
                defer { self = .object(object) }
                yield &object[key]
            } else {
                var value: JSON?
                defer { if let value { self = .object([key: value]) } }
                yield &value
            }
        }
    }

    /// The element at `index`, or nil when this is not an array or is shorter.
    public subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// The value under a path of object keys: `json.at("spec", "template", "metadata")`.
    public func at(_ path: String...) -> JSON? { at(path[...]) }

    /// Sets the value under a path of object keys, making the objects on the way; nil removes the member.
    public mutating func set(_ value: JSON?, at path: String...) { set(value, at: path[...]) }

    func at(_ path: ArraySlice<String>) -> JSON? {
        guard let key = path.first else { return self }
        return self[key]?.at(path.dropFirst())
    }

    mutating func set(_ value: JSON?, at path: ArraySlice<String>) {
        guard let key = path.first else { return }
        if path.count == 1 {
            self[key] = value
        } else if value != nil || self[key] != nil {
            self[key, default: .object([:])].set(value, at: path.dropFirst())
        }
    }

    private subscript(key: String, default fallback: JSON) -> JSON {
        get { self[key] ?? fallback }
        _modify {
            var value = fallback
            if let current = self[key] {
                value = current
                self[key] = .null
            }
            defer { self[key] = value }
            yield &value
        }
    }
}

extension JSON: Hashable {
    public static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .number(let value): hasher.combine(value)
        case .string(let value): hasher.combine(value)
        case .array(let value): hasher.combine(value)
        case .object(let value): hasher.combine(value)
        }
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
    public init(floatLiteral value: Double) { self = .number(JSONNumber(value)) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(JSONObject(elements.lazy.map { (key: $0.0, value: $0.1) }))
    }

    public init(_ value: Bool) { self = .bool(value) }
    public init(_ value: Int) { self = .number(JSONNumber(value)) }
    public init(_ value: String) { self = .string(value) }
    public init(_ values: [JSON]) { self = .array(values) }
    public init(_ members: [String: String]) {
        var object = JSONObject()
        for key in members.keys.sorted() { object[key] = members[key].map(JSON.string) }
        self = .object(object)
    }
}
