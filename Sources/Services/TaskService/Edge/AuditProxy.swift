internal import HTTPTransport
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Passes requests for `/v1/audit` on to the audit service, with what says who asks, so that one address serves
/// everything.
struct AuditProxy: Sendable {
    let url: String
    let transport: any HTTPTransport

    private static let requestHeaders: [HTTPField.Name] = [.authorization, .cookie, .accept, .ifNoneMatch]
    private static let answerHeaders: [HTTPField.Name] = [
        .contentType, .contentLength, .cacheControl, .eTag, .wwwAuthenticate, .retryAfter, .contentDisposition,
    ]

    func add(to router: Router<some RequestContext>) {
        for path in ["/v1/audit", "/v1/audit/**"] {
            router.get(RouterPath(path)) { request, _ in try await pass(request) }
        }
    }

    private func pass(_ request: Request) async throws -> Response {
        var asked = ClientRequest(url: url + (request.head.path ?? "/v1/audit"))
        for name in Self.requestHeaders { asked.headers[values: name] = request.headers[values: name] }
        let answer: ClientResponse
        do { answer = try await transport.send(asked) } catch .cancelled { throw CancellationError() } catch {
            throw Problem(.serviceUnavailable, "the audit log is not to be had at the moment; try again")
        }
        var headers = HTTPFields()
        for name in Self.answerHeaders { headers[values: name] = answer.headers[values: name] }
        return Response(
            status: answer.status, headers: headers,
            body: ResponseBody { writer in
                for try await bytes in answer.body { try await writer.write(ByteBuffer(bytes: bytes)) }
                try await writer.finish(nil)
            })
    }
}
