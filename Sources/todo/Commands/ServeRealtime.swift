import ArgumentParser
import HTTPTransport
import RealtimeService
import ServiceLifecycle
import UnixSignals

struct ServeRealtime: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "realtime", abstract: "Run the WebSocket service for live changes.",
        discussion: """
            Environment: TODO_API_URL, PORT, APP_API_TOKEN, TODO_ALLOWED_ORIGINS, MAX_CONNECTIONS, \
            MAX_CONNECTIONS_PER_USER, DRAIN_SECONDS, TODO_BIND_ADDRESS, LOG_LEVEL.
            """)

    func run() async throws {
        let launch = try ServiceLaunch("realtime")
        let configuration = try RealtimeConfiguration(environment: launch.environment)
        let transport = CurlTransport(
            configuration: .init(proxy: .none, maxConnectionsPerHost: configuration.apiConcurrency))
        let service = RealtimeService(
            configuration: configuration, transport: transport, registry: launch.registry, logger: launch.logger)
        try await ServiceGroup(
            services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: launch.logger
        ).run()
        transport.close()
    }
}
