internal import Concurrency
internal import NIOCore
internal import NIOPosix
public import StructuredData

/// A WebSocket client that can also misbehave: it sends whatever bytes it is told to, and may stop reading.
public final class WebSocketClient: Sendable {
    public enum Received: Sendable, Equatable {
        case message(JSON)
        case ping
        case pong([UInt8])
        case close(UInt16?)
        /// The connection is gone.
        case end
    }

    public struct Refused: Error {
        public let status: Int
        public let body: String
    }

    private let channel: any Channel
    private let inbox: Inbox
    /// The head of the answer to the handshake.
    public let head: String

    private init(channel: any Channel, inbox: Inbox, head: String) {
        self.channel = channel
        self.inbox = inbox
        self.head = head
    }

    /// Throws `Refused` when the server does not upgrade.
    public static func connect(
        _ port: Int, headers: [String] = [], path: String = "/v1/stream", receiveBuffer: Int? = nil
    ) async throws -> WebSocketClient {
        let inbox = Inbox()
        let channel = try await channel(port, inbox, receiveBuffer)
        let lines =
            [
                "GET \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Connection: Upgrade", "Upgrade: websocket",
                "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ] + headers
        try await channel.writeAndFlush(ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n")).get()
        let head = try await inbox.head()
        return WebSocketClient(channel: channel, inbox: inbox, head: head)
    }

    /// Sends the head of a request byte by byte, for at most half a minute, and never to its end. Returns whether the server
    /// closed the connection.
    public static func dribble(_ port: Int) async throws -> Bool {
        let channel = try await channel(port, Inbox())
        try await channel.writeAndFlush(ByteBuffer(string: "GET /v1/stream HTTP/1.1\r\nX-Long: ")).get()
        for _ in 0..<1500 where channel.isActive {
            try? await channel.writeAndFlush(ByteBuffer(string: "a")).get()
            try await Task.sleep(for: .milliseconds(20))  // it dribbles
        }
        defer { channel.close(promise: nil) }
        return !channel.isActive
    }

    private static func channel(
        _ port: Int, _ inbox: Inbox, _ receiveBuffer: Int? = nil
    ) async throws -> any Channel {
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FrameReader(inbox))
                }
            }
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: numericCast(receiveBuffer))
        }
        return try await bootstrap.connect(host: "127.0.0.1", port: port).get()
    }

    /// What comes next, pings left out.
    public func next() async -> Received {
        while true {
            let received = await inbox.next()
            if received != .ping { return received }
        }
    }

    public func nextIncludingPings() async -> Received { await inbox.next() }

    public func send(_ json: JSON) async throws { try await send(frame: 0x81, json.encoded()) }

    public func send(frame first: UInt8, _ payload: [UInt8], masked: Bool = true, length: Int? = nil) async throws {
        var bytes: [UInt8] = [first]
        let count = length ?? payload.count
        let mask: UInt8 = masked ? 0x80 : 0
        switch count {
        case ...125: bytes.append(mask | UInt8(count))
        case ...65535: bytes += [mask | 126, UInt8(count >> 8), UInt8(count & 255)]
        default: bytes += [mask | 127] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
        }
        let key: [UInt8] = [0x11, 0x22, 0x33, 0x44]
        bytes += masked ? key + payload.enumerated().map { $1 ^ key[$0 % 4] } : payload
        try await send(raw: bytes)
    }

    public func send(raw bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    public func reads(_ isReading: Bool) async throws {
        try await channel.setOption(.autoRead, value: isReading).get()
        if isReading { channel.read() }
    }

    public func disconnect() async { try? await channel.close().get() }
}

/// What arrived and was not asked for yet.
private final class Inbox: Sendable {
    private struct State {
        var received: [WebSocketClient.Received] = []
        var waiting: CheckedContinuation<WebSocketClient.Received, Never>?
        var headResult: Result<String, any Error>?
        var waitingForHead: CheckedContinuation<String, any Error>?
    }

    private let state = Lock(State())

    func put(_ received: WebSocketClient.Received) {
        let waiting = state.withLock { state in
            guard let waiting = state.waiting else {
                state.received.append(received)
                return nil as CheckedContinuation<WebSocketClient.Received, Never>?
            }
            state.waiting = nil
            return waiting
        }
        waiting?.resume(returning: received)
    }

    func put(head: Result<String, any Error>) {
        let waiting = state.withLock { state in
            if state.headResult == nil { state.headResult = head }
            defer { state.waitingForHead = nil }
            return state.waitingForHead
        }
        waiting?.resume(with: head)
    }

    func head() async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            let known = state.withLock { state in
                if state.headResult == nil { state.waitingForHead = continuation }
                return state.headResult
            }
            if let known { continuation.resume(with: known) }
        }
    }

    func next() async -> WebSocketClient.Received {
        await withCheckedContinuation { continuation in
            let first = state.withLock { state -> WebSocketClient.Received? in
                if state.received.isEmpty {
                    state.waiting = continuation
                    return nil
                }
                // What has come to an end stays so.
                return state.received[0] == .end ? .end : state.received.removeFirst()
            }
            if let first { continuation.resume(returning: first) }
        }
    }
}

/// Takes the server's answer to the handshake apart, and then its frames.
private final class FrameReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let inbox: Inbox
    private var buffer = ByteBuffer()
    private var isUpgraded = false

    init(_ inbox: Inbox) { self.inbox = inbox }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data)
        buffer.writeBuffer(&bytes)
        if !isUpgraded { readHead() }
        while isUpgraded, let (opcode, payload) = readFrame() {
            switch opcode {
            case 1: inbox.put(.message((try? JSON(parsing: payload)) ?? .null))
            case 8:
                inbox.put(.close(payload.count < 2 ? nil : UInt16(payload[0]) << 8 | UInt16(payload[1])))
                let echo: [UInt8] = [0x88, 0x80 | UInt8(min(2, payload.count)), 0, 0, 0, 0] + payload.prefix(2)
                context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(bytes: echo)), promise: nil)
            case 9:
                inbox.put(.ping)
                let echo: [UInt8] = [0x8a, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload
                context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(bytes: echo)), promise: nil)
            default: inbox.put(.pong(payload))
            }
        }
        buffer.discardReadBytes()
    }

    private func readHead() {
        let text = String(buffer: buffer)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return }
        let head = String(text[..<end.lowerBound])
        let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        if status == 101 {
            buffer.moveReaderIndex(forwardBy: head.utf8.count + 4)
            isUpgraded = true
            inbox.put(head: .success(head))
        } else {
            inbox.put(head: .failure(WebSocketClient.Refused(status: status, body: text)))
        }
    }

    private func readFrame() -> (UInt8, [UInt8])? {
        var frame = buffer
        guard let first: UInt8 = frame.readInteger(), let second: UInt8 = frame.readInteger() else { return nil }
        var length = Int(second)
        if second == 126 {
            guard let long: UInt16 = frame.readInteger() else { return nil }
            length = Int(long)
        } else if second == 127 {
            guard let long: UInt64 = frame.readInteger() else { return nil }
            length = Int(long)
        }
        guard let payload = frame.readBytes(length: length) else { return nil }
        buffer = frame
        return (first & 0x0f, payload)
    }

    func channelInactive(context: ChannelHandlerContext) {
        inbox.put(head: .failure(ChannelError.eof))
        inbox.put(.end)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
