import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import RealtimeService

@Suite struct FrameOutletTests {
    @Test func `what comes after a frame that did not fit waits for the rest of it`() async throws {
        let (channel, client) = try await Self.connected()
        defer { close(client) }
        let size = 1 << 20
        var received = try await channel.eventLoop.submit {
            let outlet = FrameOutlet()
            try channel.pipeline.syncOperations.addHandler(outlet)
            outlet.send(ByteBuffer(repeating: 1, count: size))
            let fitted = Self.read(client)
            #expect(!fitted.isEmpty && fitted.count < size)
            // The socket has room again, and the channel does not know yet.
            outlet.send(ByteBuffer(repeating: 2, count: 100))
            return fitted + Self.read(client)
        }.get()
        for _ in 0..<1000 where received.count < size + 100 {
            received += Self.read(client)
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(received.count == size + 100 && received.firstIndex(of: 2) == size)
        try await channel.close()
    }

    @Test func `when the channel has caught up, a frame is in the socket at once`() async throws {
        let (channel, client) = try await Self.connected()
        defer { close(client) }
        try await channel.eventLoop.submit {
            let outlet = FrameOutlet()
            try channel.pipeline.syncOperations.addHandler(outlet)
            outlet.write(ByteBuffer(bytes: [1]))
            outlet.send(ByteBuffer(bytes: [2]))
            outlet.send(ByteBuffer(bytes: [3]))
            #expect(Self.read(client) == [1, 2, 3] && outlet.hasRoom)
        }.get()
        try await channel.close()
    }

    @Test func `nothing is written to a descriptor that the channel has closed`() async throws {
        let (channel, client) = try await Self.connected()
        defer { close(client) }
        try await channel.eventLoop.submit {
            let outlet = FrameOutlet()
            try channel.pipeline.syncOperations.addHandler(outlet)
            outlet.send(ByteBuffer(bytes: [1]))
            channel.close(promise: nil)
            // It gets the number that is free now.
            let other = try Self.pair()
            defer { [other.0, other.1].forEach { close($0) } }
            outlet.send(ByteBuffer(bytes: [2]))
            #expect(Self.read(client) == [1] && Self.read(other.1).isEmpty)
        }.get()
    }

    /// A channel, and the client's end of its socket.
    private static func connected() async throws -> (any Channel, Int32) {
        let (server, client) = try pair()
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        return (try await bootstrap.withConnectedSocket(server).get(), client)
    }

    private static func pair() throws -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    /// What is there to be read.
    private static func read(_ socket: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &bytes, bytes.count, Int32(truncatingIfNeeded: MSG_DONTWAIT))
            guard count > 0 else { return all }
            all += bytes[..<count]
        }
    }
}
