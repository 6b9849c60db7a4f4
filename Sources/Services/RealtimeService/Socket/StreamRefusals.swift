internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import StructuredData

/// Answers requests for the stream that were not granted: why not (RFC 9457).
struct StreamRefusals: Sendable {
    let hub: Hub
    let allowedOrigins: Set<String>

    func add(to router: Router<BasicRequestContext>) {
        router.get(RouterPath(Handshake.path)) { request, _ in refusal(of: request.headers) }
    }

    private func refusal(of headers: HTTPFields) -> Response {
        // Its Upgrade is gone, see HandshakeFilter.
        guard headers.contains(.secWebSocketKey) else {
            return answer(.upgradeRequired, "this is a WebSocket", [.upgrade: "websocket"])
        }
        switch hub.refusal {
        case .draining: return answer(.serviceUnavailable, "the service is stopping; try again", [.retryAfter: "1"])
        case .full: return answer(.serviceUnavailable, "there are too many connections; try later", [.retryAfter: "5"])
        case nil: break
        }
        do throws(Handshake.Refusal) {
            _ = try Handshake(
                headers: { name in HTTPField.Name(name).map { headers[values: $0] } ?? [] },
                allowedOrigins: allowedOrigins)
            return answer(
                .badRequest,
                "the handshake is the first GET of a connection, with Upgrade, Connection and Sec-WebSocket-Version 13",
                [.secWebSocketVersion: "13"])
        } catch {
            return answer(HTTPResponse.Status(code: error.status), error.detail, [:])
        }
    }

    private func answer(_ status: HTTPResponse.Status, _ detail: String, _ headers: HTTPFields) -> Response {
        hub.metrics.handshake("\(status.code)")
        var headers = headers
        headers[.contentType] = "application/problem+json"
        // What comes next on it, from a proxy that keeps it, would be for the API, which passed all of it on to here.
        headers[.connection] = headers[.upgrade] == nil ? "close" : "upgrade, close"
        let body: JSON = [
            "title": .string(status.reasonPhrase), "status": JSON(status.code), "detail": .string(detail),
        ]
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body.encoded())))
    }
}
