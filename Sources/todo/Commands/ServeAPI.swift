import ArgumentParser
import Glibc
import KubernetesClient
import Logging
import TaskService
import Telemetry

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run one service; its environment configures it.", subcommands: [ServeAPI.self])
}

struct ServeAPI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api", abstract: "Run the HTTP API.",
        discussion: """
            Environment: DATABASE_URI, DATABASE_DIRECT_URI, DATABASE_POOLED, DATABASE_TLS_MODE (disable, require, verify-full), POOL_SIZE, PORT, TODO_API_TOKEN, \
            TODO_BIND_ADDRESS, LOG_LEVEL.
            """)

    func run() async throws {
        let environment = ProcessEnvironment.current
        let level = try environment["LOG_LEVEL"].map { name in
            guard let level = Logger.Level(rawValue: name) else {
                throw CommandFailure("LOG_LEVEL is \(name); use trace, debug, info, notice, warning, error or critical")
            }
            return level
        }
        let registry = Telemetry.bootstrap(level: level ?? .info, format: .json)
        let configuration = try TaskServiceConfiguration(environment: environment)
        try await TaskService(configuration: configuration, registry: registry, logger: Logger(label: "api")).run()
    }
}
