import Concurrency
import NIOCore
import NIOPosix
import NIOSSL

/// A mail server on a socket: it speaks SMTP (RFC 5321) with STARTTLS or TLS from the first byte and AUTH PLAIN, keeps
/// what it is given, and fails as it is told to.
public final class SMTPServer: Sendable {
    public struct Mail: Sendable, Hashable {
        public var from: String
        public var to: String
        /// As it came, with the doubled dots undone, lines ended by CRLF.
        public var text: String
        public var isEncrypted: Bool
        public var login: String?
    }

    /// What it does instead of what it should; each is done so many times.
    public enum Fault: Sendable, Hashable {
        /// Answers a command so: `RCPT`, `DATA`, `MAIL`, `EHLO`, `AUTH`, `STARTTLS`; `.` is the end of a message, and
        /// the empty one the greeting.
        case answer(String, to: String)
        /// Takes the message, keeps it, and closes the connection without an answer.
        case dropAfterMessage
        /// Never answers the end of a message, which it keeps.
        case hangAfterMessage
        /// Closes the connection after an answer to a message, once.
        case closeAfterMessage
    }

    public enum Security: Sendable { case startTLS, implicitTLS, none }

    struct State {
        var mails: [Mail] = []
        var faults: [Fault] = []
        var connections = 0
        var isOpen = true
    }

    public let port: Int
    let state: Lock<State>
    private let channel: any Channel

    private init(port: Int, state: Lock<State>, channel: any Channel) {
        self.port = port
        self.state = state
        self.channel = channel
    }

    /// - Parameters:
    ///   - certificate: and its key, in PEM; needed for TLS.
    ///   - password: what `AUTH PLAIN` must have for any user; nil offers no AUTH.
    public static func start(
        _ security: Security, certificate: [UInt8] = [], key: [UInt8] = [], password: String? = nil, port: Int = 0
    ) async throws -> SMTPServer {
        var tls: NIOSSLContext?
        if security != .none {
            tls = try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: NIOSSLCertificate.fromPEMBytes(certificate).map { .certificate($0) },
                    privateKey: .privateKey(NIOSSLPrivateKey(bytes: key, format: .pem))))
        }
        let (context, state) = (tls, Lock(State()))
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if security == .implicitTLS, let context {
                        try pipeline.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try pipeline.addHandler(
                        SMTPSession(
                            state: state, context: security == .startTLS ? context : nil,
                            isEncrypted: security == .implicitTLS, password: password))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        return SMTPServer(port: channel.localAddress?.port ?? 0, state: state, channel: channel)
    }

    public var mails: [Mail] { state.withLock { $0.mails } }
    /// How many were ever made.
    public var connections: Int { state.withLock { $0.connections } }

    /// Fails so from now on, `count` times; what was asked for before comes first.
    public func fail(_ fault: Fault, times count: Int = 1) {
        state.withLock { $0.faults += Array(repeating: fault, count: count) }
    }

    /// What it was to do wrong and has not yet.
    public func forgetFaults() { state.withLock { $0.faults = [] } }

    public func stop() async throws {
        state.withLock { $0.isOpen = false }
        try await channel.close().get()
    }
}

/// One connection.
private final class SMTPSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let state: Lock<SMTPServer.State>
    private let context: NIOSSLContext?
    private let password: String?
    private var isEncrypted: Bool
    private var login: String?
    private var input = ""
    private var from = ""
    private var to = ""
    /// Nil while no message is on its way.
    private var message: [String]?
    private var isWaitingForLogin = false

    init(state: Lock<SMTPServer.State>, context: NIOSSLContext?, isEncrypted: Bool, password: String?) {
        self.state = state
        self.context = context
        self.isEncrypted = isEncrypted
        self.password = password
    }

    func channelActive(context: ChannelHandlerContext) {
        state.withLock { $0.connections += 1 }
        answer("220 test ESMTP", to: "", context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        input += String(buffer: unwrapInboundIn(data))
        while let end = input.firstRange(of: "\r\n") {
            let line = String(input[..<end.lowerBound])
            input = String(input[end.upperBound...])
            if isWaitingForLogin {
                isWaitingForLogin = false
                login(line[...], context)
            } else if message == nil {
                command(line, context)
            } else {
                content(line, context)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func command(_ line: String, _ context: ChannelHandlerContext) {
        let verb = line.prefix { $0 != " " }.uppercased()
        switch verb {
        case "EHLO":
            var lines = ["250-test"]
            if self.context != nil, !isEncrypted { lines.append("250-STARTTLS") }
            if password != nil, isEncrypted { lines.append("250-AUTH PLAIN") }
            answer((lines + ["250 8BITMIME"]).joined(separator: "\r\n"), to: verb, context)
        case "STARTTLS": startTLS(context)
        case "AUTH": authenticate(line, context)
        case "MAIL":
            from = Self.address(line)
            answer("250 ok", to: verb, context)
        case "RCPT":
            to = Self.address(line)
            answer("250 ok", to: verb, context)
        case "DATA": if answer("354 go ahead", to: verb, context) { message = [] }
        case "RSET", "NOOP": answer("250 ok", to: verb, context)
        case "QUIT":
            answer("221 bye", to: verb, context)
            context.close(promise: nil)
        default: answer("500 what?", to: verb, context)
        }
    }

    private func startTLS(_ context: ChannelHandlerContext) {
        guard let tls = self.context, answer("220 go ahead", to: "STARTTLS", context) else { return }
        do {
            try context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls), position: .first)
            isEncrypted = true
        } catch { context.close(promise: nil) }
    }

    private func authenticate(_ line: String, _ context: ChannelHandlerContext) {
        let parts = line.split(separator: " ")
        guard parts.count > 1, parts[1] == "PLAIN" else { return write("504 only AUTH PLAIN", context) }
        guard parts.count == 2 else { return login(parts[2], context) }
        isWaitingForLogin = true
        write("334 ", context)
    }

    private func login(_ text: Substring, _ context: ChannelHandlerContext) {
        guard let fields = Self.plain(text), fields.count == 3 else { return write("501 what?", context) }
        guard fields[2] == password else {
            answer("535 5.7.8 wrong password", to: "AUTH", context)
            return
        }
        login = fields[1]
        answer("235 welcome", to: "AUTH", context)
    }

    private func content(_ line: String, _ context: ChannelHandlerContext) {
        guard line == "." else {
            message?.append(line.hasPrefix(".") ? String(line.dropFirst()) : line)
            return
        }
        let mail = SMTPServer.Mail(
            from: from, to: to, text: (message ?? []).map { $0 + "\r\n" }.joined(), isEncrypted: isEncrypted,
            login: login)
        message = nil
        func keep() { state.withLock { $0.mails.append(mail) } }
        switch takeFault(for: ".") {
        case .dropAfterMessage:
            keep()
            context.close(promise: nil)
        case .hangAfterMessage: keep()
        case .answer(let text, _): write(text, context)
        case .closeAfterMessage:
            keep()
            write("250 2.0.0 taken", context)
            context.close(promise: nil)
        case nil:
            keep()
            write("250 2.0.0 taken", context)
        }
    }

    /// False when it had to fail.
    @discardableResult
    private func answer(_ text: String, to verb: String, _ context: ChannelHandlerContext) -> Bool {
        if case .answer(let other, _) = takeFault(for: verb) {
            write(other, context)
            if other.hasPrefix("421") { context.close(promise: nil) }
            return false
        }
        write(text, context)
        return true
    }

    private func write(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(NIOAny(ByteBuffer(string: text + "\r\n")), promise: nil)
    }

    private func takeFault(for verb: String) -> SMTPServer.Fault? {
        state.withLock { state in
            let place = state.faults.firstIndex { fault in
                if case .answer(_, let command) = fault { command == verb } else { verb == "." }
            }
            return place.map { state.faults.remove(at: $0) }
        }
    }

    private static func address(_ line: String) -> String {
        guard let start = line.firstIndex(of: "<"), let end = line.firstIndex(of: ">") else { return "" }
        return String(line[line.index(after: start)..<end])
    }

    /// RFC 4616: three fields with NUL in between, in Base64.
    private static func plain(_ text: Substring) -> [String]? {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var (bits, count, bytes) = (0, 0, [UInt8]())
        for character in text where character != "=" {
            guard let value = digits.firstIndex(of: character) else { return nil }
            (bits, count) = (bits << 6 | value, count + 6)
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
}
