internal import Concurrency
internal import Logging
internal import Postgres
internal import Telemetry
internal import TodoStore

/// Whether requests can be served: starting, until the database was seen with the right schema; then serving; then
/// stopping, when requests are served still but should go elsewhere.
final class Readiness: Sendable {
    private enum State { case starting(String), serving, stopping }

    /// A probe gives up after two seconds.
    private static let checkDeadline: Duration = .seconds(1)

    private let state = Lock(State.starting("the database has not been seen yet"))
    private let pool: PostgresPool
    private let logger: Logger

    init(pool: PostgresPool, logger: Logger) {
        self.pool = pool
        self.logger = logger
    }

    var mayServe: Bool {
        state.withLock { if case .starting = $0 { false } else { true } }
    }

    func stop() { state.withLock { $0 = .stopping } }

    /// Throws why requests should not come here.
    func check() async throws {
        switch state.withLock({ $0 }) {
        case .starting(let why): throw HealthFailure(why)
        case .stopping: throw HealthFailure("the service is stopping")
        case .serving:
            do {
                _ = try await withDeadline(Self.checkDeadline) { [pool] in try await pool.query("SELECT 1::int4") }
            } catch is DeadlineExceeded {
                throw HealthFailure("the database does not answer")
            }
        }
    }

    /// Returns when the database was seen with the schema that this release needs. One that is away, or refuses the
    /// login, is waited for; a schema that is older or newer throws.
    func awaitSchema() async throws {
        var delay: Duration = .milliseconds(100)
        while true {
            do {
                try await pool.withConnection { try await Migrator(connection: $0).requireLatest() }
                state.withLock { if case .starting = $0 { $0 = .serving } }
                return
            } catch let error as DatabaseError where error.isAboutSchema {
                throw error
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                let failure = DatabaseError(error, doing: "tell its schema version")
                logger.warning("waiting for the database", metadata: ["error": "\(failure)"])
                state.withLock { if case .starting = $0 { $0 = .starting(failure.message) } }
            }
            try await Task.sleep(for: delay)
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
