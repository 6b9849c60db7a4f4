internal import Concurrency
internal import ControllerRuntime
public import FoundationEssentials
public import Logging
internal import Postgres
public import TodoModel
public import TodoStore
internal import TodoResources
internal import TodoWorkers

/// The connections of this process to the databases of apps: few to each, no more in all than one budget allows, and none
/// that nobody needs; and one to each database on which workers are woken up.
public final class AppDatabases: Sendable {
    private struct Bell {
        let bell: WorkerBell
        let task: Task<Void, Never>
    }

    private let pools = Lock<[AppDatabase: PostgresPool]>([:])
    private let bells = Lock<[AppDatabase: Bell]>([:])
    private let limits: PostgresPool.Limits
    private let patience: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - each: connections to one database at the most.
    ///   - budget: connections in all.
    ///   - patience: how long a pass waits for a database: it keeps a worker from all others meanwhile.
    public init(each: Int = 4, budget: Int = 200, patience: Duration = .seconds(30), logger: Logger) {
        var limits = PostgresPool.Limits(size: each)
        limits.budget = ConnectionBudget(budget)
        limits.idleTimeout = .seconds(30)
        self.limits = limits
        self.patience = patience
        self.logger = logger
    }

    /// Throws when the address cannot be read; connects no earlier than at the first statement.
    func database(_ address: AppDatabase) throws(DatabaseError) -> TodoDatabase {
        TodoDatabase(pool: try pool(address))
    }

    /// Throws unless the database answers and has the schema of this release.
    func check(_ address: AppDatabase) async throws {
        try await pool(address).withConnection { try await Migrator(connection: $0).requireLatest() }
    }

    private func pool(_ address: AppDatabase) throws(DatabaseError) -> PostgresPool {
        if let pool = pools.withLock({ $0[address] }) { return pool }
        let configuration = try DatabaseAddress(
            uri: address.uri, tlsMode: address.tlsMode.database, isPooled: address.directURI != nil
        ).configuration
        return pools.withLock { pools in
            let pool = pools[address] ?? PostgresPool(configuration, limits: limits, logger: logger)
            pools[address] = pool
            return pool
        }
    }

    /// What wakes up the workers of the database; nil when only a pooler leads there.
    func bell(_ address: AppDatabase) throws(DatabaseError) -> WorkerBell? {
        let direct = try DatabaseAddress(uri: address.directURI ?? address.uri, tlsMode: address.tlsMode.database)
        guard direct.keepsSessions else { return nil }
        let database = try database(address)
        return bells.withLock { bells in
            if let present = bells[address] { return present.bell }
            let bell = WorkerBell(address: direct.configuration, database: database, logger: logger)
            bells[address] = Bell(bell: bell, task: Task { await bell.run() })
            return bell
        }
    }

    /// Whoever asks for the database after this gets other connections. Returns what closes these.
    func forget(_ address: AppDatabase) -> @Sendable () async -> Void {
        let bell = bells.withLock { $0.removeValue(forKey: address) }
        let pool = pools.withLock { $0.removeValue(forKey: address) }
        return {
            bell?.task.cancel()
            await bell?.task.value
            await pool?.close()
        }
    }
}

extension AppDatabases: PolicyKeeping {
    public func apply(_ policy: ReminderPolicy, in database: AppDatabase) async throws -> PolicyStore.Status {
        try await describing("keep a reminder policy") {
            let store = try self.database(database).policies
            if try await store.policy(policy.id) != policy { try await store.upsert(policy) }
            guard let status = try await store.status(policy.id) else {
                throw DatabaseProblem(.policyFailed, "the policy was removed by somebody else; it will be made again")
            }
            return status
        }
    }

    public func policies(of namespace: String, in database: AppDatabase) async throws -> Set<UUID> {
        try await describing("read the reminder policies") {
            Set(try await self.database(database).policies.all().filter { $0.namespace == namespace }.map(\.id))
        }
    }

    public func remove(_ id: UUID, from database: AppDatabase) async throws {
        try await describing("remove a reminder policy") { try await self.database(database).policies.delete(id) }
    }

    private func describing<Value: Sendable>(
        _ task: String, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let time = SystemTime()
        do {
            return try await time.run(until: time.now.advanced(by: patience), body)
        } catch let error as DatabaseProblem {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch is DeadlineExceeded {
            throw DatabaseProblem(.connectionFailed, "the database could not \(task): it does not answer")
        } catch {
            let failure = DatabaseError(error, doing: task)
            throw DatabaseProblem(failure.reason, failure.message)
        }
    }
}
