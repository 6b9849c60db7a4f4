import HTTPTransport
import HTTPTypes
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import APIServer

/// A connection on which a test sends bytes of its own making.
private struct RawConnection {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var read = ""

    static func open(
        _ served: Served, tls: Bool = true, _ body: (inout RawConnection) async throws -> Void
    ) async throws {
        let authority = try NIOSSLCertificate.fromPEMBytes(Array(served.authority.certificatePEM.utf8))
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(authority)
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: served.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if tls {
                        let handler = try NIOSSLClientHandler(context: context, serverHostname: "localhost")
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            var connection = RawConnection(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            try await body(&connection)
        }
    }

    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// What has come since the last call, once `text` is in it.
    mutating func next(upTo text: String) async throws -> String {
        while !read.contains(text) {
            guard let bytes = try await inbound.next() else { break }
            read += String(buffer: bytes)
        }
        defer { read = "" }
        return read
    }

    /// What comes until the server closes the connection.
    mutating func rest() async throws -> String {
        do {
            while let bytes = try await inbound.next() { read += String(buffer: bytes) }
        } catch NIOSSLError.uncleanShutdown {}
        return read
    }
}

@Suite(.timeLimit(.minutes(10))) struct ConnectionTests {
    private static let target = "/api/v1/namespaces/default/configmaps"

    @Test("a client that asks before it sends a body is told to go on")
    func expectContinue() async throws {
        try await serve { served in
            try await RawConnection.open(served) { connection in
                let body = #"{"metadata":{"name":"asked"}}"#
                try await connection.send(
                    """
                    POST \(Self.target) HTTP/1.1\r
                    Host: x\r
                    Authorization: Bearer token\r
                    Content-Type: application/json\r
                    Content-Length: \(body.utf8.count)\r
                    Expect: 100-continue\r
                    \r

                    """)
                let first = try await connection.next(upTo: "\r\n\r\n")
                #expect(first.hasPrefix("HTTP/1.1 100 Continue\r\n"))
                try await connection.send(body)
                let answer = try await connection.next(upTo: "\"asked\"")
                #expect(answer.hasPrefix("HTTP/1.1 201 Created\r\n"))
            }
        }
    }

    @Test(
        "the connection ends after the answer when the client wants that, in whatever words",
        arguments: ["HTTP/1.0\r\n", "HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, Close\r\nUpgrade: h2c\r\n"])
    func lastRequest(head: String) async throws {
        try await serve { served in
            try await RawConnection.open(served) { connection in
                try await connection.send("GET /livez \(head)\r\n")
                let answer = try await connection.rest()
                #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nok"))
                #expect(answer.lowercased().contains("connection: close\r\n"))
            }
        }
    }

    @Test("a connection on which nothing comes is closed, but not one on which a watch waits")
    func idle() async throws {
        try await serve(idleTimeout: .seconds(3)) { served in
            async let silent: Void = RawConnection.open(served, tls: false) { connection in
                let answer = try await connection.rest()
                #expect(answer == "")
            }
            async let stalled: Void = RawConnection.open(served) { connection in
                try await connection.send("GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                let answer = try await connection.rest()
                #expect(answer == "")
            }
            let watch = try await served.transport().send(
                ClientRequest(
                    url: served.url("\(Self.target)?watch=true&timeoutSeconds=5"),
                    headers: [.authorization: "Bearer token"]))
            #expect(try await WatchLines(watch.body).next() == nil)
            _ = try await (silent, stalled)
        }
    }
}
