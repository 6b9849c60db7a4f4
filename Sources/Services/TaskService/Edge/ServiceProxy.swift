internal import Concurrency
internal import HTTPTransport
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ServiceHTTP
internal import StructuredData

/// Passes requests for another service's paths on to it, with what says who asks, so that one address serves everything.
/// Bodies are held to the limits of this service's own; answers are passed on as they come.
struct ServiceProxy: Sendable {
    /// What the service is called in a problem: "the audit log".
    let name: String
    /// `http://host:port`.
    let url: String
    /// Each with all that is below it.
    let paths: [String]
    let transport: any HTTPTransport
    private let said = Lock<JSON?>(nil)

    private static let methods: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete]
    /// Of one connection alone (RFC 9110, section 7.6.1), or written anew by who sends.
    private static let ofConnection: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "expect", "host", "content-length",
    ]

    func add(to router: Router<some RequestContext>) {
        for path in paths.flatMap({ [$0, "\($0)/**"] }) {
            for method in Self.methods {
                router.on(RouterPath(path), method: method) { request, _ in try await pass(request) }
            }
        }
    }

    /// What the service says of its paths (OpenAPI 3.1), or what it said last where it does not say now. Throws 503
    /// while it never did: a client made of a document that lacks them would lack them for good.
    func document() async throws -> JSON {
        let request = ClientRequest(url: "\(url)/openapi.json", totalTimeout: .seconds(2))
        if let answer = try? await transport.send(request), answer.status == .ok,
            let body = try? await answer.body.collect(upTo: 1 << 20), let document = try? JSON(parsing: body)
        {
            said.withLock { $0 = document }
        }
        guard let document = said.withLock({ $0 }) else {
            throw Problem.unavailable("\(name) does not say at the moment what it serves; try again")
        }
        return document
    }

    private func pass(_ request: Request) async throws -> Response {
        let body = [.get, .head].contains(request.method) ? [] : try await request.bytes()
        var asked = ClientRequest(
            method: request.method, url: url + (request.head.path ?? "/"), headers: Self.passing(request.headers),
            body: body.isEmpty ? .none : .bytes(body))
        if let name = Request.forwardedHost {
            asked.headers[name] = request.headers[name] ?? request.head.authority
        }
        let answer: ClientResponse
        do { answer = try await transport.send(asked) } catch .cancelled { throw CancellationError() } catch {
            throw Problem.unavailable("\(name) is not to be had at the moment; try again")
        }
        var headers = Self.passing(answer.headers)
        // Nobody says twice how long it is, and no other service signs anybody in here.
        headers[.contentLength] = answer.headers[.contentLength]
        headers[.setCookie] = nil
        return Response(
            status: answer.status, headers: headers,
            body: ResponseBody { writer in
                for try await bytes in answer.body { try await writer.write(ByteBuffer(bytes: bytes)) }
                try await writer.finish(nil)
            })
    }

    /// All but those of the connection, and those that the connection's own names (RFC 9110, section 7.6.1).
    private static func passing(_ headers: HTTPFields) -> HTTPFields {
        let named = headers[values: .connection].flatMap { $0.lowercased().split(separator: ",") }
            .map { String($0.trimmingBlanks()) }
        let left = ofConnection.union(named)
        var result = HTTPFields()
        for field in headers where !left.contains(field.name.canonicalName) { result.append(field) }
        return result
    }
}
