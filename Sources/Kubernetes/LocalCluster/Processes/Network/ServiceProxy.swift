internal import Concurrency
internal import ControllerRuntime
internal import KubernetesClient
internal import Logging
internal import NIOCore
internal import NIOPosix

/// Listens on the address of every Service and passes connections on to its ready endpoints in turn; to the next one
/// when one does not answer.
final class ServiceProxy: Sendable {
    private static let retryInterval: Duration = .seconds(10)
    private static let connectTimeout: TimeAmount = .seconds(2)

    private struct State {
        var listeners: [SocketAddressText: (target: ServicePort, channel: any Channel)] = [:]
        var forwards: [any Channel] = []
        var turns: [ServicePort: Int] = [:]
        var refused: Set<SocketAddressText> = []
        var sources: (services: Informer, slices: Informer)?
    }

    private let time: any TimeSource
    private let logger: Logger
    private let state = Lock(State())
    private let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation

    init(time: any TimeSource, logger: Logger) {
        self.time = time
        self.logger = logger
        (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func follow(services: Informer, slices: Informer) {
        state.withLock { $0.sources = (services, slices) }
        services.onChange { [changed] _ in changed.yield() }
    }

    /// Keeps the listeners equal to the Services until cancelled.
    func run() async {
        for await _ in changes {
            guard let services = state.withLock({ $0.sources?.services.store }) else { continue }
            await listen(to: ServiceBackends.listeners(services.list().map(\.object)))
        }
    }

    private func listen(to wanted: [SocketAddressText: ServicePort]) async {
        let present = state.withLock { $0.listeners.mapValues(\.target) }
        for (address, target) in present where wanted[address] != target {
            let listener = state.withLock { $0.listeners.removeValue(forKey: address) }
            try? await listener?.channel.close()
        }
        var hasFailed = false
        for (address, target) in wanted where present[address] != target {
            do {
                let channel = try await bind(address, to: target)
                state.withLock {
                    $0.listeners[address] = (target, channel)
                    $0.refused.remove(address)
                }
            } catch {
                hasFailed = true
                let isNews = state.withLock { $0.refused.insert(address).inserted }
                // Port 443 of `kubernetes` is for root alone; nothing here needs it.
                if isNews {
                    logger.info("Service \(target.service) cannot be reached at \(address): \(error)")
                }
            }
        }
        if hasFailed { retryLater() }
    }

    private func retryLater() {
        Task { [time, changed] in
            guard (try? await time.sleep(until: time.now.advanced(by: Self.retryInterval))) != nil else { return }
            changed.yield()
        }
    }

    /// Listens on 127.0.0.1 too, for people and programs outside.
    /// Returns the port, which for 0 is a free one.
    func forward(port: Int, to target: ServicePort) async throws -> Int {
        let channel = try await bind(SocketAddressText(host: "127.0.0.1", port: port), to: target)
        state.withLock { $0.forwards.append(channel) }
        return channel.localAddress?.port ?? port
    }

    func stop() {
        changed.finish()
        let channels = state.withLock { state in
            defer {
                state.listeners = [:]
                state.forwards = []
            }
            return state.listeners.values.map(\.channel) + state.forwards
        }
        for channel in channels { channel.close(promise: nil) }
    }
}

// MARK: - Connections

extension ServiceProxy {
    private func bind(_ address: SocketAddressText, to target: ServicePort) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Nothing is read before there is somebody to pass it to.
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [weak self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptHandler { self?.connect($0, candidates: self?.candidates(target)[...] ?? []) })
                }
            }
            .bind(host: address.host, port: address.port).get()
    }

    /// All endpoints, beginning with the one whose turn it is.
    private func candidates(_ target: ServicePort) -> [SocketAddressText] {
        guard let sources = state.withLock({ $0.sources }) else { return [] }
        let endpoints = ServiceBackends.endpoints(
            of: target, services: sources.services.store, slices: sources.slices.store)
        guard !endpoints.isEmpty else { return [] }
        let turn = state.withLock { state in
            state.turns[target, default: -1] += 1
            return state.turns[target, default: 0] % endpoints.count
        }
        return Array(endpoints[turn...] + endpoints[..<turn])
    }

    private func connect(_ client: any Channel, candidates: ArraySlice<SocketAddressText>) {
        guard let address = candidates.first else { return client.close(promise: nil) }
        ClientBootstrap(group: client.eventLoop)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: address.host, port: address.port)
            .whenComplete { [weak self] result in
                switch result {
                case .success(let server): Self.join(client, server)
                case .failure: self?.connect(client, candidates: candidates.dropFirst())
                }
            }
    }

    /// Both are on the same event loop.
    private static func join(_ client: any Channel, _ server: any Channel) {
        do {
            try client.pipeline.syncOperations.addHandler(RelayHandler(to: server))
            try server.pipeline.syncOperations.addHandler(RelayHandler(to: client))
        } catch {
            client.close(promise: nil)
            server.close(promise: nil)
            return
        }
        client.read()
        server.read()
    }
}

/// Calls back once a connection can be used, and closed.
private final class AcceptHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let accepted: (any Channel) -> Void

    init(_ accepted: @escaping (any Channel) -> Void) { self.accepted = accepted }

    func channelActive(context: ChannelHandlerContext) {
        accepted(context.channel)
        context.fireChannelActive()
    }
}

/// Passes what one channel reads on to another, no faster than that one takes it.
private final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let partner: any Channel

    init(to partner: any Channel) { self.partner = partner }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        partner.write(unwrapInboundIn(data), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        partner.flush()
        if partner.isWritable { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { partner.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        // Behind everything that is still to be written.
        let partner = partner
        partner.writeAndFlush(ByteBuffer()).whenComplete { _ in partner.close(mode: .output, promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let partner = partner
        partner.writeAndFlush(ByteBuffer()).whenComplete { _ in partner.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
