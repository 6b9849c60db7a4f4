internal import HTTPServing
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1
internal import NIOWebSocket

/// A connection of the service's port: becomes a WebSocket if its first request asks for one and may have it, and is
/// HTTP/1.1 otherwise.
struct StreamChannel: HTTPChannelHandler {
    enum Outcome: Sendable {
        case webSocket
        case http(AcceptedConnection)
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let outcome: EventLoopFuture<Outcome>
    }

    /// Bytes not read by the client: from the high mark on it is too slow, until the low mark is reached.
    private static let unread = ChannelOptions.Types.WriteBufferWaterMark(low: 64 << 10, high: 256 << 10)
    /// A client sends a handshake and a few short messages; each connection keeps a buffer of this size.
    private static let readSize = 512

    let responder: Responder
    let service: WebSocketConnection.Service
    let allowedOrigins: Set<String>
    /// How long a client may take for its first request.
    let requestTime: TimeAmount
    let idleTime: Duration

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            // From the start, because a channel keeps the buffers of its first reads; one, because it keeps one for each.
            try setReads(channel, FixedSizeRecvByteBufferAllocator(capacity: Self.readSize), atOnce: 1)
            let configuration = NIOTypedHTTPServerUpgradeConfiguration<Outcome>(
                upgraders: [upgrader], notUpgradingCompletionHandler: { makeHTTP($0, logger) })
            let outcome = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
                configuration: .init(upgradeConfiguration: configuration))
            try channel.pipeline.syncOperations.addHandler(
                HandshakeFilter(isGranted: isGranted),
                position: .before(
                    channel.pipeline.syncOperations.handler(type: NIOTypedHTTPServerUpgradeHandler<Outcome>.self)))
            let deadline = channel.eventLoop.scheduleTask(in: requestTime) { channel.close(promise: nil) }
            outcome.whenComplete { _ in deadline.cancel() }
            return Value(channel: channel, outcome: outcome)
        }
    }

    /// Serves HTTP until its end. A WebSocket goes on by itself, without a task.
    func handle(value: Value, logger: Logger) async {
        guard case .http(let connection) = try? await value.outcome.get() else { return }
        await handleHTTP(asyncChannel: connection.take(), logger: logger)
    }

    private func setReads(
        _ channel: any Channel, _ allocator: any RecvByteBufferAllocator, atOnce count: UInt
    ) throws {
        try channel.syncOptions?.setOption(ChannelOptions.recvAllocator, value: allocator)
        try channel.syncOptions?.setOption(ChannelOptions.maxMessagesPerRead, value: count)
    }

    private func makeHTTP(_ channel: any Channel, _ logger: Logger) -> EventLoopFuture<Outcome> {
        channel.eventLoop.makeCompletedFuture {
            // The sidecar's batches are large.
            try setReads(channel, AdaptiveRecvByteBufferAllocator(), atOnce: 4)
            try channel.pipeline.syncOperations.addHandlers([
                HTTP1ToHTTPServerCodec(secure: false),
                HTTPConnectionStateHandler(idleTimeout: idleTime, logger: logger),
            ])
            return .http(
                AcceptedConnection(
                    try NIOAsyncChannel(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))))
        }
    }

    private var upgrader: NIOTypedWebSocketServerUpgrader<Outcome> {
        NIOTypedWebSocketServerUpgrader(
            maxFrameSize: MessageReader.limit, enableAutomaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                let handshake = try? handshake(head)
                service.hub.metrics.handshake("101")
                return channel.eventLoop.makeSucceededFuture(
                    handshake?.hasSubprotocol == true ? ["Sec-WebSocket-Protocol": Handshake.subprotocol] : [:])
            },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture { try makeWebSocket(channel, head) }
            })
    }

    /// Whether a request for an upgrade is one that is answered with 101.
    private func isGranted(_ head: HTTPRequestHead) -> Bool {
        head.method == .GET && head.uri.prefix { $0 != "?" } == Handshake.path
            && head.headers["Upgrade"].map { $0.lowercased() } == ["websocket"]
            && head.headers["Sec-WebSocket-Key"].count == 1 && head.headers["Sec-WebSocket-Version"] == ["13"]
            && service.hub.refusal == nil && (try? handshake(head)) != nil
    }

    private func handshake(_ head: HTTPRequestHead) throws(Handshake.Refusal) -> Handshake {
        try Handshake(headers: { head.headers[$0] }, allowedOrigins: allowedOrigins)
    }

    private func makeWebSocket(_ channel: any Channel, _ head: HTTPRequestHead) throws -> Outcome {
        guard let siblings = service.hub.connections(on: channel.eventLoop) else {
            throw ChannelError.operationUnsupported
        }
        try channel.syncOptions?.setOption(ChannelOptions.writeBufferWaterMark, value: Self.unread)
        let outlet = FrameOutlet()
        let connection = WebSocketConnection(
            service, siblings: siblings, loop: channel.eventLoop, outlet: outlet,
            credential: try handshake(head).credential)
        try channel.pipeline.syncOperations.addHandler(outlet, position: .first)
        try channel.pipeline.syncOperations.addHandler(connection)
        return .webSocket
    }
}
