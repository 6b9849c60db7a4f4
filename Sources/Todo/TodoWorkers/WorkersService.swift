internal import Concurrency
public import Logging
internal import Postgres
public import ServiceLifecycle
public import Telemetry
internal import TodoStore

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
        let start = Lock<String?>("the database has not been seen yet")
        let health = HealthServer(
            host: configuration.bindAddress, port: configuration.port, registry: registry,
            ready: HealthChecks([
                (
                    "database",
                    {
                        if let why = start.withLock({ $0 }) { throw HealthFailure(why) }
                        _ = try await pool.query("SELECT 1::int4")
                    }
                )
            ]), logger: logger)
        let workers = TodoWorkers(database: TodoDatabase(pool: pool), logger: logger, metrics: registry)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await health.run() }
                group.addTask {
                    try await awaitSchema(of: pool, start)
                    try await workers.run()
                }
                // Whichever ends takes the other along.
                try await group.next()
                group.cancelAll()
            }
        } catch {
            await pool.close()
            throw error
        }
        await pool.close()
    }

    /// Returns when the database was seen with the schema that this release needs.
    private func awaitSchema(of pool: PostgresPool, _ start: Lock<String?>) async throws {
        var delay: Duration = .milliseconds(100)
        while true {
            do {
                try await pool.withConnection { try await Migrator(connection: $0).requireLatest() }
                return start.withLock { $0 = nil }
            } catch let error as DatabaseError where error.isAboutSchema {
                throw error
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                let failure = DatabaseError(error, doing: "tell its schema version")
                logger.warning("waiting for the database", metadata: ["error": "\(failure)"])
                start.withLock { $0 = failure.message }
            }
            try await Task.sleep(for: delay)  // between attempts to reach the database
            delay = min(delay * 2, .seconds(2))
        }
    }
}

extension DatabaseError {
    fileprivate var isAboutSchema: Bool {
        switch self {
        case .newerSchema, .olderSchema, .editedMigration: true
        default: false
        }
    }
}
