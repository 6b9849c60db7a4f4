import Concurrency
import HTTPTransport
import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle
import Testing

@testable import TodoWeb

/// The page on a port of its own while `work` runs.
struct PageServer: Sendable {
    struct Answer {
        let status: Int
        let headers: HTTPFields
        let bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private let port: Int
    var url: String { "http://127.0.0.1:\(port)/" }
    private let transport: CurlTransport

    static func run<Result: Sendable>(
        _ page: WebPage = .shared, unpacking: Bool = false,
        _ work: @Sendable @escaping (PageServer) async throws -> Result
    ) async throws -> Result {
        let router = Router(options: .autoGenerateHeadEndpoints)
        WebRoutes(page: page).add(to: router)
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0), serverName: nil),
            onServerRunning: { channel in continuation.yield(channel.localAddress?.port ?? 0) }, logger: logger)
        let transport = CurlTransport(configuration: .init(decompressesResponses: unpacking))
        defer { transport.close() }
        let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await ports.first { _ in true })
            let result = try await work(PageServer(port: port, transport: transport))
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return result
        }
    }

    func get(
        _ path: String, _ headers: HTTPFields = [:], method: HTTPRequest.Method = .get
    ) async throws -> Answer {
        let response = try await transport.send(
            ClientRequest(
                method: method, url: "http://127.0.0.1:\(port)\(path)", headers: headers, totalTimeout: .seconds(20)))
        return Answer(
            status: response.status.code, headers: response.headers,
            bytes: try await response.body.collect(upTo: 16 << 20))
    }
}
