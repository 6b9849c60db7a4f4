internal import NIOCore
internal import NIOHTTP1

/// A request for a WebSocket that may be granted: what its headers say of the protocol and of who it is.
///
/// Who shows a token chose to do so. A cookie is sent along by the browser whoever's page opens the WebSocket, so with one
/// the `Origin` (RFC 6455, section 10.2) must be the host that was asked for, or one of those allowed.
struct Handshake {
    static let path = "/v1/stream"
    static let subprotocol = "todo.v1"
    private static let tokenPrefix = "bearer."

    struct Refusal: Error, Equatable {
        let status: Int
        let detail: String
    }

    /// Nil: the first message will tell.
    let credential: Credential?
    /// Whether the client offered the subprotocol, which is answered then.
    let hasSubprotocol: Bool

    /// - Parameters:
    ///   - headers: the values of a header, one for each time that it is there.
    ///   - allowedOrigins: further ones, such as `https://todo.example.com`.
    init(headers: (String) -> [String], allowedOrigins: Set<String>) throws(Refusal) {
        let offered = headers("Sec-WebSocket-Protocol").flatMap { $0.split(separator: ",") }.map { $0.trimmed }
        hasSubprotocol = offered.contains { $0 == Self.subprotocol }
        if !offered.isEmpty, !hasSubprotocol {
            throw Refusal(status: 400, detail: "offer the subprotocol \(Self.subprotocol)")
        }
        if let token = offered.first(where: { $0.hasPrefix(Self.tokenPrefix) }) {
            credential = Credential(token: token.dropFirst(Self.tokenPrefix.count))
        } else if let token = Self.bearer(headers("Authorization")) {
            credential = Credential(token: token)
        } else if let cookie = Self.cookie(headers("Cookie")) {
            guard Self.isOwn(headers, allowedOrigins) else {
                throw Refusal(status: 403, detail: "this Origin may not use the cookie; show a token")
            }
            credential = Credential(cookie: cookie)
        } else {
            credential = nil
        }
    }

    private static func bearer(_ values: [String]) -> Substring? {
        guard let parts = values.first?.split(separator: " ", maxSplits: 1), parts.count == 2,
            parts[0].lowercased() == "bearer"
        else { return nil }
        return parts[1].trimmed
    }

    private static func cookie(_ values: [String]) -> Substring? {
        values.flatMap { $0.split(separator: ";") }.map { $0.trimmed }
            .first { $0.hasPrefix("\(Credential.cookieName)=") }?
            .dropFirst(Credential.cookieName.count + 1)
    }

    private static func isOwn(_ headers: (String) -> [String], _ allowedOrigins: Set<String>) -> Bool {
        guard let origin = headers("Origin").first?.lowercased() else { return false }
        if allowedOrigins.contains(origin) { return true }
        // A page cannot choose either header of its WebSocket; a proxy in front may have changed the first.
        let hosts = (headers("Host") + headers("X-Forwarded-Host")).map { $0.lowercased() }
        return ["https://", "http://"].contains { scheme in
            origin.hasPrefix(scheme) && hosts.contains(String(origin.dropFirst(scheme.count)))
        }
    }
}

/// Makes a plain request of a first one that asks for a WebSocket and may not have it, so that the router says why not:
/// NIO would drop its head.
final class HandshakeFilter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private let isGranted: (HTTPRequestHead) -> Bool

    init(isGranted: @escaping (HTTPRequestHead) -> Bool) { self.isGranted = isGranted }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = Self.unwrapInboundIn(data)
        if case .head(var head) = part, head.headers.contains(name: "Upgrade"), !isGranted(head) {
            head.headers.remove(name: "Upgrade")
            part = .head(head)
        }
        context.fireChannelRead(Self.wrapInboundOut(part))
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
