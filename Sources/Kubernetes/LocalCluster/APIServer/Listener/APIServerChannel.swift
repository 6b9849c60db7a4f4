internal import Concurrency
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import HTTPServing

/// One connection: TLS, then HTTP/1.1, with the client's certificate known to every request.
struct APIServerChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    let context: NIOSSLContext
    let exchange: HTTPExchange
    private let plain: HTTP1Channel

    init(context: NIOSSLContext, exchange: HTTPExchange, idleTimeout: TimeAmount) {
        self.context = context
        self.exchange = exchange
        plain = HTTP1Channel(responder: { _, _, _ in }, configuration: .init(idleTimeout: idleTimeout))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        }.flatMap {
            plain.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionOptionsHandler(), position: .after(decoder))
            return value
        }
    }

    func handle(value: Value, logger: Logger) async {
        let peer = Peer()
        let http = HTTP1Channel { [exchange] request, writer, channel in
            try await exchange.answer(request, writer, channel, credentials: await peer.credentials(channel))
        }
        await withTaskExecutorPreference(EventLoopTaskExecutor(value.channel.eventLoop)) {
            await http.handle(value: value, logger: logger)
        }
    }
}

/// Says `Connection: close` in the one form that the connection's loop knows, for a client that says so among other
/// options or speaks HTTP/1.0 (RFC 9112 section 9.3).
private final class ConnectionOptionsHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        if head.version == .http1_0 || !head.isKeepAlive {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}

/// Who is at the other end, found out at the first request, when the handshake is over.
private final class Peer: Sendable {
    private let known = Lock<APIRequest.Credentials?>(nil)

    func credentials(_ channel: any Channel) async -> APIRequest.Credentials {
        if let credentials = known.withLock({ $0 }) { return credentials }
        let certificate = try? await channel.nioSSL_peerCertificate().get()
        let der = certificate.flatMap { try? $0.toDERBytes() }
        let credentials = der.flatMap { CertificateAuthority.identity(ofCertificate: $0) } ?? .headers
        known.withLock { $0 = credentials }
        return credentials
    }
}
