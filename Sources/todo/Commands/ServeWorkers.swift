import ArgumentParser
import ServiceLifecycle
import UnixSignals
import WorkersService

struct ServeWorkers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workers", abstract: "Run the workers: they plan and fire reminders.",
        discussion: """
            Environment: DATABASE_URI, DATABASE_DIRECT_URI, DATABASE_POOLED, DATABASE_TLS_MODE (disable, require, \
            verify-full), POOL_SIZE, PORT (health and metrics), TODO_BIND_ADDRESS, LOG_LEVEL.
            """)

    func run() async throws {
        let launch = try ServiceLaunch("workers")
        let configuration = try WorkersConfiguration(environment: launch.environment)
        let service = WorkersService(
            configuration: configuration, registry: launch.registry, logger: launch.logger)
        try await ServiceGroup(
            services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: launch.logger
        ).run()
    }
}
