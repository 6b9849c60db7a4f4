internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix

/// Passes connections whose first request is for `/v1/stream` on to the realtime service as they are, so that one
/// address serves everything: bytes go both ways until either side closes. A cluster's ingress can do that as well; a
/// laptop has none.
///
/// It stands nearest to the socket and takes nothing away from other connections.
final class StreamTunnel: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private enum State {
        /// Too little has come to tell.
        case undecided(ByteBuffer)
        case passing
        case connecting(ByteBuffer)
        case tunnel(any Channel)
        case closed
    }

    static let path = "/v1/stream"
    private static let connectTimeout: TimeAmount = .seconds(5)

    private let target: SocketTarget
    private var state = State.undecided(ByteBuffer())

    init(to target: SocketTarget) { self.target = target }

    /// Whether a connection that begins so is for the realtime service; nil when that is open.
    static func isStream(_ head: ByteBufferView) -> Bool? {
        let wanted = "GET \(path)".utf8
        guard head.starts(with: wanted) else { return wanted.starts(with: head) ? nil : false }
        guard let next = head.dropFirst(wanted.count).first else { return nil }
        return next == UInt8(ascii: " ") || next == UInt8(ascii: "?")
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch state {
        case .passing: context.fireChannelRead(data)
        case .undecided(var head):
            head.writeBuffer(&bytes)
            decide(head, context)
        case .connecting(var head):
            head.writeBuffer(&bytes)
            state = .connecting(head)
        case .tunnel(let peer): peer.writeAndFlush(bytes, promise: nil)
        case .closed: break
        }
    }

    private func decide(_ head: ByteBuffer, _ context: ChannelHandlerContext) {
        switch Self.isStream(head.readableBytesView) {
        case nil: state = .undecided(head)
        case false?:
            state = .passing
            context.fireChannelRead(NIOAny(head))
        case true?:
            state = .connecting(head)
            connect(context)
        }
    }

    private func connect(_ context: ChannelHandlerContext) {
        // Nothing more is read than what had come, until there is somebody to give it to.
        context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
        let front = context.channel
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        ClientBootstrap(group: context.eventLoop).connectTimeout(Self.connectTimeout)
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TunnelEnd(front: front))
                }
            }
            .connect(host: target.host, port: target.port).whenComplete { result in
                let (tunnel, context) = bound.value
                switch result {
                case .success(let peer): tunnel.connected(to: peer, context)
                case .failure: tunnel.refuse(context)
                }
            }
    }

    private func connected(to peer: any Channel, _ context: ChannelHandlerContext) {
        guard case .connecting(let head) = state else {
            peer.close(promise: nil)
            return
        }
        state = .tunnel(peer)
        peer.writeAndFlush(head, promise: nil)
        for channel in [peer, context.channel] { channel.setOption(.autoRead, value: true).whenFailure { _ in } }
    }

    private func refuse(_ context: ChannelHandlerContext) {
        guard case .connecting = state else { return }
        state = .closed
        let body = """
            {"type":"about:blank","title":"Service Unavailable","status":503,\
            "detail":"live changes are not to be had at the moment; try again"}
            """
        let answer =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(NIOAny(ByteBuffer(string: answer))).whenComplete { _ in
            bound.value.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .tunnel(let peer) = state { peer.close(promise: nil) }
        if case .passing = state {} else { state = .closed }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (state, event) {
        // The server is to stop: whoever is at the other end comes back.
        case (.tunnel, is ChannelShouldQuiesceEvent), (.connecting, is ChannelShouldQuiesceEvent):
            context.close(promise: nil)
        case (.tunnel(let peer), ChannelEvent.inputClosed):
            peer.close(mode: .output, promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Out

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .tunnel(let peer) = state {
            peer.setOption(.autoRead, value: context.channel.isWritable).whenFailure { _ in }
        }
        context.fireChannelWritabilityChanged()
    }

    /// The HTTP server's handlers see a connection on which nothing ever comes: that they find it idle is no reason.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch state {
        case .tunnel, .connecting: promise?.fail(ChannelError.operationUnsupported)
        case .undecided:
            // Refused, or silent for too long: it is not passed on any more.
            state = .closed
            context.close(mode: mode, promise: promise)
        case .passing, .closed: context.close(mode: mode, promise: promise)
        }
    }
}

/// The end at the realtime service.
private final class TunnelEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let front: any Channel

    init(front: any Channel) { self.front = front }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        writeToFront(unwrapInboundIn(data))
    }

    /// Past the HTTP server's encoder.
    private func writeToFront(_ bytes: ByteBuffer) {
        let tunnel = try? front.pipeline.syncOperations.context(handlerType: StreamTunnel.self)
        tunnel?.writeAndFlush(NIOAny(bytes), promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        front.setOption(.autoRead, value: context.channel.isWritable).whenFailure { _ in }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let tunnel = try? front.pipeline.syncOperations.context(handlerType: StreamTunnel.self)
        tunnel?.close(promise: nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Where a service is reached.
public struct SocketTarget: Sendable, Equatable {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// HTTP/1.1, with a `StreamTunnel` before it.
struct TunnelingChannel: ServerChildChannel {
    let http: HTTP1Channel
    let target: SocketTarget

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            try channel.pipeline.syncOperations.addHandler(StreamTunnel(to: target), position: .first)
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}
