extension JSON {
    /// The JSON form of `value`. Numbers that JSON cannot write (infinite, NaN) throw `EncodingError`, and so does
    /// whatever `value` itself refuses to encode.
    public init(encoding value: some Encodable) throws {
        self = try EncodingNode.json(of: value, at: nil)
    }

    /// The value as a `T`. Members that `T` does not know are ignored.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws(JSONDecodingError) -> T {
        do {
            return try ValueDecoder(value: self, path: nil).decode(type)
        } catch {
            throw JSONDecodingError(error)
        }
    }
}

/// Why a JSON value is not what a type needs, as in
/// `spec.services.api.replicas: expected an integer, found a string`.
public struct JSONDecodingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where: members joined by dots, elements in brackets; empty for the value itself.
    public let path: String
    public let message: String

    public var description: String { path.isEmpty ? message : "\(path): \(message)" }

    init(_ error: any Error) {
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            path = Self.text(context.codingPath + [key])
            message = "required, but missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            path = Self.text(context.codingPath)
            message = context.debugDescription
        default:
            path = ""
            message = String(describing: error)
        }
    }

    private static func text(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in
            if let index = key.intValue, key is PathKey {
                text += "[\(index)]"
            } else {
                text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }
}

/// A key of which only the text or the index is known.
struct PathKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(index: Int) {
        stringValue = String(index)
        intValue = index
    }

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) { self.init(index: intValue) }
}

/// The way from the root to a value. A list that shares its head, because a path is made for every value and read
/// only in errors.
final class CodingPath: Sendable {
    private let parent: CodingPath?
    private let key: any CodingKey

    init(_ parent: CodingPath?, _ key: any CodingKey) {
        self.parent = parent
        self.key = key
    }

    var keys: [any CodingKey] {
        var keys: [any CodingKey] = []
        var place: CodingPath? = self
        while let current = place {
            keys.append(current.key)
            place = current.parent
        }
        return keys.reversed()
    }
}

extension JSON: Codable {
    /// Takes over the value of `JSON.decode`; from another decoder builds it out of what the decoder offers.
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? ValueDecoder {
            self = decoder.value
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .number(JSONNumber(value))
        } else if let value = try? container.decode(Double.self) {
            self = .number(JSONNumber(value))
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            let members = try container.decode([String: JSON].self)
            self = .object(JSONObject(members.keys.sorted().lazy.map { (key: $0, value: members[$0] ?? .null) }))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        if let encoder = encoder as? ValueEncoder {
            encoder.node.content = .value(self)
            return
        }
        switch self {
        case .object(let object):
            var container = encoder.container(keyedBy: PathKey.self)
            for (key, value) in object { try container.encode(value, forKey: PathKey(stringValue: key)) }
        case .array(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        default:
            var container = encoder.singleValueContainer()
            switch self {
            case .bool(let value): try container.encode(value)
            case .string(let value): try container.encode(value)
            case .number(let number):
                if let value = number.int { try container.encode(value) } else { try container.encode(number.double) }
            default: try container.encodeNil()
            }
        }
    }
}
