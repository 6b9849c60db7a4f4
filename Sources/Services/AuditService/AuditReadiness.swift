internal import Concurrency
internal import Logging
internal import Postgres
internal import Telemetry
internal import TodoStore

/// Whether requests can be served: starting, until the database was seen with the right schema and the right key; then
/// serving; then stopping, when requests are served still but should go elsewhere.
final class AuditReadiness: Sendable {
    private enum State { case starting(String), serving, stopping }

    private let state = Lock(State.starting("the database has not been seen yet"))
    private let log: AuditLog

    init(log: AuditLog) { self.log = log }

    func stop() { state.withLock { $0 = .stopping } }

    /// Throws why requests should not come here.
    func check() async throws {
        switch state.withLock({ $0 }) {
        case .starting(let why): throw HealthFailure(why)
        case .stopping: throw HealthFailure("the service is stopping")
        case .serving: _ = try await log.pool.query("SELECT 1::int4")
        }
    }

    /// Returns when the database was seen as this release and these keys need it. One that is away, or refuses the login,
    /// is waited for; a schema that is older or newer, and another master key, throw.
    func awaitDatabase() async throws {
        var delay: Duration = .milliseconds(100)
        while true {
            do {
                try await log.pool.withConnection { try await AuditSchema.requireLatest($0) }
                try await log.keys.checkMasterKey()
                state.withLock { if case .starting = $0 { $0 = .serving } }
                return
            } catch let error as DatabaseError where error.isAboutSchema {
                throw error
            } catch let error as WrongMasterKey {
                throw error
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                let failure = DatabaseError(error, doing: "tell its schema version")
                log.logger.warning("waiting for the database", metadata: ["error": "\(failure)"])
                state.withLock { if case .starting = $0 { $0 = .starting(failure.message) } }
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
