import ArgumentParser
import Glibc
import KubernetesClient
import Logging
import Telemetry

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run one service; its environment configures it.",
        subcommands: [
            ServeAPI.self, ServeAudit.self, ServeNotification.self, ServeRealtime.self, ServeWorkers.self,
        ])
}

/// What every service starts with.
struct ServiceLaunch {
    let environment: [String: String]
    let registry: PrometheusRegistry
    let logger: Logger

    /// - Parameter label: the service's name in the log.
    init(_ label: String) throws {
        environment = LocalHosts.resolve(ProcessEnvironment.current)
        let level = try environment["LOG_LEVEL"].map { name in
            guard let level = Logger.Level(rawValue: name) else {
                throw CommandFailure("LOG_LEVEL is \(name); use trace, debug, info, notice, warning, error or critical")
            }
            return level
        }
        registry = Telemetry.bootstrap(level: level ?? .info, format: .json)
        logger = Logger(label: label)
    }
}
