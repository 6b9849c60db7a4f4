internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
public import Logging
internal import NIOCore
internal import Postgres
public import ServiceLifecycle
public import Telemetry
internal import TodoStore

/// The HTTP API.
///
/// It does not migrate: a database whose schema is not the one of this release makes `run` throw. A database that is
/// away is waited for; meanwhile `/livez` says yes, `/readyz` no, and the API answers 503.
public struct TaskService: Service {
    /// Whose tasks these are, so long as there is one token.
    static let owner = UUID(uuid: (0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1))
    /// The longest that a request waits for a connection to the database.
    private static let poolWait: Duration = .seconds(2)

    private let configuration: TaskServiceConfiguration
    private let registry: PrometheusRegistry
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) -> Void

    /// - Parameter onListening: called once with the port, when connections are taken.
    public init(
        configuration: TaskServiceConfiguration, registry: PrometheusRegistry, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.registry = registry
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until the graceful shutdown: then `/readyz` says no for `drainDelay` while requests are answered, and only
    /// then the port is closed and requests under way are finished.
    ///
    /// Throws `DatabaseError` on a schema that is older or newer than this release's, and when the port cannot be had.
    public func run() async throws {
        var limits = PostgresPool.Limits(size: configuration.poolSize)
        limits.waitDeadline = Self.poolWait
        let pool = PostgresPool(configuration.database, limits: limits, logger: logger)
        let readiness = Readiness(pool: pool, logger: logger)
        let group = ServiceGroup(configuration: groupConfiguration(application(pool, readiness), readiness))
        do {
            try await serve(group, readiness)
        } catch {
            await pool.close()
            throw error
        }
        await pool.close()
    }

    /// The group runs apart from the graceful shutdown of whoever runs this service, for it has to come later.
    private func serve(_ group: ServiceGroup, _ readiness: Readiness) async throws {
        let serving = Task.detached { try await group.run() }
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await serving.value
            } onGracefulShutdown: { [logger, configuration] in
                logger.info("stopping")
                readiness.stop()
                Task {
                    try? await Task.sleep(for: configuration.drainDelay)
                    await group.triggerGracefulShutdown()
                }
            }
        } onCancel: {
            serving.cancel()
        }
    }

    private func groupConfiguration(
        _ application: some Service, _ readiness: Readiness
    ) -> ServiceGroupConfiguration {
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: application),
                .init(
                    service: SchemaGate(readiness: readiness), successTerminationBehavior: .ignore,
                    failureTerminationBehavior: .gracefullyShutdownGroup),
            ], logger: logger)
        configuration.maximumGracefulShutdownDuration = self.configuration.stopDeadline
        return configuration
    }

    private func application(_ pool: PostgresPool, _ readiness: Readiness) -> some Service {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: AccessMiddleware(factory: registry))
        router.add(middleware: ProblemMiddleware())
        HealthRoutes(
            registry: registry, ready: HealthChecks([("database", { try await readiness.check() })])
        ).add(to: router)
        let group = router.group()
        group.add(middleware: BearerMiddleware(token: configuration.apiToken))
        group.add(middleware: StartedMiddleware(readiness: readiness))
        TaskRoutes(store: TaskStore(pool: pool), user: Self.owner).add(to: group)
        return Application(
            router: router,
            server: .http1(configuration: .init(idleTimeout: .init(configuration.idleTimeout))),
            configuration: .init(
                address: .hostname(configuration.bindAddress, port: configuration.port), serverName: nil),
            onServerRunning: { [onListening] channel in onListening(channel.localAddress?.port ?? 0) },
            logger: logger)
    }
}

/// Waits for the database beside the server, so that probes are answered meanwhile; ends the service when its schema is
/// not the one of this release.
private struct SchemaGate: Service {
    let readiness: Readiness

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await readiness.awaitSchema()
            } catch is CancellationError {
                // Told to stop while waiting: nothing is wrong.
            }
        }
    }
}
