public import StructuredData

/// Why a protobuf body could not be read; answered with 400 `BadRequest`, or 415 when the kind is not known here.
public enum ProtobufError: Error, Hashable {
    /// Not the `k8s\0` envelope, or its content ends early or contradicts itself.
    case malformed(String)
    /// A kind that has no table here.
    case unsupportedKind(apiVersion: String, kind: String)
}

/// Reads bodies of `application/vnd.kubernetes.protobuf`: the envelope `k8s\0`, a `runtime.Unknown`, and in it one of
/// the kinds that typed `kubectl create` and other typed clients send.
public enum ProtobufDecoder {
    private static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0]
    private static let deepest = 64

    /// The object as JSON, with apiVersion and kind. Total: hostile bytes give an error, never a crash, and take time
    /// and memory in proportion to their length.
    public static func decode(_ bytes: [UInt8]) throws(ProtobufError) -> JSON {
        guard bytes.starts(with: magic) else { throw .malformed("the body does not start with k8s\\0") }
        var apiVersion = ""
        var kind = ""
        var content: ArraySlice<UInt8> = []
        var envelope = WireReader(bytes.dropFirst(magic.count))
        while let (number, value) = try envelope.next() {
            guard case .bytes(let part) = value else { continue }
            switch number {
            case 1:
                var type = WireReader(part)
                while let (number, value) = try type.next() {
                    guard case .bytes(let text) = value else { continue }
                    if number == 1 { apiVersion = String(decoding: text, as: UTF8.self) }
                    if number == 2 { kind = String(decoding: text, as: UTF8.self) }
                }
            case 2: content = part
            default: break
            }
        }
        let parts = apiVersion.split(separator: "/")
        let group = parts.count == 2 ? String(parts[0]) : ""
        guard let version = parts.last,
            let name = MessageTables.name(group: group, version: String(version), kind: kind)
        else { throw .unsupportedKind(apiVersion: apiVersion, kind: kind) }
        var object: JSON = ["kind": .string(kind), "apiVersion": .string(apiVersion)]
        try read(content, as: name, into: &object, depth: 0)
        return object
    }

    private static func read(
        _ bytes: ArraySlice<UInt8>, as name: String, into object: inout JSON, depth: Int
    ) throws(ProtobufError) {
        guard depth < deepest else { throw .malformed("messages nested too deeply") }
        guard let message = MessageTables.messages[name] else { return }
        var lists: [String: [JSON]] = [:]
        var order: [String] = []
        var reader = WireReader(bytes)
        while let (number, value) = try reader.next() {
            guard let field = message[number] else { continue }
            switch field.shape {
            case .inline:
                guard case .bytes(let part) = value, case .message(let inner) = field.content else { continue }
                try read(part, as: inner, into: &object, depth: depth + 1)
            case .repeated:
                if lists[field.name] == nil { order.append(field.name) }
                lists[field.name, default: []].append(try json(value, field, keepsZero: true, depth: depth) ?? .null)
            case .map:
                guard case .bytes(let part) = value else { continue }
                let (key, value) = try entry(part, field, depth: depth)
                if object[field.name] == nil { object[field.name] = [:] }
                object[field.name]?[key] = value
            case .single:
                if let value = try json(value, field, keepsZero: field.keepsZero, depth: depth) {
                    object[field.name] = value
                }
            }
        }
        for name in order { object[name] = lists[name].map(JSON.array) }
    }

    private static func entry(
        _ bytes: ArraySlice<UInt8>, _ field: MessageTables.Field, depth: Int
    ) throws(ProtobufError) -> (String, JSON) {
        var key = ""
        var content: JSON = ""
        var reader = WireReader(bytes)
        while let (number, value) = try reader.next() {
            if number == 1, case .bytes(let text) = value { key = String(decoding: text, as: UTF8.self) }
            if number == 2, let value = try json(value, field, keepsZero: true, depth: depth) { content = value }
        }
        return (key, content)
    }

    /// Nil when the value is Go's zero and reads as absent.
    private static func json(
        _ value: WireReader.Value, _ field: MessageTables.Field, keepsZero: Bool, depth: Int
    ) throws(ProtobufError) -> JSON? {
        switch (field.content, value) {
        case (.text, .bytes(let bytes)):
            return bytes.isEmpty && !keepsZero ? nil : .string(String(decoding: bytes, as: UTF8.self))
        case (.bytes, .bytes(let bytes)): return .string(Base64.encode(Array(bytes)))
        case (.integer, .integer(let number)):
            return number == 0 && !keepsZero ? nil : JSON(Int(Int64(bitPattern: number)))
        case (.boolean, .integer(let number)):
            return number == 0 && !keepsZero ? nil : .bool(number != 0)
        case (.message(let name), .bytes(let bytes)):
            if MessageTables.special.contains(name) { return try SpecialMessages.read(bytes, as: name) }
            var object: JSON = [:]
            try read(bytes, as: name, into: &object, depth: depth + 1)
            return object.isEmptyValue && !keepsZero ? nil : object
        default: throw .malformed("field \(field.name) has another type")
        }
    }
}
