import HTTPServing
import HummingbirdCore
import Logging
import NIOCore
import NIOEmbedded
import Testing

@Suite(.timeLimit(.minutes(10))) struct AcceptedChannelTests {
    private let channel = NIOAsyncTestingChannel()

    /// A server that stops lets go of it like this; the process would end.
    @Test func aConnectionThatNobodyHandlesIsClosed() async throws {
        var connection: AcceptedConnection? = try await accept()
        #expect(channel.isActive && connection?.channel === channel)
        connection = nil
        try await channel.closeFuture.get()
    }

    @Test func oneThatIsTakenIsLeftToWhoeverTookIt() async throws {
        var connection: AcceptedConnection? = try await accept()
        let taken = try #require(connection?.take())
        connection = nil
        try await taken.executeThenClose { _, _ in #expect(channel.isActive) }
        #expect(!channel.isActive)
    }

    private func accept() async throws -> AcceptedConnection {
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 80))
        let accepted = AcceptedChannel(base: HTTP1Channel { _, _, _ in })
        return try await channel.eventLoop.flatSubmit { [channel] in
            accepted.setup(channel: channel, logger: Logger(label: "test"))
        }.get()
    }
}
