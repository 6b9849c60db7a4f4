internal import ServiceHTTP
internal import StructuredData
internal import TodoModel

/// The JSON Schema of each event type (draft 2020-12), with the schemas that it refers to inside.
enum EventSchemas {
    static let types =
        TodoEvent.Kind.allCases.map(\.rawValue) + ReminderEvent.Kind.allCases.map(\.rawValue)
        + AccountEvent.Kind.allCases.map(\.rawValue)

    /// Nil for a type that there is not.
    static func schema(_ type: String) -> JSON? {
        if let kind = TodoEvent.Kind(rawValue: type) {
            let body = kind.noun == "task" ? "Task" : "SharedProject"
            return envelope(
                type, isNumbered: true, data: ["seq": ["type": "integer", "minimum": 0], kind.noun: reference(body)])
        }
        if ReminderEvent.Kind(rawValue: type) != nil {
            return envelope(
                type, isNumbered: false, hasActor: false,
                data: ["reminder": reference("ToldReminder"), "task": OpenAPI.orNull(reference("Task"))])
        }
        guard AccountEvent.Kind(rawValue: type) != nil else { return nil }
        return envelope(type, isNumbered: false, data: ["account": ["type": "object"]])
    }

    /// A CloudEvent 1.0 in JSON. Brokers may add attributes.
    private static func envelope(
        _ type: String, isNumbered: Bool, hasActor: Bool = true, data members: JSONObject
    ) -> JSON {
        let text: JSON = ["type": "string", "minLength": 1]
        var data: JSONObject = ["user": OpenAPI.id, "members": ["type": "array", "items": OpenAPI.id]]
        if hasActor { data["actor"] = OpenAPI.id }
        for (name, schema) in members { data[name] = schema }
        var attributes: JSONObject = [
            "specversion": ["const": "1.0"], "id": OpenAPI.id, "type": ["const": .string(type)], "source": text,
            "subject": OpenAPI.id, "time": ["type": "string", "format": "date-time"],
            "datacontenttype": ["const": "application/json"], "partitionkey": OpenAPI.id,
            "data": [
                "type": "object", "properties": .object(data), "required": .array(data.keys.map(JSON.string)),
                "additionalProperties": false,
            ],
        ]
        if isNumbered { attributes["seq"] = ["type": "string", "pattern": "^[0-9]+$"] }
        return [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": .string(type), "type": "object",
            "properties": .object(attributes), "required": .array(attributes.keys.map(JSON.string)),
            "$defs": .object(definitions),
        ]
    }

    private static func reference(_ name: String) -> JSON { ["$ref": .string("#/$defs/\(name)")] }

    private static let definitions = JSONObject(
        ["Due", "Recurrence", "Task", "SharedProject", "ToldReminder"].map { name in
            (key: name, value: relocated(OpenAPI.schemas[name] ?? [:]))
        })

    /// References into the OpenAPI document become references into the schema.
    private static func relocated(_ json: JSON) -> JSON {
        switch json {
        case .object(let object):
            return .object(
                JSONObject(
                    object.map { key, value in
                        guard key == "$ref", let name = value.string?.split(separator: "/").last else {
                            return (key: key, value: relocated(value))
                        }
                        return (key: key, value: .string("#/$defs/\(name)"))
                    }))
        case .array(let elements): return .array(elements.map(relocated))
        default: return json
        }
    }
}
