internal import FoundationEssentials
internal import NIOCore
internal import NIOWebSocket

/// The I/O of one connection: feeds its `ConnectionState` and does what that says. Lives on its channel's event loop.
final class WebSocketConnection: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame

    /// What all connections of the service need.
    final class Service: Sendable {
        let hub: Hub
        let supply: EventSupply
        let api: TodoAPI
        let rules: ConnectionRules

        init(hub: Hub, supply: EventSupply, api: TodoAPI, rules: ConnectionRules) {
            self.hub = hub
            self.supply = supply
            self.api = api
            self.rules = rules
        }
    }

    private let service: Service
    private let siblings: LoopConnections
    private let loop: any EventLoop
    private let outlet: FrameOutlet
    private var state: ConnectionState
    private var reader = MessageReader()
    /// Who it is, once the person may have this connection.
    private var user: UUID?
    private var isSubscribed = false
    private var isOpen = false
    /// Under which label the end is counted.
    private var closeLabel = "lost"
    private var question: Task<Void, Never>?

    init(
        _ service: Service, siblings: LoopConnections, loop: any EventLoop, outlet: FrameOutlet,
        credential: Credential?
    ) {
        self.service = service
        self.siblings = siblings
        self.loop = loop
        self.outlet = outlet
        let now = NIODeadline.now()
        state = ConnectionState(
            rules: service.rules, credential: credential, spread: .random(in: 0...1),
            suppliedSince: service.supply.since ?? now, now: now)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        isOpen = true
        service.hub.enter()
        siblings.add(self)
        perform(state.opening)
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        guard isOpen else { return }
        isOpen = false
        question?.cancel()
        unsubscribe()
        siblings.remove(self)
        service.hub.leave(user)
        service.hub.metrics.closed(closeLabel)
    }

    private func unsubscribe() {
        guard isSubscribed, let user else { return }
        isSubscribed = false
        siblings.unsubscribe(self, user)
    }
}

// MARK: What comes from the client

extension WebSocketConnection {
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let now = NIODeadline.now()
        perform(state.heardFrame(at: now))
        switch reader.read(Self.unwrapInboundIn(data)) {
        case .text(let text): perform(state.receive(text, at: now))
        // Who does not read gets no answers: they would pile up.
        case .ping(let payload): if outlet.hasRoom { perform([.send(ServerFrame.pong(payload))]) }
        case .pong, .partial: break
        case .close(let code): perform(state.receiveClose(code, at: now))
        case .violation(let reason): perform(state.close(reason, at: now))
        }
    }

    /// The frame decoder's refusals.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error as? NIOWebSocketError {
        case .invalidFrameLength: perform(state.close(.tooBig, at: .now()))
        case .fragmentedControlFrame, .multiByteControlFrameLength:
            perform(state.close(.protocolError("a control frame is whole and has at most 125 bytes"), at: .now()))
        case nil: outlet.disconnect()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if outlet.hasRoom { perform(state.proceed(at: .now())) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        // The server keeps sockets half open for HTTP; a WebSocket whose client will say no more is over.
        case ChannelEvent.inputClosed, is ChannelShouldQuiesceEvent: outlet.disconnect()
        default: context.fireUserInboundEventTriggered(event)
        }
    }
}

// MARK: What comes from the service

extension WebSocketConnection {
    /// Whether the event was written.
    /// - Parameter flushes: whether it is also sent; otherwise `flush` does that.
    func deliver(_ event: LiveEvent, flushes: Bool, at now: NIODeadline) -> Bool {
        var hasRoom = outlet.hasRoom
        if !hasRoom {
            outlet.flush()
            hasRoom = outlet.hasRoom
        }
        switch state.deliver(event, hasRoom: hasRoom, at: now) {
        case .skip: return false
        case .write:
            if flushes { outlet.send(event.frame) } else { outlet.write(event.frame) }
            return true
        case .act(let actions):
            perform(actions)
            return false
        }
    }

    /// Sends what is in no stream. False when the client has not read what it was sent: then it is left out.
    func tell(_ frame: ByteBuffer) -> Bool {
        guard outlet.hasRoom else { return false }
        outlet.write(frame)
        outlet.flush()
        return true
    }

    func doubt() { state.doubt() }
    func flush() { outlet.flush() }
    func tick(at now: NIODeadline) { perform(state.tick(at: now)) }
    func drain(after delay: TimeAmount) { perform(state.drain(after: delay, at: .now())) }
}

// MARK: What is to be done

extension WebSocketConnection {
    private func perform(_ actions: [ConnectionState.Action]) {
        guard !actions.isEmpty else { return }
        for action in actions { perform(action) }
        outlet.flush()
    }

    private func perform(_ action: ConnectionState.Action) {
        switch action {
        case .identify(let credential): ask { api throws(APIFailure) in .user(try await api.user(credential)) }
        case .subscribe:
            guard let user else { return }
            isSubscribed = true
            siblings.subscribe(self, user)
        case .fetch(let credential, let cursor, let cause):
            if let cause { service.hub.metrics.catchUp(cause.rawValue) }
            ask { api throws(APIFailure) in .page(try await api.changes(after: cursor, credential)) }
        case .check(let credential, let cursor):
            ask(isCheck: true) { api throws(APIFailure) in
                .check(try await api.changes(after: cursor, credential, isPatient: false))
            }
        case .send(let frame): outlet.write(frame)
        case .proceed:
            outlet.flush()
            if outlet.hasRoom { perform(state.proceed(at: .now())) }
        case .close(let reason):
            closeLabel = String(reason.code)
            unsubscribe()
            outlet.write(ServerFrame.close(reason))
        case .closeBack(let code):
            closeLabel = "client"
            unsubscribe()
            outlet.finish(ServerFrame.closeEcho(code))
        case .disconnect: outlet.disconnect()
        }
    }

    private enum Answer {
        case user(UUID)
        case page(ChangesPage)
        case check(ChangesPage)
    }

    private func ask(
        isCheck: Bool = false, _ body: @escaping @Sendable (TodoAPI) async throws(APIFailure) -> Answer
    ) {
        let connection = NIOLoopBound(self, eventLoop: loop)
        question = Task { [api = service.api, loop] in
            let answer: Result<Answer, APIFailure>
            do throws(APIFailure) { answer = .success(try await body(api)) } catch { answer = .failure(error) }
            loop.execute { connection.value.take(answer, isCheck: isCheck) }
        }
    }

    private func take(_ answer: Result<Answer, APIFailure>, isCheck: Bool) {
        // A task that is over keeps 4 KB for as long as it is known.
        question = nil
        guard isOpen else { return }
        let now = NIODeadline.now()
        switch answer {
        case .success(.user(let user)):
            if service.hub.admit(user) {
                self.user = user
                perform(state.identified(at: now))
            } else {
                perform(state.close(.tooManyConnections, at: now))
            }
        case .success(.page(let page)): perform(state.received(page, at: now))
        case .success(.check(let page)): perform(state.checked(page, at: now))
        case .failure(let failure): perform(state.failed(failure, isCheck: isCheck, at: now))
        }
    }
}
