internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import StructuredData
internal import TodoModel

/// The OpenAPI 3.1 document of this service's part of the API, at `/openapi.json`: the api service adds it to its own.
enum NotificationDocument {
    private static let id: JSON = ["type": "string", "format": "uuid"]
    private static let text: JSON = ["type": "string"]
    private static let time: JSON = ["type": "string", "format": "date-time"]
    private static let count: JSON = ["type": "integer", "minimum": 0]
    private static let kind: JSON = ["type": "string", "enum": ["webhook", "email"]]
    static let state: JSON = [
        "type": "string", "enum": .array(NotificationDelivery.State.allCases.map { .string($0.rawValue) }),
    ]

    static func add<Context: RequestContext>(to router: Router<Context>, describing endpoints: [NotificationEndpoint]) {
        let bytes = document(of: endpoints).encoded()
        router.get("/openapi.json") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }

    static func document(of endpoints: [NotificationEndpoint]) -> JSON {
        var paths = JSONObject()
        for endpoint in endpoints {
            var item = paths[endpoint.path] ?? [:]
            item[endpoint.method.rawValue.lowercased()] = operation(endpoint)
            paths[endpoint.path] = item
        }
        for action in LinkAction.allCases { paths["\(Links.path)/\(action.name)"] = link(action) }
        return [
            "openapi": "3.1.0", "info": ["title": "todo-operator: notifications", "version": "1"],
            "paths": .object(paths), "components": ["schemas": .object(schemas)],
        ]
    }

    private static func operation(_ endpoint: NotificationEndpoint) -> JSON {
        var parameters: [JSON] = endpoint.path.contains("{id}") ? [parameter("id", in: "path", id)] : []
        parameters += endpoint.query.map { query in
            var parameter = parameter(query.name, in: "query", query.schema)
            parameter["description"] = .string(query.explanation)
            return parameter
        }
        var answer: JSONObject = ["description": .string(endpoint.outcome.status.reasonPhrase)]
        if let schema = endpoint.outcome.schema {
            answer["content"] = ["application/json": ["schema": reference(schema)]]
        }
        var operation: JSONObject = [
            "operationId": .string(endpoint.name), "summary": .string(endpoint.summary),
            "security": [["bearer": []], ["session": []]], "x-scope": .string(endpoint.scope.rawValue),
            "parameters": .array(parameters),
            "responses": [
                "\(endpoint.outcome.status.code)": .object(answer),
                "default": ["$ref": "#/components/responses/Problem"],
            ],
        ]
        if let body = endpoint.body {
            operation["requestBody"] = [
                "required": true, "content": ["application/json": ["schema": reference(body)]],
            ]
        }
        return .object(operation)
    }

    /// A page that asks, and the form on it.
    private static func link(_ action: LinkAction) -> JSON {
        func operation(_ verb: String, _ summary: String) -> JSON {
            [
                "operationId": .string("\(verb)\(action.name.prefix(1).uppercased())\(action.name.dropFirst())Link"),
                "summary": .string(summary), "security": [], "parameters": [parameter("t", in: "query", text)],
                "responses": [
                    "200": ["description": "OK", "content": ["text/html": ["schema": text]]],
                    "default": ["description": "Why not.", "content": ["text/html": ["schema": text]]],
                ],
            ]
        }
        return [
            "get": operation("show", "The page behind a link in a mail, which changes nothing."),
            "post": operation("follow", "Do what a link in a mail is for."),
        ]
    }

    private static func parameter(_ name: String, in place: String, _ schema: JSON) -> JSON {
        var parameter: JSON = ["name": .string(name), "in": .string(place), "schema": schema]
        if place == "path" { parameter["required"] = true }
        return parameter
    }

    private static func reference(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }

    private static func orNull(_ schema: JSON) -> JSON { ["anyOf": [schema, ["type": "null"]]] }

    private static func object(_ members: JSONObject) -> JSON {
        [
            "type": "object", "properties": .object(members), "additionalProperties": false,
            "required": .array(members.keys.map(JSON.string)),
        ]
    }

    private static let channel: JSONObject = [
        "id": id, "kind": kind, "target": text, "createdAt": time, "verifiedAt": orNull(time),
        "pausedAt": orNull(time), "pausedBecause": orNull(text), "failures": count, "blockedUntil": orNull(time),
    ]

    private static let schemas: JSONObject = {
        var new = object(channel)
        new.set(["type": "string", "description": "Of a webhook; told once."], at: "properties", "secret")
        return [
            "Channel": object(channel), "NewChannel": new,
            "ChannelList": object(["items": ["type": "array", "items": reference("Channel")]]),
            "ChannelDraft": object(["kind": kind, "target": ["type": "string", "minLength": 1, "maxLength": 2000]]),
            "ChannelPatch": object(["paused": ["type": "boolean"]]),
            "ChannelSecret": object(["secret": text, "formerUntil": time]),
            "Delivery": object([
                "id": id, "purpose": ["type": "string", "enum": ["reminder", "test", "verification"]],
                "reminder": id, "firedAt": time, "task": orNull(id), "title": orNull(text), "kind": text,
                "target": text, "channel": orNull(id), "state": state, "attempts": count, "createdAt": time,
                "lastAttemptAt": orNull(time), "nextAttemptAt": orNull(time), "deliveredAt": orNull(time),
                "lastError": orNull(text),
            ]),
            "DeliveryPage": object([
                "items": ["type": "array", "items": reference("Delivery")], "nextCursor": orNull(text),
            ]),
        ]
    }()
}
