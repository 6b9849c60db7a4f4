import Concurrency
import HTTPTypes
import NIOCore
import NIOPosix
import ServiceHTTP
import Testing

@testable import TaskService

/// Over real sockets: a client, the tunnel with something behind it that is not the stream, and a target that echoes.
@Suite(.timeLimit(.minutes(10))) struct StreamTunnelTests {
    private static let group = MultiThreadedEventLoopGroup.singleton

    /// Answers with what came, behind a word of its own.
    private final class Echo: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let word: String

        init(_ word: String) { self.word = word }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            context.writeAndFlush(NIOAny(ByteBuffer(string: "\(word)[\(text)]")), promise: nil)
        }
    }

    private static func listen(
        _ handlers: @escaping @Sendable () -> [any ChannelHandler]
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandlers(handlers()) }
        }.bind(host: "127.0.0.1", port: 0).get()
    }

    private typealias Client = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private static func connect(_ server: any Channel) async throws -> Client {
        try await ClientBootstrap(group: group).connect(
            host: "127.0.0.1", port: server.localAddress?.port ?? 0
        ) { channel in
            channel.eventLoop.makeCompletedFuture { try Client(wrappingChannelSynchronously: channel) }
        }
    }

    /// Sends the pieces one by one, and gives what comes back until `end` is there or the connection ends.
    private static func talk(_ server: any Channel, _ pieces: [String], until end: String) async throws -> String {
        try await connect(server).executeThenClose { inbound, outbound in
            for piece in pieces {
                try await outbound.write(ByteBuffer(string: piece))
                try await Task.sleep(for: .milliseconds(20))
            }
            var seen = ""
            for try await bytes in inbound {
                seen += String(buffer: bytes)
                if seen.hasSuffix(end) { break }
            }
            return seen
        }
    }

    private static func front(_ target: any Channel) async throws -> any Channel {
        let place = SocketTarget(host: "127.0.0.1", port: target.localAddress?.port ?? 0)
        return try await listen { [StreamTunnel(to: place), Echo("http")] }
    }

    @Test func theStreamGoesToTheTargetAndEverythingElseDoesNot() async throws {
        let target = try await Self.listen { [Echo("stream")] }
        let front = try await Self.front(target)
        let whole = "GET /v1/stream HTTP/1.1\r\n\r\n"
        #expect(try await Self.talk(front, [whole], until: "]") == "stream[\(whole)]")
        #expect(try await Self.talk(front, ["GET /v1/stream?a=b "], until: "]") == "stream[GET /v1/stream?a=b ]")
        for other in ["GET /v1/streams HTTP/1.1", "POST /v1/stream HTTP/1.1", "GET /v1/tasks", "x"] {
            #expect(try await Self.talk(front, [other], until: "]") == "http[\(other)]")
        }
        // In pieces: nothing is lost, nothing is sent on before it is clear whose it is.
        #expect(try await Self.talk(front, ["GE", "T /v1/stre", "am "], until: "]") == "stream[GET /v1/stream ]")
        #expect(try await Self.talk(front, ["GET /v1/stre", "et"], until: "]") == "http[GET /v1/street]")
        try await front.close()
        try await target.close()
    }

    @Test func withoutATargetTheAnswerIs503() async throws {
        let target = try await Self.listen { [Echo("stream")] }
        let front = try await Self.front(target)
        try await target.close()
        let answer = try await Self.talk(front, ["GET /v1/stream HTTP/1.1\r\n\r\n"], until: "}")
        #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(answer.contains("application/problem+json"))
        try await front.close()
    }

    /// Says goodbye at once.
    private final class Closing: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.close(promise: nil) }
    }

    @Test func whenTheTargetClosesTheClientsConnectionIsClosed() async throws {
        let target = try await Self.listen { [Closing()] }
        let front = try await Self.front(target)
        #expect(try await Self.talk(front, ["GET /v1/stream HTTP/1.1\r\n\r\n"], until: "never") == "")
        try await front.close()
        try await target.close()
    }

    /// Sends everybody away, and tells whether it could.
    private final class Refusing: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let outcomes: AsyncStream<Bool>.Continuation

        init(_ outcomes: AsyncStream<Bool>.Continuation) { self.outcomes = outcomes }

        func channelActive(context: ChannelHandlerContext) { context.close(mode: .output, promise: nil) }

        func channelReadComplete(context: ChannelHandlerContext) {
            context.close().whenComplete { [outcomes] result in
                if case .success = result { outcomes.yield(true) } else { outcomes.yield(false) }
            }
        }
    }

    @Test func whoWasSentAwayIsNotPassedOn() async throws {
        let target = try await Self.listen { [Echo("stream")] }
        let place = SocketTarget(host: "127.0.0.1", port: target.localAddress?.port ?? 0)
        let (outcomes, continuation) = AsyncStream.makeStream(of: Bool.self)
        let front = try await Self.listen { [StreamTunnel(to: place), Refusing(continuation)] }
        let port = front.localAddress?.port ?? 0
        #expect(try await runBlocking { try RawClient.ask("GET /v1/stream HTTP/1.1\r\n\r\n", port: port) } == "")
        let outcome = await outcomes.first { _ in true }
        #expect(outcome == true)
        try await front.close()
        try await target.close()
    }

    @Test func aConnectionThatHadOtherRequestsIsToBeClosed() async throws {
        try await RunningService.with(["TODO_REALTIME_URL": "http://127.0.0.1:1"]) { service in
            #expect(try await service.send(.get, "/v1/me").status == 200)
            let late = try await service.send(.get, "/v1/stream", bytes: nil, headers: [:])
            #expect(late.status == 426 && late.headers[.connection] == "upgrade, close")
        }
    }

    /// Sends more than anybody takes, and takes nothing.
    private final class Flood: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
            context.writeAndFlush(NIOAny(ByteBuffer(repeating: 0, count: 32 << 20)), promise: nil)
        }
    }

    /// The handlers of HTTP find such a connection idle, and what they did about that had it read on for ever.
    @Test func aConnectionThatNobodyTakesFromIsNotReadOnWhenItSeemsIdle() async throws {
        let target = try await Self.listen { [Flood()] }
        let address = "http://127.0.0.1:\(target.localAddress?.port ?? 0)"
        try await RunningService.with(["TODO_REALTIME_URL": address], configure: { $0.limits.idle = .seconds(1) }) {
            service in
            let client = try await runBlocking {
                let client = try RawClient(port: service.port, receiveBuffer: 4096, segment: 1400)
                client.send("GET /v1/stream HTTP/1.1\r\n\r\n".utf8)
                client.pause(.seconds(3))
                return client
            }
            let isTaken = await runBlocking {
                client.send([UInt8](repeating: 0, count: 64 << 20), patience: .seconds(5))
            }
            #expect(!isTaken)
        }
        try await target.close()
    }
}
