internal import NIOCore

/// One connection's side of the protocol, without I/O: it is told what happened and says what to do.
///
///     anonymous ──auth──▶ authenticating ──▶ authenticated ──resume──▶ catching up ──▶ live
///                                                                          ▲  gap, share │
///                                                                          └─────────────┘
///
/// **Nothing lost, nothing twice.** The connection is subscribed before it asks for changes, so each event is either in
/// the changes or held. When the last page is there, held events up to the page's cursor are dropped, being in it, and the
/// others follow. From then on its own cursor moves with each event that is sent, and an event is sent when nothing of its
/// stream lies between (see `StreamLog`). Otherwise, and when the stream is new to it or a project was opened to it, the
/// changes are asked for again, with the event held meanwhile. When more is held than allowed, all of it is dropped and
/// the changes are asked for once more.
///
/// **Back-pressure.** A client that has not read what it was sent is sent nothing more, and nothing is kept for it: when it
/// has read on, it gets the changes. One that does not read at all is closed, and resumes from its cursor.
struct ConnectionState {
    enum Action {
        /// Ask the API who it is; answer with `identified`.
        case identify(Credential)
        /// Pass events on to `deliver` from now on.
        case subscribe
        /// Ask the API for changes; answer with `received`. With a cause when a catch-up begins.
        case fetch(Credential, after: StreamCursor, CatchUpCause?)
        /// Ask the API for changes; answer with `checked`.
        case check(Credential, after: StreamCursor)
        case send(ByteBuffer)
        /// Call `proceed` when what was sent so far has room in the socket.
        case proceed
        /// Unsubscribe and send a close frame.
        case close(CloseReason)
        /// Answer the client's close frame, then disconnect.
        case closeBack(UInt16?)
        /// Close the socket.
        case disconnect
    }

    enum CatchUpCause: String, Sendable, CaseIterable { case resume, gap, stream, share, check, overflow }

    /// What is to be done with an event; apart from `Action`, for it is asked 10,000 times in a row.
    enum Delivery {
        case skip
        case write
        case act([Action])
    }

    enum Phase {
        case anonymous(until: NIODeadline)
        case authenticating(resume: ClientResume?)
        case authenticated(until: NIODeadline)
        indirect case catchingUp(CatchUp)
        case live
        case closing(until: NIODeadline)
    }

    struct ClientResume { let after: StreamCursor? }

    struct CatchUp {
        enum Step { case asking, reading(since: NIODeadline, isLastPage: Bool) }

        var isFirst = false
        var step = Step.asking
        /// As far as the pages go.
        var cursor: StreamCursor
        /// What made it necessary; it is sent after it unless it was in the changes.
        var trigger: LiveEvent?
        var held: [LiveEvent] = []
        var hasDroppedEvents = false
        var hasSentChanges = false
    }

    private let rules: ConnectionRules
    private let spread: Float
    private let suppliedSince: NIODeadline
    private var phase: Phase
    private var credential: Credential?
    private(set) var cursor = StreamCursor()
    private var lastHeard: NIODeadline
    private var nextPing: NIODeadline
    /// Nil while it is not due: before it is live, and while one is under way.
    private var nextCheck: NIODeadline?
    /// Whether a check is due before that: the credential may be good no longer.
    private var isDoubted = false
    private var drainsAt = NIODeadline.distantFuture
    /// When the frames so far would have been paid for, at one in each interval.
    private var framesPaid: NIODeadline

    /// - Parameters:
    ///   - spread: from 0 to 1; different for each connection, so that their pings and checks are spread over time.
    ///   - suppliedSince: when events began to come in.
    init(
        rules: ConnectionRules, credential: Credential?, spread: Float, suppliedSince: NIODeadline, now: NIODeadline
    ) {
        self.rules = rules
        self.spread = spread
        self.suppliedSince = suppliedSince
        self.credential = credential
        phase = credential == nil ? .anonymous(until: now + rules.handshakeTime) : .authenticating(resume: nil)
        lastHeard = now
        framesPaid = now
        nextPing = now + rules.pingInterval.times(spread)
    }

    /// What to do first.
    var opening: [Action] { credential.map { [.identify($0)] } ?? [] }

    var isLive: Bool { if case .live = phase { true } else { false } }
    private var isClosing: Bool { if case .closing = phase { true } else { false } }
}

// MARK: What the client does

extension ConnectionState {
    /// Any frame: the client is there, and may not send too many.
    mutating func heardFrame(at now: NIODeadline) -> [Action] {
        lastHeard = now
        framesPaid = max(framesPaid, now) + rules.frameInterval
        let isTooMany = framesPaid > now + rules.frameInterval * rules.frameBurst
        return isTooMany ? close(.tooManyMessages, at: now) : []
    }

    mutating func receive(_ text: String, at now: NIODeadline) -> [Action] {
        if isClosing { return [] }
        do {
            return try receive(ClientMessage(text), at: now)
        } catch {
            return close(error.reason, at: now)
        }
    }

    private mutating func receive(
        _ message: ClientMessage, at now: NIODeadline
    ) throws(CloseReasonError) -> [Action] {
        switch (phase, message) {
        case (.anonymous, .authenticate(let credential)):
            self.credential = credential
            phase = .authenticating(resume: nil)
            return [.identify(credential)]
        case (.authenticating(resume: nil), .resume(let after)):
            phase = .authenticating(resume: ClientResume(after: after))
            return []
        case (.authenticated, .resume(let after)): return start(ClientResume(after: after))
        case (.anonymous, .resume):
            throw CloseReasonError(reason: .notAllowed("authenticate before you resume"))
        default: throw CloseReasonError(reason: .badMessage("this message does not belong here"))
        }
    }

    /// The client's close frame.
    mutating func receiveClose(_ code: UInt16?, at now: NIODeadline) -> [Action] {
        if isClosing { return [.disconnect] }
        phase = .closing(until: now + rules.closeTime)
        return [.closeBack(code)]
    }

    mutating func close(_ reason: CloseReason, at now: NIODeadline) -> [Action] {
        if isClosing { return [] }
        phase = .closing(until: now + rules.closeTime)
        return [.close(reason)]
    }
}

// MARK: What the API says

extension ConnectionState {
    mutating func identified(at now: NIODeadline) -> [Action] {
        guard case .authenticating(let resume) = phase else { return [] }
        if let resume { return start(resume) }
        phase = .authenticated(until: now + rules.handshakeTime)
        return []
    }

    private mutating func start(_ resume: ClientResume) -> [Action] {
        cursor = resume.after ?? StreamCursor()
        return [.subscribe] + catchUp(.resume, isFirst: true)
    }

    private mutating func catchUp(
        _ cause: CatchUpCause, isFirst: Bool = false, trigger: LiveEvent? = nil
    ) -> [Action] {
        guard let credential else { return [] }
        phase = .catchingUp(CatchUp(isFirst: isFirst, cursor: cursor, trigger: trigger))
        return [.fetch(credential, after: cursor, cause)]
    }

    /// A page of changes, asked for by `fetch`.
    mutating func received(_ page: ChangesPage, at now: NIODeadline) -> [Action] {
        guard case .catchingUp(var catchUp) = phase else { return [] }
        catchUp.cursor = page.cursor
        catchUp.step = .reading(since: now, isLastPage: !page.hasMore)
        if page.count > 0 { catchUp.hasSentChanges = true }
        phase = .catchingUp(catchUp)
        return page.count > 0 ? [.send(page.frames), .proceed] : [.proceed]
    }

    /// The client has read enough for more to be sent.
    mutating func proceed(at now: NIODeadline) -> [Action] {
        guard case .catchingUp(var catchUp) = phase, case .reading(_, let isLastPage) = catchUp.step, let credential
        else { return [] }
        if isLastPage, !catchUp.hasDroppedEvents { return goLive(after: catchUp, at: now) }
        let cause: CatchUpCause? = isLastPage ? .overflow : nil
        if isLastPage { catchUp.hasDroppedEvents = false }
        catchUp.step = .asking
        phase = .catchingUp(catchUp)
        return [.fetch(credential, after: catchUp.cursor, cause)]
    }

    private mutating func goLive(after catchUp: CatchUp, at now: NIODeadline) -> [Action] {
        cursor = catchUp.cursor
        phase = .live
        nextCheck = nextCheck ?? now + checkInterval(at: now).times(spread)
        var actions: [Action] = []
        if catchUp.isFirst || catchUp.hasSentChanges { actions.append(.send(ServerFrame.ready(cursor))) }
        if let trigger = catchUp.trigger, cursor[trigger.stream].map({ $0 < trigger.seq }) ?? true {
            // The API has no more to say of it: the person was let out of a project, for one.
            cursor.advance(trigger.stream, to: trigger.seq)
            actions.append(.send(trigger.frame))
        }
        for event in catchUp.held {
            switch deliver(event, hasRoom: true, at: now) {
            case .skip: break
            case .write: actions.append(.send(event.frame))
            case .act(let more): actions += more
            }
        }
        return actions
    }

    /// What `check` found: changes that were never sent mean that an event was lost.
    mutating func checked(_ page: ChangesPage, at now: NIODeadline) -> [Action] {
        nextCheck = now + checkInterval(at: now)
        guard isLive, page.count > 0, page.cursor.isAhead(of: cursor) else { return [] }
        return catchUp(.check)
    }

    /// The sidecar may be subscribed, and its broker not bring events yet: that takes seconds, in which nothing tells of
    /// what is missed. So the younger the supply, the sooner the check: some 1, 3, 9 and 27 s after it began.
    private func checkInterval(at now: NIODeadline) -> TimeAmount {
        min(rules.checkInterval, max(rules.firstCheckInterval, (now - suppliedSince) * 2))
    }

    /// The API gave no answer that helps, to whatever was asked.
    mutating func failed(_ failure: APIFailure, isCheck: Bool, at now: NIODeadline) -> [Action] {
        switch failure {
        case .refused(let why): return close(.notAllowed(why), at: now)
        case .badCursor(let why): return close(.badMessage(why), at: now)
        case .outdated: return close(.outdated, at: now)
        case .unavailable where isCheck:
            // Who is live stays so without the API.
            nextCheck = now + min(.seconds(15), rules.checkInterval)
            return []
        case .unavailable: return close(.apiUnavailable, at: now)
        }
    }
}

// MARK: Events and time

extension ConnectionState {
    /// - Parameter hasRoom: whether the client has read enough of what it was sent for more.
    mutating func deliver(_ event: LiveEvent, hasRoom: Bool, at now: NIODeadline) -> Delivery {
        switch phase {
        case .live: break
        case .catchingUp:
            hold(event)
            return .skip
        default: return .skip
        }
        guard let position = cursor[event.stream] else { return .act(catchUp(.stream, trigger: event)) }
        guard event.seq > position else { return .skip }
        if event.unbrokenFrom > position + 1 { return .act(catchUp(.gap, trigger: event)) }
        if event.opensProject, event.stream != cursor.own { return .act(catchUp(.share, trigger: event)) }
        guard hasRoom else {
            // Whatever comes now is in the changes, when the client has read what it was sent.
            let step = CatchUp.Step.reading(since: now, isLastPage: true)
            phase = .catchingUp(CatchUp(step: step, cursor: cursor, hasDroppedEvents: true))
            return .skip
        }
        cursor.advance(event.stream, to: event.seq)
        return .write
    }

    private mutating func hold(_ event: LiveEvent) {
        guard case .catchingUp(var catchUp) = phase, !catchUp.hasDroppedEvents else { return }
        phase = .live  // gives up the second reference, so that `held` grows in place
        if catchUp.held.count < rules.heldEvents {
            catchUp.held.append(event)
        } else {
            catchUp.held = []
            catchUp.hasDroppedEvents = true
        }
        phase = .catchingUp(catchUp)
    }

    /// Has the credential checked as soon as that can be done; an answer that is under way may be older than the doubt.
    mutating func doubt() { isDoubted = true }

    /// Tells the client to come back in `delay`, and sends it away then.
    mutating func drain(after delay: TimeAmount, at now: NIODeadline) -> [Action] {
        if isClosing { return [] }
        drainsAt = now + delay
        return [.send(ServerFrame.reconnect(after: Int(delay.nanoseconds / 1_000_000)))]
    }

    /// To be called a few times a second.
    mutating func tick(at now: NIODeadline) -> [Action] {
        switch phase {
        case .closing(let deadline): return now >= deadline ? [.disconnect] : []
        case .anonymous(let deadline) where now >= deadline:
            return close(.notAllowed("no token came in time"), at: now)
        case .authenticated(let deadline) where now >= deadline: return close(.nothingToResume, at: now)
        case .catchingUp(let catchUp):
            if case .reading(let since, _) = catchUp.step, now >= since + rules.stallTime {
                return close(.tooSlow, at: now)
            }
        default: break
        }
        if now >= drainsAt { return close(.restarting, at: now) }
        if now >= lastHeard + rules.pingInterval + rules.pongTime { return [.disconnect] }
        var actions: [Action] = []
        if now >= nextPing {
            nextPing = now + rules.pingInterval
            actions.append(.send(ServerFrame.ping))
        }
        if isLive, let due = nextCheck, isDoubted || now >= due, let credential {
            isDoubted = false
            nextCheck = nil
            actions.append(.check(credential, after: cursor))
        }
        return actions
    }
}

extension TimeAmount {
    fileprivate func times(_ part: Float) -> TimeAmount { .nanoseconds(Int64(Double(nanoseconds) * Double(part))) }
}
