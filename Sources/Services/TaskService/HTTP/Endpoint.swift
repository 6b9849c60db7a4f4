internal import HTTPTypes
internal import Hummingbird
internal import StructuredData
internal import TodoModel

/// One method at one path: what the OpenAPI document says of it, and what does it. The router and the document are both
/// made of these, so that neither has what the other lacks.
struct Endpoint: Sendable {
    enum Access: Sendable, Equatable {
        case everybody
        case bearer(Scope)
    }

    struct Parameter: Sendable {
        let name: String
        let schema: JSON
        let explanation: String
    }

    struct Body: Sendable {
        /// The name of a schema.
        let schema: String
        let types: [String]

        static func json(_ schema: String) -> Body { Body(schema: schema, types: ["application/json"]) }
        /// RFC 7396.
        static func patch(_ schema: String) -> Body {
            Body(schema: schema, types: ["application/merge-patch+json", "application/json"])
        }
    }

    /// A status that is no problem, and the name of the schema of its body.
    struct Outcome: Sendable {
        let status: HTTPResponse.Status
        var schema: String?
        var headers: [String] = []
    }

    let method: HTTPRequest.Method
    /// As OpenAPI writes it: `/v1/tasks/{id}`.
    let path: String
    /// The operation's id.
    let name: String
    let summary: String
    var access = Access.bearer(.read)
    var query: [Parameter] = []
    var body: Body?
    /// Honours `If-Match`.
    var isConditional = false
    /// A repeated request with an `Idempotency-Key` gets the first answer. Not where the answer is a secret, which nobody
    /// may keep, or where it leaves nobody to repeat it.
    var isRepeatable = true
    let outcomes: [Outcome]
    let handle: @Sendable (Call) async throws -> Answer

    var takesIdempotencyKey: Bool { method == .post && access != .everybody && isRepeatable }

    /// The names in braces.
    var pathParameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    /// As the router writes it: `/v1/tasks/:id`.
    var routerPath: RouterPath {
        RouterPath(path.replacing("{", with: ":").replacing("}", with: ""))
    }
}
