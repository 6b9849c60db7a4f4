import ArgumentParser
import AuditService

struct ServeAudit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Run the audit log.",
        discussion: """
            Environment: DATABASE_URI, DATABASE_DIRECT_URI, DATABASE_POOLED, DATABASE_TLS_MODE (disable, require, \
            verify-full), POOL_SIZE, PORT, TODO_BIND_ADDRESS, TODO_API_URL, TODO_AUDIT_KEY, TODO_AUDIT_SIGNING_KEY, \
            TODO_AUDIT_CHECKPOINT_SECONDS, \
            TODO_AUDIT_RETENTION_DAYS, APP_API_TOKEN, LOG_LEVEL.
            """)

    func run() async throws {
        let launch = try ServiceLaunch("audit")
        let configuration = try AuditServiceConfiguration(environment: launch.environment)
        try await AuditService(configuration: configuration, registry: launch.registry, logger: launch.logger).run()
    }
}
