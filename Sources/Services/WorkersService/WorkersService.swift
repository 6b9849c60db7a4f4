public import Logging
internal import Postgres
internal import ServiceHTTP
public import ServiceLifecycle
public import Telemetry
internal import TodoStore
internal import TodoWorkers

/// The workers as a service of their own: with a pool, health and metrics.
///
/// It does not migrate: a database whose schema is not the one of this release makes `run` throw. One that is away is
/// waited for; meanwhile `/livez` says yes and `/readyz` no.
public struct WorkersService: Service {
    private let configuration: WorkersConfiguration
    private let registry: PrometheusRegistry
    private let logger: Logger

    public init(configuration: WorkersConfiguration, registry: PrometheusRegistry, logger: Logger) {
        self.configuration = configuration
        self.registry = registry
        self.logger = logger
    }

    /// Works until the graceful shutdown, or the task is cancelled.
    public func run() async throws {
        let pool = PostgresPool(
            configuration.database, limits: .init(size: configuration.poolSize), logger: logger)
        let readiness = Readiness(pool: pool, logger: logger)
        let health = HealthServer(
            host: configuration.bindAddress, port: configuration.port, registry: registry,
            ready: HealthChecks([("database", readiness.check)]), logger: logger)
        let database = TodoDatabase(pool: pool)
        let bell = configuration.direct.map { WorkerBell(address: $0, database: database, logger: logger) }
        let workers = TodoWorkers(database: database, bell: bell, logger: logger, metrics: registry)
        let parts = ServiceGroupConfiguration(
            services: [
                .init(service: health), .init(service: Work(workers: workers, bell: bell, readiness: readiness)),
            ],
            logger: logger)
        // Nobody is routed here: there is nothing to wait for before they stop.
        try await serve(parts, on: pool, readiness, drainDelay: .zero, logger: logger)
    }
}

/// The workers, once there is a database.
private struct Work: Service {
    let workers: TodoWorkers
    let bell: WorkerBell?
    let readiness: Readiness

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await readiness.awaitDatabase() }
        } catch is CancellationError {
            return  // told to stop while waiting: nothing is wrong
        }
        let listening = bell.map { bell in Task { await bell.run() } }
        defer { listening?.cancel() }
        try await workers.run()
    }
}
