internal import HTTPTypes
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel

/// The OpenAPI 3.1 document of the endpoints that the router knows.
enum OpenAPIDocument {
    static func make(of endpoints: [Endpoint]) -> JSON {
        var paths = JSONObject()
        for endpoint in endpoints {
            var item = paths[endpoint.path] ?? [:]
            item[endpoint.method.rawValue.lowercased()] = operation(endpoint)
            paths[endpoint.path] = item
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "todo-operator", "version": "1",
                "description": "Tasks, projects, filters, and what changed. Errors are problems (RFC 9457).",
            ],
            "paths": .object(paths),
            "components": [
                "schemas": .object(OpenAPI.schemas),
                "responses": [
                    "Problem": [
                        "description": "Why not.",
                        "content": ["application/problem+json": ["schema": OpenAPI.reference("Problem")]],
                    ]
                ],
                "securitySchemes": [
                    "bearer": ["type": "http", "scheme": "bearer"],
                    "session": ["type": "apiKey", "in": "cookie", "name": .string(Authenticator.cookie)],
                ],
            ],
        ]
    }

    /// Adds the paths and schemas of another service's document; what is there already stays.
    static func add(_ other: JSON, to document: inout JSON) {
        func union(_ one: JSON?, _ other: JSON?) -> JSON {
            var all = one?.object ?? [:]
            for (name, value) in other?.object ?? [:] where !all.contains(name) { all[name] = value }
            return .object(all)
        }
        document["paths"] = union(document["paths"], other["paths"])
        let schemas = union(document.at("components", "schemas"), other.at("components", "schemas"))
        document.set(schemas, at: "components", "schemas")
    }

    private static func operation(_ endpoint: Endpoint) -> JSON {
        var operation: JSONObject = [
            "operationId": .string(endpoint.name), "summary": .string(endpoint.summary),
            "security": security(endpoint.access), "parameters": .array(parameters(endpoint)),
            "responses": responses(endpoint),
        ]
        if case .bearer(let scope) = endpoint.access { operation["x-scope"] = .string(scope.rawValue) }
        if let body = endpoint.body {
            let content = body.types.map { (key: $0, value: ["schema": OpenAPI.reference(body.schema)] as JSON) }
            operation["requestBody"] = ["required": true, "content": .object(JSONObject(content))]
        }
        return .object(operation)
    }

    private static func security(_ access: Endpoint.Access) -> JSON {
        access == .everybody ? [] : [["bearer": []], ["session": []]]
    }

    private static func parameters(_ endpoint: Endpoint) -> [JSON] {
        let path = endpoint.pathParameters.map { name -> JSON in
            let schema: JSON = name == "name" || name == "type" ? ["type": "string"] : OpenAPI.id
            return ["name": .string(name), "in": "path", "required": true, "schema": schema]
        }
        let query = endpoint.query.map { parameter -> JSON in
            [
                "name": .string(parameter.name), "in": "query", "schema": parameter.schema,
                "description": .string(parameter.explanation),
            ]
        }
        var headers: [JSON] = []
        if endpoint.isConditional { headers.append(header("If-Match", "Only at one of these versions.")) }
        if endpoint.outcomes.contains(where: { $0.status == .notModified }) {
            headers.append(header("If-None-Match", "Only at another version."))
        }
        if endpoint.takesIdempotencyKey {
            headers.append(header("Idempotency-Key", "A repeated request with it gets the first answer, for a day."))
        }
        return path + query + headers
    }

    private static func header(_ name: String, _ text: String) -> JSON {
        ["name": .string(name), "in": "header", "schema": ["type": "string"], "description": .string(text)]
    }

    private static func responses(_ endpoint: Endpoint) -> JSON {
        var responses = JSONObject()
        for outcome in endpoint.outcomes {
            var response: JSONObject = ["description": .string(outcome.status.reasonPhrase)]
            if !outcome.headers.isEmpty {
                let headers = outcome.headers.map { (key: $0, value: ["schema": ["type": "string"]] as JSON) }
                response["headers"] = .object(JSONObject(headers))
            }
            if let schema = outcome.schema {
                response["content"] = ["application/json": ["schema": OpenAPI.reference(schema)]]
            }
            responses["\(outcome.status.code)"] = .object(response)
        }
        responses["default"] = ["$ref": "#/components/responses/Problem"]
        return .object(responses)
    }
}
