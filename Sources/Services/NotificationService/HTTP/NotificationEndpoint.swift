internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel

/// One method at one path: what the OpenAPI document says of it, and what does it. The router and the document are both
/// made of these.
struct NotificationEndpoint: Sendable {
    struct Call: Sendable {
        let request: Request
        let parameters: Parameters
        let user: UUID
        /// Null where there is none.
        let body: JSON

        /// The id in the path. Throws 404 when it is none.
        func id() throws -> UUID {
            guard let id = parameters.get("id").flatMap({ UUID(uuidString: $0) }) else { throw Problem.notFound }
            return id
        }
    }

    struct Answer: Sendable {
        var status: HTTPResponse.Status
        var json: JSON?
        var location: String?
    }

    let method: HTTPRequest.Method
    /// As OpenAPI writes it: `/v1/channels/{id}`.
    let path: String
    let name: String
    let summary: String
    let scope: Scope
    var query: [(name: String, schema: JSON, explanation: String)] = []
    /// The name of a schema.
    var body: String?
    /// A status that is no problem, and the name of the schema of its body.
    let outcome: (status: HTTPResponse.Status, schema: String?)
    let handle: @Sendable (Call) async throws -> Answer

    func add<Context: RequestContext>(to router: Router<Context>, _ authenticator: any TokenAuthenticator) {
        let path = RouterPath(path.replacing("{", with: ":").replacing("}", with: ""))
        router.on(path, method: method) { request, context in
            let principal = try await authenticator.principal(of: request, scope: scope.rawValue)
            let types = ["application/json", "application/merge-patch+json"]
            let json = body == nil ? .null : try Request.json(try await request.body(of: types))
            let answer = try await handle(
                Call(request: request, parameters: context.parameters, user: principal.user, body: json))
            var headers: HTTPFields = [.cacheControl: "no-store"]
            if let location = answer.location { headers[.location] = location }
            guard let json = answer.json else { return Response(status: answer.status, headers: headers) }
            headers[.contentType] = "application/json"
            return Response(
                status: answer.status, headers: headers,
                body: .init(byteBuffer: ByteBuffer(bytes: json.encoded())))
        }
    }
}
