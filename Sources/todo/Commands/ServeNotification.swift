import ArgumentParser
import NotificationService
import ServiceLifecycle
import UnixSignals

struct ServeNotification: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notification", abstract: "Run the service that sends reminders by webhook and mail.",
        discussion: """
            Environment: DATABASE_URI, DATABASE_DIRECT_URI, DATABASE_POOLED, DATABASE_TLS_MODE (disable, require, \
            verify-full), POOL_SIZE, PORT, TODO_BIND_ADDRESS, TODO_API_URL, TODO_PUBLIC_URL, TODO_LINK_KEY, \
            TODO_LINK_KEY_PREVIOUS, TODO_WEBHOOK_ALLOW, TODO_SMTP_HOST, TODO_SMTP_PORT, \
            TODO_SMTP_TLS (starttls, implicit, none), TODO_SMTP_FROM, TODO_SMTP_USERNAME, TODO_SMTP_PASSWORD, \
            TODO_SMTP_CA_FILE, APP_API_TOKEN, LOG_LEVEL.
            """)

    func run() async throws {
        let launch = try ServiceLaunch("notification")
        let configuration = try NotificationServiceConfiguration(environment: launch.environment)
        let service = NotificationService(
            configuration: configuration, registry: launch.registry, logger: launch.logger)
        try await ServiceGroup(
            services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: launch.logger
        ).run()
    }
}
