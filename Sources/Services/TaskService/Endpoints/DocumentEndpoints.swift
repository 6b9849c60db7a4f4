internal import HTTPTypes
internal import ServiceHTTP
internal import StructuredData

/// What describes the API: its OpenAPI document and the schemas of its events.
enum DocumentEndpoints {
    private static let schemas = "/v1/events/schemas"

    /// Of these endpoints, of itself, and of what the services behind the proxies say of themselves.
    static func all(describing others: [Endpoint], and proxies: [ServiceProxy]) -> [Endpoint] {
        let events = [
            Endpoint(
                method: .get, path: schemas, name: "listEventSchemas", summary: "The types of events.",
                access: .everybody, outcomes: [.init(status: .ok, schema: "EventSchemaList")]
            ) { _ in
                let items = EventSchemas.types.map { type -> JSON in
                    ["type": .string(type), "schema": .string("\(schemas)/\(type)")]
                }
                return Answer(.ok, ["items": .array(items)])
            },
            Endpoint(
                method: .get, path: "\(schemas)/{type}", name: "getEventSchema",
                summary: "The JSON Schema of an event type.", access: .everybody,
                outcomes: [.init(status: .ok, schema: "Schema")]
            ) { call in
                guard let schema = EventSchemas.schema(try call.text("type")) else { throw Problem.notFound }
                return Answer(.ok, schema)
            },
        ]
        func openAPI(_ document: JSON) -> Endpoint {
            Endpoint(
                method: .get, path: "/v1/openapi.json", name: "getOpenAPI", summary: "This document.",
                access: .everybody, outcomes: [.init(status: .ok, schema: "Document")]
            ) { _ in
                var whole = document
                for proxy in proxies { OpenAPIDocument.add(try await proxy.document(), to: &whole) }
                return Answer(.ok, whole)
            }
        }
        let document = OpenAPIDocument.make(of: others + events + [openAPI(.null)])
        return events + [openAPI(document)]
    }
}
