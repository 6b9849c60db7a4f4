import HTTPTransport

#if AHC
    import AsyncHTTPClient
    import NIOCore
    import NIOPosix
#endif

/// Ours first; the one that the ratio refers to last.
func allClients() -> [any BenchmarkClient] {
    #if AHC
        [CurlClient(), AsyncHTTPClientClient()]
    #else
        [CurlClient()]
    #endif
}

private struct CurlClient: BenchmarkClient {
    let name = "CurlTransport"
    private let transport = CurlTransport(configuration: .init(proxy: .none))

    func get(_ url: String) async throws -> Int {
        try await transport.send(ClientRequest(url: url)).body.collect(upTo: 1 << 20).count
    }

    func shutdown() { transport.close() }
}

#if AHC
    /// With one event loop, as CurlTransport has one thread.
    private struct AsyncHTTPClientClient: BenchmarkClient {
        let name = "async-http-client"
        private let loops: MultiThreadedEventLoopGroup
        private let client: HTTPClient

        init() {
            loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            var configuration = HTTPClient.Configuration()
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
            client = HTTPClient(eventLoopGroupProvider: .shared(loops), configuration: configuration)
        }

        func get(_ url: String) async throws -> Int {
            let response = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(10))
            return try await response.body.collect(upTo: 1 << 20).readableBytes
        }

        func shutdown() async throws {
            try await client.shutdown()
            try await loops.shutdownGracefully()
        }
    }
#endif
