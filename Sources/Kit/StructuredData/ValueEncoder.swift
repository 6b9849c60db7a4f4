/// A value under construction, shared by the containers that fill it.
final class EncodingNode {
    enum Content {
        case empty
        case value(JSON)
        case array([EncodingNode])
        case object([(key: String, node: EncodingNode)])
    }

    var content = Content.empty

    /// What was encoded; an object where nothing was, as for a type without properties.
    var json: JSON {
        switch content {
        case .empty: .object([:])
        case .value(let value): value
        case .array(let nodes): .array(nodes.map(\.json))
        case .object(let members): .object(JSONObject(members.lazy.map { (key: $0.key, value: $0.node.json) }))
        }
    }

    static func json(of value: some Encodable, at path: CodingPath?) throws -> JSON {
        let encoder = ValueEncoder(path: path)
        try encoder.encode(value)
        return encoder.node.json
    }

    func member(_ key: String) -> EncodingNode {
        let node = EncodingNode()
        var members: [(key: String, node: EncodingNode)] = []
        if case .object(let current) = content { members = current }
        content = .empty  // gives up the second reference, so that `members` grows in place
        members.append((key, node))
        content = .object(members)
        return node
    }

    func element() -> EncodingNode {
        let node = EncodingNode()
        var nodes: [EncodingNode] = []
        if case .array(let current) = content { nodes = current }
        content = .empty
        nodes.append(node)
        content = .array(nodes)
        return node
    }

    var count: Int { if case .array(let nodes) = content { nodes.count } else { 0 } }
}

/// Encodes into a node.
struct ValueEncoder: Encoder {
    var node = EncodingNode()
    let path: CodingPath?

    var codingPath: [any CodingKey] { path?.keys ?? [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .empty = node.content { node.content = .object([]) }
        return KeyedEncodingContainer(KeyedSink<Key>(node: node, path: path))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .empty = node.content { node.content = .array([]) }
        return UnkeyedSink(node: node, path: path)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    private func double(_ value: Double) throws {
        guard value.isFinite else {
            let context = EncodingError.Context(
                codingPath: codingPath, debugDescription: "JSON has no number for \(value)")
            throw EncodingError.invalidValue(value, context)
        }
        node.content = .value(.number(JSONNumber(value)))
    }

    private func integer(_ value: some FixedWidthInteger) {
        node.content = .value(.number(JSONNumber(validated: String(value))))
    }
}

extension ValueEncoder: SingleValueEncodingContainer {
    func encodeNil() throws { node.content = .value(.null) }
    func encode(_ value: Bool) throws { node.content = .value(.bool(value)) }
    func encode(_ value: String) throws { node.content = .value(.string(value)) }
    func encode(_ value: Double) throws { try double(value) }
    func encode(_ value: Float) throws {
        guard value.isFinite, let number = JSONNumber(text: "\(value)") else { return try double(Double(value)) }
        node.content = .value(.number(number))
    }
    func encode(_ value: Int) throws { integer(value) }
    func encode(_ value: Int8) throws { integer(value) }
    func encode(_ value: Int16) throws { integer(value) }
    func encode(_ value: Int32) throws { integer(value) }
    func encode(_ value: Int64) throws { integer(value) }
    func encode(_ value: UInt) throws { integer(value) }
    func encode(_ value: UInt8) throws { integer(value) }
    func encode(_ value: UInt16) throws { integer(value) }
    func encode(_ value: UInt32) throws { integer(value) }
    func encode(_ value: UInt64) throws { integer(value) }
    func encode(_ value: some Encodable) throws { try value.encode(to: self) }
}

private struct KeyedSink<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: EncodingNode
    let path: CodingPath?

    var codingPath: [any CodingKey] { path?.keys ?? [] }

    func encodeNil(forKey key: Key) throws { try member(key).encodeNil() }
    func encode(_ value: Bool, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: String, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Double, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Float, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int8, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int16, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int32, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int64, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: UInt, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: UInt8, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: UInt16, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: UInt32, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: UInt64, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: some Encodable, forKey key: Key) throws { try member(key).encode(value) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        member(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { member(key).unkeyedContainer() }
    func superEncoder() -> any Encoder { member(PathKey(stringValue: "super")) }
    func superEncoder(forKey key: Key) -> any Encoder { member(key) }

    private func member(_ key: any CodingKey) -> ValueEncoder {
        ValueEncoder(node: node.member(key.stringValue), path: CodingPath(path, key))
    }
}

private struct UnkeyedSink: UnkeyedEncodingContainer {
    let node: EncodingNode
    let path: CodingPath?

    var codingPath: [any CodingKey] { path?.keys ?? [] }
    var count: Int { node.count }

    func encodeNil() throws { try element().encodeNil() }
    func encode(_ value: some Encodable) throws { try element().encode(value) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        element().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { element().unkeyedContainer() }
    func superEncoder() -> any Encoder { element() }

    private func element() -> ValueEncoder {
        let key = PathKey(index: node.count)
        return ValueEncoder(node: node.element(), path: CodingPath(path, key))
    }
}
