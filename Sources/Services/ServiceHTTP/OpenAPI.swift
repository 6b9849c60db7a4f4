public import Hummingbird
internal import NIOCore
public import StructuredData

/// Parts of OpenAPI documents (JSON Schema 2020-12).
public enum OpenAPI {
    public static let id: JSON = ["type": "string", "format": "uuid"]
    public static let text: JSON = ["type": "string"]
    public static let time: JSON = ["type": "string", "format": "date-time"]
    public static let count: JSON = ["type": "integer", "minimum": 0]

    public static func reference(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }

    public static func words(_ words: [String]) -> JSON { ["type": "string", "enum": .array(words.map(JSON.string))] }
    public static func list(of items: JSON) -> JSON { ["type": "array", "items": items] }

    public static func orNull(_ schema: JSON) -> JSON {
        guard let type = schema["type"]?.string else { return ["anyOf": [schema, ["type": "null"]]] }
        var schema = schema
        schema["type"] = [.string(type), "null"]
        return schema
    }

    /// An object with these members and no other; all are required unless `optional` names them.
    public static func object(
        _ members: JSONObject, optional: Set<String> = [], _ text: String? = nil
    ) -> JSON {
        var schema: JSONObject = [
            "type": "object", "properties": .object(members), "additionalProperties": false,
            "required": .array(members.keys.filter { !optional.contains($0) }.map(JSON.string)),
        ]
        if let text { schema["description"] = .string(text) }
        return .object(schema)
    }
}

extension RouterMethods {
    /// Serves the OpenAPI 3.1 document of this service's part of the API: the api service adds it to its own.
    public func addOpenAPI(_ document: JSON) {
        let bytes = document.encoded()
        get("/openapi.json") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }
}
