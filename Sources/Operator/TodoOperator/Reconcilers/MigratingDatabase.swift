internal import AuditService
internal import Concurrency
public import ControllerRuntime
public import Logging
public import TodoResources
internal import TodoStore

/// Migrates databases by the migrations of this release.
///
/// A success is remembered for five minutes, so that a thousand apps on one database ask it once; callers for a database
/// that is being migrated wait for the same answer, but not for long: a pass that waits keeps a worker from all other
/// apps, and some databases never answer. A failure is tried again, and told until the next try fails too or lasts longer
/// than one that fails.
public final class MigratingDatabase: DatabasePreparing {
    private struct Target: Hashable {
        let uri: String
        let tlsMode: TodoApp.TLSMode
    }

    private struct Attempt {
        let began: ContinuousClock.Instant
        /// How the one before it failed.
        let former: DatabaseProblem?
        /// Open once `task` has ended, for which nobody can wait who may be cancelled.
        let end: Latch
        let task: Task<Result<Int, DatabaseProblem>, Never>
    }

    private enum Entry {
        case running(Attempt)
        case done(version: Int, at: ContinuousClock.Instant)
        case failed(DatabaseProblem, at: ContinuousClock.Instant)

        func isRemembered(at now: ContinuousClock.Instant) -> Bool {
            switch self {
            case .running: true
            case .done(_, let at), .failed(_, let at): now - at < MigratingDatabase.memory
            }
        }
    }

    private static let memory = Duration.seconds(300)
    private static let delay = DatabaseProblem(
        .migrating,
        "the database does not get ready: to migrate many rows takes its time, and goes on; if the log of the operator "
            + "has no migration, it does not answer, or a pooler holds back what it is asked")
    private let entries = Lock<[Target: Entry]>([:])
    private let patience: Duration
    private let time: any TimeSource
    private let logger: Logger

    /// - Parameter patience: how long after its beginning a migration is waited for; it goes on after that.
    public init(patience: Duration = .seconds(15), time: any TimeSource = SystemTime(), logger: Logger) {
        self.patience = patience
        self.time = time
        self.logger = logger
    }

    public func prepare(uri: String, tlsMode: TodoApp.TLSMode) async throws(DatabaseProblem) -> Int {
        let target = Target(uri: uri, tlsMode: tlsMode)
        let now = time.now
        let attempt = entries.withLock { entries -> Attempt? in
            switch entries[target] {
            case .running(let attempt): return attempt
            case .done(_, let at) where now - at < Self.memory: return nil
            case let entry:
                entries = entries.filter { $1.isRemembered(at: now) }
                let attempt = start(target, after: entry)
                entries[target] = .running(attempt)
                return attempt
            }
        }
        if let attempt {
            try await waitForEnd(of: attempt)
            return try await attempt.task.value.get()
        }
        guard case .done(let version, _) = entries.withLock({ $0[target] }) else {
            return try await prepare(uri: uri, tlsMode: tlsMode)
        }
        return version
    }

    private func start(_ target: Target, after entry: Entry?) -> Attempt {
        let end = Latch()
        let former: DatabaseProblem? = if case .failed(let problem, _) = entry { problem } else { nil }
        return Attempt(
            began: time.now, former: former, end: end,
            task: Task {
                defer { end.open() }
                return await self.migrate(target)
            })
    }

    private func waitForEnd(of attempt: Attempt) async throws(DatabaseProblem) {
        do {
            try await time.run(until: attempt.began.advanced(by: patience)) { try await attempt.end.wait() }
        } catch {
            let mayFailAlike = time.now - attempt.began < patience * 4
            throw mayFailAlike ? attempt.former ?? Self.delay : Self.delay
        }
    }

    private func migrate(_ target: Target) async -> Result<Int, DatabaseProblem> {
        do {
            let version = try await Migrator.migrate(
                databaseURI: target.uri, tlsMode: target.tlsMode.database, logger: logger)
            _ = try await AuditSchema.migrate(
                databaseURI: target.uri, tlsMode: target.tlsMode.database, logger: logger)
            entries.withLock { $0[target] = .done(version: version, at: time.now) }
            return .success(version)
        } catch {
            let problem = DatabaseProblem(error.reason, error.message)
            entries.withLock { $0[target] = .failed(problem, at: time.now) }
            return .failure(problem)
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
