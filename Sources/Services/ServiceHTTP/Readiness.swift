internal import Concurrency
public import Logging
public import Postgres
internal import Telemetry
internal import TodoStore

/// Whether requests can be served: starting, until the database was seen as this release needs it; then serving; then
/// stopping, when requests are served still but should go elsewhere.
public final class Readiness: Sendable {
    private enum State { case starting(String), serving, stopping }

    /// A probe gives up after two seconds.
    private static let checkDeadline: Duration = .seconds(1)

    private let state = Lock(State.starting("the database has not been seen yet"))
    private let pool: PostgresPool
    private let logger: Logger
    private let requirement: @Sendable (PostgresPool) async throws -> Void

    /// Of services on the tables of the tasks.
    public convenience init(pool: PostgresPool, logger: Logger) {
        self.init(pool: pool, logger: logger) { pool in
            try await pool.withConnection { try await Migrator(connection: $0).requireLatest() }
        }
    }

    /// - Parameter requirement: throws when the database is not as this release needs it; what is neither about the
    ///   schema nor an `UnfitDatabase` is waited out.
    public init(
        pool: PostgresPool, logger: Logger, requirement: @escaping @Sendable (PostgresPool) async throws -> Void
    ) {
        self.pool = pool
        self.logger = logger
        self.requirement = requirement
    }

    public var mayServe: Bool {
        state.withLock { if case .starting = $0 { false } else { true } }
    }

    /// Returns when the database was seen, or the task is cancelled.
    public func awaitStart() async {
        while !mayServe, !Task.isCancelled {
            // Nobody is told when it comes, and nothing hurries.
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    public func stop() { state.withLock { $0 = .stopping } }

    /// Throws why requests should not come here.
    public func check() async throws {
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

    /// Returns when the database was seen as this release needs it. One that is away, or refuses the login, is waited
    /// for; a schema that is older or newer, and an `UnfitDatabase`, throw.
    public func awaitDatabase() async throws {
        var delay: Duration = .milliseconds(100)
        while true {
            do {
                try await requirement(pool)
                try await warnOfPowers()
                state.withLock { if case .starting = $0 { $0 = .serving } }
                return
            } catch let error as DatabaseError where error.isAboutSchema {
                throw error
            } catch let error as any UnfitDatabase {
                throw error
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                let failure = DatabaseError(error, doing: "tell its schema version")
                logger.warning("waiting for the database", metadata: ["error": "\(failure)"])
                state.withLock { if case .starting = $0 { $0 = .starting(failure.message) } }
            }
            try await Task.sleep(for: delay)  // between attempts to reach the database
            delay = min(delay * 2, .seconds(2))
        }
    }

    /// Row-level security does not hold for such a user: only the service's own checks are left.
    private func warnOfPowers() async throws {
        let role = try await pool.query("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        guard let row = role.first, try row.decode(Bool.self) else { return }
        logger.warning(
            "the database user is above row-level security: let a user who is no superuser own the schema, and use that"
        )
    }
}

/// The database can be reached but will never do: waiting does not help.
public protocol UnfitDatabase: Error {}

extension DatabaseError {
    fileprivate var isAboutSchema: Bool {
        switch self {
        case .newerSchema, .olderSchema, .editedMigration: true
        default: false
        }
    }
}
