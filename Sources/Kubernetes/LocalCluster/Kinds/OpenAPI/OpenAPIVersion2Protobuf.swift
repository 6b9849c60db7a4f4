internal import StructuredData

/// The OpenAPI 2.0 document as protobuf (gnostic's `openapi.v2.Document`), the form that kubectl before 1.29 insists
/// on. What no client reads, such as bounds and security, is left out.
enum OpenAPIVersion2Protobuf {
    static let contentType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

    static func encode(_ document: JSON) -> [UInt8] {
        var writer = WireWriter()
        writer.text(1, document["swagger"].text)
        writer.message(2) { info in
            info.text(1, document.at("info", "title").text)
            info.text(2, document.at("info", "version").text)
        }
        writer.message(8) { paths in
            for (path, item) in document["paths"]?.object ?? [:] {
                named(path, in: &paths, 2) { pathItem(item, &$0) }
            }
        }
        writer.message(9) { definitions in
            for (name, definition) in document["definitions"]?.object ?? [:] {
                named(name, in: &definitions, 1) { schema(definition, &$0) }
            }
        }
        return writer.bytes
    }

    /// An entry of a map: its name, and its value as field 2.
    private static func named(
        _ name: String, in writer: inout WireWriter, _ number: Int, _ fill: (inout WireWriter) -> Void
    ) {
        writer.message(number) { entry in
            entry.text(1, name)
            entry.message(2, fill)
        }
    }

    private static func pathItem(_ item: JSON, _ writer: inout WireWriter) {
        for (method, number) in [("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("patch", 8)] {
            if let operation = item[method] { writer.message(number) { Self.operation(operation, &$0) } }
        }
        for parameter in item["parameters"].elements { writer.message(9) { Self.parameter(parameter, &$0) } }
    }

    private static func operation(_ operation: JSON, _ writer: inout WireWriter) {
        func texts(_ key: String) -> [String] { operation[key].elements.compactMap(\.string) }
        writer.texts(1, texts("tags"))
        writer.text(3, operation["description"].text)
        writer.text(5, operation["operationId"].text)
        writer.texts(6, texts("produces"))
        writer.texts(7, texts("consumes"))
        for parameter in operation["parameters"].elements { writer.message(8) { Self.parameter(parameter, &$0) } }
        writer.message(9) { responses in
            for (code, response) in operation["responses"]?.object ?? [:] {
                named(code, in: &responses, 1) { value in
                    value.message(1) { writer in
                        writer.text(1, response["description"].text)
                        guard let body = response["schema"] else { return }
                        writer.message(2) { item in item.message(1) { schema(body, &$0) } }
                    }
                }
            }
        }
        writer.texts(10, texts("schemes"))
        extensions(of: operation, 13, &writer)
    }

    /// A `ParametersItem`: of a body, of a query or of a path.
    private static func parameter(_ parameter: JSON, _ writer: inout WireWriter) {
        writer.message(1) { writer in
            switch parameter["in"].text {
            case "body":
                writer.message(1) { body in
                    body.text(1, parameter["description"].text)
                    body.text(2, parameter["name"].text)
                    body.text(3, "body")
                    body.flag(4, parameter["required"]?.bool)
                    if let content = parameter["schema"] { body.message(5) { schema(content, &$0) } }
                }
            case "path":
                writer.message(2) { writer in
                    writer.message(4) { common(parameter, type: 5, unique: 19, &$0) }
                }
            default:
                writer.message(2) { writer in
                    writer.message(3) { common(parameter, type: 6, unique: 20, &$0) }
                }
            }
        }
    }

    private static func common(_ parameter: JSON, type: Int, unique: Int, _ writer: inout WireWriter) {
        writer.flag(1, parameter["required"]?.bool)
        writer.text(2, parameter["in"].text)
        writer.text(3, parameter["description"].text)
        writer.text(4, parameter["name"].text)
        writer.text(type, parameter["type"].text)
        writer.flag(unique, parameter["uniqueItems"]?.bool)
    }

    private static func schema(_ schema: JSON, _ writer: inout WireWriter) {
        writer.text(1, schema["$ref"].text)
        writer.text(2, schema["format"].text)
        writer.text(4, schema["description"].text)
        writer.text(13, schema["pattern"].text)
        writer.texts(19, schema["required"].elements.compactMap(\.string))
        for value in schema["enum"].elements { writer.message(20) { $0.text(2, value.text) } }
        if let values = schema["additionalProperties"] {
            writer.message(21) { item in
                if let isAllowed = values.bool {
                    item.flag(2, isAllowed)
                } else {
                    item.message(1) { Self.schema(values, &$0) }
                }
            }
        }
        let type = schema["type"].text
        if !type.isEmpty { writer.message(22) { $0.text(1, type) } }
        if let items = schema["items"] {
            writer.message(23) { writer in writer.message(1) { Self.schema(items, &$0) } }
        }
        if let properties = schema["properties"]?.object {
            writer.message(25) { writer in
                for (name, property) in properties { named(name, in: &writer, 1) { Self.schema(property, &$0) } }
            }
        }
        extensions(of: schema, 31, &writer)
    }

    /// `x-…` members; their values are YAML, of which JSON is a part.
    private static func extensions(of value: JSON, _ number: Int, _ writer: inout WireWriter) {
        for (name, content) in value.object ?? [:] where name.hasPrefix("x-") {
            named(name, in: &writer, number) { $0.text(2, content.text) }
        }
    }
}
