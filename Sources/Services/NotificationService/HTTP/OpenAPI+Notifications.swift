internal import HTTPTypes
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel

extension OpenAPI {
    private static let kind = words(["webhook", "email"])
    static let deliveryState = words(NotificationDelivery.State.allCases.map(\.rawValue))

    /// The document of this service's part of the API.
    static func notifications(_ endpoints: [NotificationEndpoint]) -> JSON {
        var paths = JSONObject()
        for endpoint in endpoints {
            var item = paths[endpoint.path] ?? [:]
            item[endpoint.method.rawValue.lowercased()] = operation(endpoint)
            paths[endpoint.path] = item
        }
        for action in LinkAction.allCases { paths["\(Links.path)/\(action.name)"] = link(action) }
        return [
            "openapi": "3.1.0", "info": ["title": "todo-operator: notifications", "version": "1"],
            "paths": .object(paths), "components": ["schemas": .object(notificationSchemas)],
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

    private static let channel: JSONObject = [
        "id": id, "kind": kind, "target": text, "createdAt": time, "verifiedAt": orNull(time),
        "pausedAt": orNull(time), "pausedBecause": orNull(text), "failures": count, "blockedUntil": orNull(time),
    ]

    private static let notificationSchemas: JSONObject = {
        var new = object(channel)
        new.set(["type": "string", "description": "Of a webhook; told once."], at: "properties", "secret")
        return [
            "Channel": object(channel), "NewChannel": new,
            "ChannelList": object(["items": list(of: reference("Channel"))]),
            "ChannelDraft": object(["kind": kind, "target": ["type": "string", "minLength": 1, "maxLength": 2000]]),
            "ChannelPatch": object(["paused": ["type": "boolean"]]),
            "ChannelSecret": object(["secret": text, "formerUntil": time]),
            "Delivery": object([
                "id": id, "purpose": ["type": "string", "enum": ["reminder", "test", "verification"]],
                "reminder": id, "firedAt": time, "task": orNull(id), "title": orNull(text), "kind": text,
                "target": text, "channel": orNull(id), "state": deliveryState, "attempts": count, "createdAt": time,
                "lastAttemptAt": orNull(time), "nextAttemptAt": orNull(time), "deliveredAt": orNull(time),
                "lastError": orNull(text),
            ]),
            "DeliveryPage": object([
                "items": list(of: reference("Delivery")), "nextCursor": orNull(text),
            ]),
        ]
    }()
}
