internal import Crypto
internal import Dapr
internal import FoundationEssentials
internal import HTTPTransport
internal import Hummingbird
public import Logging
internal import NIOCore
internal import Postgres
internal import TodoModel
public import ServiceHTTP
public import ServiceLifecycle
public import Telemetry
internal import HTTPServing

/// The audit service: takes events from the sidecar, keeps the log, and shows people their part of it.
///
/// It does not migrate: a database whose schema is not the one of this release makes `run` throw. A database that is
/// away is waited for; meanwhile `/livez` says yes, `/readyz` no, and deliveries are asked for again.
public struct AuditService: Service {
    private let configuration: AuditServiceConfiguration
    private let registry: PrometheusRegistry
    private let authenticator: any TokenAuthenticator
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) -> Void

    /// - Parameters:
    ///   - authenticator: nil asks the api service.
    ///   - onListening: called once with the port, when connections are taken.
    public init(
        configuration: AuditServiceConfiguration, registry: PrometheusRegistry,
        authenticator: (any TokenAuthenticator)? = nil, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.registry = registry
        self.authenticator =
            authenticator
            ?? APITokenAuthenticator(
                api: configuration.apiURL, transport: CurlTransport(configuration: .init(proxy: .none)))
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until the graceful shutdown: then `/readyz` says no for `drainDelay` while requests are answered, and only
    /// then the port is closed and requests under way are finished.
    ///
    /// Throws when the schema is older or newer than this release's, when `TODO_AUDIT_KEY` is not the log's, and when
    /// the port cannot be had.
    public func run() async throws {
        var limits = PostgresPool.Limits(size: configuration.poolSize)
        limits.waitDeadline = configuration.poolWait
        let pool = PostgresPool(configuration.database, limits: limits, logger: logger)
        let log = AuditLog(pool: pool, secrets: configuration.secrets, metrics: registry, logger: logger)
        if configuration.sidecarToken == nil {
            logger.warning("APP_API_TOKEN is not set: whoever reaches the port may deliver events")
        }
        logger.info(
            "signing checkpoints",
            metadata: [
                "publicKey": "\(configuration.secrets.signing.publicKey.rawRepresentation.base64EncodedString())"
            ])
        let readiness = Readiness(pool: pool, logger: logger) { pool in
            try await pool.withConnection { try await AuditSchema.requireLatest($0) }
            try await log.keys.checkMasterKey()
        }
        try await serve(
            groupConfiguration(log, readiness), on: pool, readiness, drainDelay: configuration.drainDelay,
            logger: logger)
    }

    private func groupConfiguration(_ log: AuditLog, _ readiness: Readiness) -> ServiceGroupConfiguration {
        let checkpoints = CheckpointLoop(
            log: log, readiness: readiness, interval: configuration.checkpointInterval)
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: application(log, readiness)),
                .init(
                    service: checkpoints, successTerminationBehavior: .ignore,
                    failureTerminationBehavior: .gracefullyShutdownGroup),
            ], logger: logger)
        configuration.maximumGracefulShutdownDuration = self.configuration.stopDeadline
        return configuration
    }

    private func application(_ log: AuditLog, _ readiness: Readiness) -> some Service {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware())
        HealthRoutes(
            registry: registry, ready: HealthChecks([("database", { try await readiness.check() })])
        ).add(to: router)
        router.addDaprSubscribers(EventDelivery(log: log).subscribers, token: configuration.sidecarToken)
        for job in EventFlow.dailyJobs(of: "audit") {
            router.addDaprBinding(job.path, token: configuration.sidecarToken) {
                [retention = configuration.retention] in
                let age = Int64(retention / .microseconds(1))
                let count = try await log.dropEntries(
                    before: Instant(microsecondsSince1970: Instant.now().microsecondsSince1970 - age))
                if count > 0 {
                    log.logger.info(
                        "dropped entries that are older than the log keeps", metadata: ["entries": "\(count)"])
                }
            }
        }
        AuditRoutes(log: log, authenticator: authenticator).add(to: router)
        router.addOpenAPI(OpenAPI.audit)
        return Application(
            router: router,
            server: .safeHTTP1(configuration: .init(configuration.limits)),
            configuration: .init(
                address: .hostname(configuration.bindAddress, port: configuration.port), serverName: nil),
            onServerRunning: { [onListening] channel in onListening(channel.localAddress?.port ?? 0) },
            logger: logger)
    }
}

/// Waits for the database beside the server, so that probes are answered meanwhile, then signs checkpoints. Every replica
/// does; who comes second within an interval finds that there is one.
private struct CheckpointLoop: Service {
    let log: AuditLog
    let readiness: Readiness
    let interval: Duration

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await readiness.awaitDatabase()
                while true {
                    try await Task.sleep(for: interval)  // what a checkpoint costs is paid once an interval
                    await sign()
                }
            } catch is CancellationError {
                // Told to stop: nothing is wrong.
            }
        }
    }

    private func sign() async {
        do {
            // A replica that ticks a moment early must not leave its turn to the next interval.
            try await log.makeCheckpoint(unlessYoungerThan: interval * 9 / 10)
        } catch {
            log.logger.error("no checkpoint made; will try again", metadata: ["error": "\(error)"])
        }
    }
}
