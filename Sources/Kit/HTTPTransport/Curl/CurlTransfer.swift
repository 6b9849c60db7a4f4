internal import CCurl

/// One request on its way through libcurl. Made by a task, then touched under the loop's lock alone, but for the
/// exchange and the two calls of `ExchangeSender`, which leave a command.
final class CurlTransfer: ExchangeSender, @unchecked Sendable {  // touched under the loop's lock alone, see above
    let exchange: Exchange
    private let authority: String
    /// Nil once it was given back: another transfer may work with it by then.
    private(set) var easy: CurlEasy?
    let idleTimeout: Duration?
    var deadlines: Deadlines
    /// Why this side ended the transfer, where libcurl only knows that it was ended.
    private(set) var ownFailure: HTTPTransportError?
    private(set) var isConnected = false
    /// Tells the connection that it is on.
    private(set) var localPort: Int?
    /// With the reactor, sent or about to be, and without a response so far.
    var isUnanswered: Bool { loop != nil && isConnected && !isHeadDone }
    /// Set while the transfer is with the reactor.
    var loop: CurlLoop?
    /// Already on the loop's list of readers to wake.
    var isTouched = false
    /// Ended before anything was sent, because the kept connection that it was given is closed: to be sent on another.
    private(set) var wantsFreshConnection = false

    private let reactor: CurlReactor
    private let isReplayable: Bool
    private let headLimit: Int
    private var head: [UInt8] = []
    private var isHeadDone = false
    private var sentBytes = 0
    private let isMail: Bool
    private var reply = SMTPReply()

    init(
        _ plan: RequestPlan, of request: ClientRequest, configuration: CurlTransport.Configuration,
        reactor: CurlReactor
    ) {
        let connectTimeout = request.connectTimeout ?? configuration.connectTimeout
        exchange = Exchange(bufferLimit: configuration.maxUnreadBytes)
        authority = plan.target.authority
        isMail = false
        isReplayable = plan.isReplayable
        headLimit = configuration.maxResponseHeaderBytes
        idleTimeout = request.idleTimeout
        deadlines = Deadlines(
            start: reactor.now, connect: connectTimeout, idle: request.idleTimeout, total: request.totalTimeout)
        self.reactor = reactor
        easy = reactor.easy()
        easy?.prepare(plan, connectTimeout: connectTimeout)
    }

    init(
        _ plan: MailPlan, mail: SMTPTransport.Configuration, configuration: CurlTransport.Configuration,
        reactor: CurlReactor
    ) {
        exchange = Exchange(bufferLimit: configuration.maxUnreadBytes)
        authority = plan.authority
        isMail = true
        isReplayable = true  // libcurl sends nothing again by itself
        headLimit = configuration.maxResponseHeaderBytes
        idleTimeout = nil
        deadlines = Deadlines(
            start: reactor.now, connect: configuration.connectTimeout, idle: nil, total: mail.totalTimeout)
        self.reactor = reactor
        easy = reactor.easy()
        easy?.prepare(plan, connectTimeout: configuration.connectTimeout)
    }

    func resume() { reactor.submit(.resume(self)) }

    func abandon() { reactor.submit(.abandon(self)) }

    // MARK: From libcurl

    /// Called before every attempt to send the request. False ends the transfer.
    func connected(localPort: Int) -> Bool {
        if isConnected, !isReplayable, wasSentInPart {
            ownFailure = .connectionLost(
                "\(authority) closed the connection without an answer; \(Self.maybeDone)")
            return false
        }
        if loop?.isHungUp(localPort: localPort) == true {
            wantsFreshConnection = true
            return false
        }
        isConnected = true
        self.localPort = localPort
        deadlines.connected(at: loop?.now ?? .zero)
        loop?.watch(deadlines)
        return true
    }

    /// False ends the transfer.
    func receiveHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        deadlines.moved(at: loop?.now ?? .zero)
        if isMail {
            reply.take(line)
            return true
        }
        if isHeadDone { return true }  // trailers
        guard head.count + line.count <= headLimit else {
            ownFailure = .malformedResponse(
                "the response headers of \(authority) are larger than \(headLimit) bytes")
            return false
        }
        let isBlank = line.allSatisfy { $0 == 0x0D || $0 == 0x0A }
        if !isBlank {
            if head.isEmpty { head.reserveCapacity(512) }
            head.append(contentsOf: line)
        } else if let code = ParsedHead.statusCode(of: head), (100..<200).contains(code) {
            head = []  // an interim response: the real one follows
        } else {
            isHeadDone = true
            exchange.receive(head: .raw(head))
            head = []
            touch()
        }
        return true
    }

    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> ExchangeState.Reception {
        deadlines.moved(at: loop?.now ?? .zero)
        let reception = exchange.receive(bytes)
        switch reception {
        case .taken: touch()
        case .full: deadlines.held()
        case .unwanted: break
        }
        return reception
    }

    func sent(upTo count: Int) {
        guard count != sentBytes else { return }
        sentBytes = count
        deadlines.moved(at: loop?.now ?? .zero)
    }

    // MARK: From the loop

    /// libcurl has ended the transfer.
    func finished(_ code: CURLcode) {
        if isMail, code == CURLE_OK || (reply.isRefusal && ownFailure == nil) {
            reply.place(by: easy?.detail ?? "")
            exchange.receive(head: .reply(reply))
            return exchange.finish(.success(()))
        }
        guard code != CURLE_OK else { return exchange.finish(.success(())) }
        if isMail, isConnected, code == CURLE_OPERATION_TIMEDOUT {
            return exchange.finish(.failure(.timeout(.total)))
        }
        // Before the server has said to go ahead, nothing of a mail was sent.
        let mayBeDone = isConnected && (!isMail || reply.hasGoneAhead)
        exchange.finish(
            .failure(
                ownFailure
                    ?? CurlFailure.error(
                        code, detail: easy?.detail ?? "", authority: authority, wasConnected: mayBeDone)))
    }

    /// The transfer is about to be handed to libcurl again.
    func startAnew() {
        wantsFreshConnection = false
        easy?.takesFreshConnection()
    }

    func giveBackEasy() {
        loop = nil
        if let easy { reactor.putBack(easy) }
        easy = nil
    }

    private func touch() {
        guard !isTouched else { return }
        isTouched = true
        loop?.touched.append(self)
    }

    private static let maybeDone = "whether it acted on the request is not known, so it was not sent again"

    /// Whether any byte of the request went out.
    private var wasSentInPart: Bool {
        var count = 0
        if let easy { ccurl_get_long(easy.handle, CURLINFO_REQUEST_SIZE, &count) }
        return count > 0
    }
}
