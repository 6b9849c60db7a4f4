internal import Concurrency

/// Hands mails to one server by SMTP (RFC 5321) over libcurl; connections are kept for a while.
///
/// libcurl waits for the answer to a whole message without letting other transfers go on, so each connection has a
/// reactor, and thus a thread, of its own.
public final class SMTPTransport: Sendable {
    public enum Security: String, Sendable, CaseIterable {
        /// Begins in the clear and goes over to TLS before anything is said (RFC 3207); a server that cannot is refused.
        case startTLS = "starttls"
        /// TLS from the first byte (RFC 8314).
        case implicitTLS = "implicit"
        /// In the clear: for a server on the same machine.
        case none
    }

    public struct Configuration: Sendable {
        public struct Credentials: Sendable, Hashable {
            public var user: String
            public var password: String

            public init(user: String, password: String) {
                self.user = user
                self.password = password
            }
        }

        public var host: String
        public var port: Int
        public var security: Security
        public var credentials: Credentials?
        public var trust: CurlTransport.TLS.Trust
        /// Until the server has let us in.
        public var connectTimeout: Duration
        /// From the call until the server has taken the message.
        public var totalTimeout: Duration
        /// Mails beyond wait for a connection. Each costs a thread.
        public var maxConnections: Int

        public init(
            host: String, port: Int, security: Security = .startTLS, credentials: Credentials? = nil,
            trust: CurlTransport.TLS.Trust = .system, connectTimeout: Duration = .seconds(15),
            totalTimeout: Duration = .seconds(40), maxConnections: Int = 4
        ) {
            self.host = host
            self.port = port
            self.security = security
            self.credentials = credentials
            self.trust = trust
            self.connectTimeout = connectTimeout
            self.totalTimeout = totalTimeout
            self.maxConnections = maxConnections
        }
    }

    private let mail: Configuration
    private let configuration: CurlTransport.Configuration
    private let lanes: [CurlReactor]
    private let free: Lock<Lanes>

    /// A password is never sent in the clear: with `security` none, the credentials are left out.
    public init(_ configuration: Configuration) {
        mail = configuration
        var mail = configuration
        if mail.security == .none { mail.credentials = nil }
        var curl = CurlTransport.Configuration(
            tls: .init(trust: mail.trust), proxy: .none, connectTimeout: mail.connectTimeout,
            maxConnectionsPerHost: 1, maxIdleTime: .seconds(30), offersHTTP2: false)
        curl.mail = mail
        self.configuration = curl
        lanes = (0..<max(1, mail.maxConnections)).map { _ in CurlReactor(configuration: curl) }
        free = Lock(Lanes(idle: lanes))
        for lane in lanes { lane.start() }
    }

    deinit { for lane in lanes { lane.stop(waiting: false) } }

    /// Returns what the server said when it took the message. Cancelling the task ends the dialogue; then, and after any
    /// error that is not permanent, the message may be sent again with the same `Message-ID`.
    @discardableResult
    public func send(_ message: MailMessage) async throws(SMTPError) -> SMTPReply {
        guard !Task.isCancelled else { throw .transport(.cancelled) }
        let plan: MailPlan
        do {
            plan = try MailPlan(message, mail)
        } catch { throw .invalidMessage(error.description) }
        let lane = await takeLane()
        defer { putBack(lane) }
        do { return try await send(plan, by: lane) } catch .transport(.connect) {
            // A kept connection that the server has closed meanwhile shows that only now.
            return try await send(plan, by: lane)
        }
    }

    private func send(_ plan: MailPlan, by lane: CurlReactor) async throws(SMTPError) -> SMTPReply {
        let transfer = CurlTransfer(plan, mail: mail, configuration: configuration, reactor: lane)
        let reader = ExchangeReader(transfer.exchange, sender: transfer, owner: self)
        guard lane.submit(.start(transfer)) else { throw .transport(.closed) }
        let head: ResponseHead
        do { head = try await reader.head() } catch { throw .transport(error) }
        guard case .reply(let reply) = head else { throw .transport(.malformedResponse("the server said nothing")) }
        if reply.isRefusal { throw SMTPError(reply) }
        return reply
    }

    /// Fails what is under way and ends the threads; returns when they have ended.
    public func close() { for lane in lanes { lane.stop(waiting: true) } }

    // MARK: Connections

    private struct Lanes {
        /// The one used last is at the end: its connection is most likely still there.
        var idle: [CurlReactor]
        var waiting: [CheckedContinuation<CurlReactor, Never>] = []
    }

    /// Waits as long as others take, which is bounded by their deadlines.
    private func takeLane() async -> CurlReactor {
        await withCheckedContinuation { continuation in
            let lane = free.withLock { lanes -> CurlReactor? in
                if let lane = lanes.idle.popLast() { return lane }
                lanes.waiting.append(continuation)
                return nil
            }
            if let lane { continuation.resume(returning: lane) }
        }
    }

    private func putBack(_ lane: CurlReactor) {
        let next = free.withLock { lanes -> CheckedContinuation<CurlReactor, Never>? in
            guard lanes.waiting.isEmpty else { return lanes.waiting.removeFirst() }
            lanes.idle.append(lane)
            return nil
        }
        next?.resume(returning: lane)
    }
}

/// One mail put the way libcurl wants it.
struct MailPlan: Sendable {
    let url: String
    let authority: String
    let sender: String
    let recipient: String
    let message: [UInt8]

    init(_ message: MailMessage, _ server: SMTPTransport.Configuration) throws(MailMessage.Invalid) {
        let host = server.host.contains(":") ? "[\(server.host)]" : server.host
        authority = "\(host):\(server.port)"
        url = "\(server.security == .implicitTLS ? "smtps" : "smtp")://\(authority)"
        sender = message.from.address
        recipient = message.to.address
        self.message = try message.encoded()
    }
}
