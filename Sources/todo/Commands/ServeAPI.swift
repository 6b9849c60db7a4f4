import ArgumentParser
import Dapr
import TaskService

struct ServeAPI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api", abstract: "Run the HTTP API and the web page.",
        discussion: """
            Environment: DATABASE_URI, DATABASE_DIRECT_URI, DATABASE_POOLED, DATABASE_TLS_MODE (disable, require, \
            verify-full), POOL_SIZE, PORT, TODO_API_TOKEN, TODO_API_TOKEN_PREVIOUS, SIGN_UP (open, closed), RATE_LIMIT, \
            BIN_DAYS, OIDC_ISSUER, OIDC_AUDIENCE, OIDC_CA, TODO_AUDIT_URL, TODO_NOTIFICATION_URL, TODO_REALTIME_URL, \
            DAPR_HTTP_PORT, DAPR_HTTP_ENDPOINT, DAPR_API_TOKEN, APP_API_TOKEN, PUBSUB_NAME, TOPIC_PREFIX, \
            TODO_BIND_ADDRESS, LOG_LEVEL.
            """)

    func run() async throws {
        let launch = try ServiceLaunch("api")
        let configuration = try TaskServiceConfiguration(environment: launch.environment)
        let hasSidecar = ["DAPR_HTTP_PORT", "DAPR_HTTP_ENDPOINT"].contains { launch.environment[$0] != nil }
        let publisher = hasSidecar ? DaprPublisher(environment: launch.environment) : nil
        try await TaskService(
            configuration: configuration, registry: launch.registry, logger: launch.logger, publisher: publisher
        ).run()
    }
}

extension DaprPublisher {
    /// By `PUBSUB_NAME` (default `todo-pubsub`), `TOPIC_PREFIX` and Dapr's own variables.
    fileprivate init(environment: [String: String]) {
        self.init(
            DaprClient(.init(environment: environment)), pubsub: environment["PUBSUB_NAME"] ?? "todo-pubsub",
            topicPrefix: environment["TOPIC_PREFIX"] ?? "")
    }
}
