internal import StructuredData

/// The two forms in which the same operations are written: OpenAPI 3.0, and OpenAPI 2.0 for old clients.
enum OpenAPIDialect {
    case version2, version3

    func reference(_ definition: String) -> JSON {
        switch self {
        case .version2: ["$ref": .string("#/definitions/\(definition)")]
        case .version3: ["$ref": .string("#/components/schemas/\(definition)")]
        }
    }

    func parameter(_ name: String, in place: String, type: String, _ description: String) -> JSON {
        var parameter: JSON = ["name": .string(name), "in": .string(place), "description": .string(description)]
        if place == "path" { parameter["required"] = true }
        switch self {
        case .version2:
            parameter["type"] = .string(type)
            parameter["uniqueItems"] = true
        case .version3: parameter["schema"] = ["type": .string(type), "uniqueItems": true]
        }
        return parameter
    }

    /// The statuses that an operation may answer with, all with a body of `definition`.
    func responses(_ statuses: [(code: String, text: String)], definition: String) -> JSON {
        var responses: JSON = [:]
        for status in statuses {
            var response: JSON = ["description": .string(status.text)]
            switch self {
            case .version2: response["schema"] = reference(definition)
            case .version3:
                response["content"] = content(
                    ["application/json", "application/yaml"], reference(definition))
            }
            responses[status.code] = response
        }
        responses["401"] = ["description": "Unauthorized"]
        return responses
    }

    func content(_ types: [String], _ schema: JSON) -> JSON {
        var content: JSON = [:]
        for type in types { content[type] = ["schema": schema] }
        return content
    }

    /// Adds a body to an operation.
    func setBody(_ schema: JSON, types: [String], isRequired: Bool, in operation: inout JSON) {
        switch self {
        case .version2:
            var body: JSON = ["name": "body", "in": "body", "schema": schema]
            if isRequired { body["required"] = true }
            operation["parameters"] = .array([body] + operation["parameters"].elements)
            operation["consumes"] = JSON(types)
        case .version3:
            var body: JSON = ["content": content(types, schema)]
            if isRequired { body["required"] = true }
            operation["requestBody"] = body
        }
    }
}
