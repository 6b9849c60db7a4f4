internal import AuditService
internal import Concurrency
public import Logging
public import TodoResources
internal import TodoStore

/// Migrates databases by the migrations of this release.
///
/// A success is remembered for five minutes, so that a thousand apps on one database ask it once; callers for a database
/// that is being migrated wait for the same answer. A failure is not remembered.
public final class MigratingDatabase: DatabasePreparing {
    private struct Target: Hashable {
        let uri: String
        let tlsMode: TodoApp.TLSMode
    }

    private enum Entry {
        case running(Task<Result<Int, DatabaseProblem>, Never>)
        case done(version: Int, at: ContinuousClock.Instant)
    }

    private static let memory = Duration.seconds(300)
    private let entries = Lock<[Target: Entry]>([:])
    private let logger: Logger

    public init(logger: Logger) { self.logger = logger }

    public func prepare(uri: String, tlsMode: TodoApp.TLSMode) async throws(DatabaseProblem) -> Int {
        let target = Target(uri: uri, tlsMode: tlsMode)
        let now = ContinuousClock.now
        let task = entries.withLock { entries -> Task<Result<Int, DatabaseProblem>, Never>? in
            switch entries[target] {
            case .running(let task): return task
            case .done(_, let at) where now - at < Self.memory: return nil
            default:
                entries = entries.filter { if case .done(_, let at) = $1 { now - at < Self.memory } else { true } }
                let task = Task { await self.migrate(target) }
                entries[target] = .running(task)
                return task
            }
        }
        if let task { return try await task.value.get() }
        guard case .done(let version, _) = entries.withLock({ $0[target] }) else {
            return try await migrate(target).get()
        }
        return version
    }

    private func migrate(_ target: Target) async -> Result<Int, DatabaseProblem> {
        do {
            let version = try await Migrator.migrate(
                databaseURI: target.uri, tlsMode: target.tlsMode.database, logger: logger)
            _ = try await AuditSchema.migrate(
                databaseURI: target.uri, tlsMode: target.tlsMode.database, logger: logger)
            entries.withLock { $0[target] = .done(version: version, at: .now) }
            return .success(version)
        } catch {
            entries.withLock { $0[target] = nil }
            return .failure(DatabaseProblem(error.reason, error.message))
        }
    }
}

extension TodoApp.TLSMode {
    var database: DatabaseTLSMode {
        switch self {
        case .disable: .disable
        case .require: .require
        case .verifyFull: .verifyFull
        }
    }
}

extension DatabaseError {
    var reason: ConditionReason {
        switch self {
        case .invalidURI: .secretInvalid
        case .cannotConnect: .connectionFailed
        case .tlsRefused: .tlsRefused
        case .authenticationFailed: .authenticationFailed
        case .newerSchema: .schemaTooNew
        case .olderSchema, .editedMigration, .migrationFailed: .migrationFailed
        }
    }
}
