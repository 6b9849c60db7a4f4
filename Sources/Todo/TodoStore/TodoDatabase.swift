internal import Concurrency
public import FoundationEssentials
public import Postgres
public import TodoModel

/// What people keep, in PostgreSQL. Every call is one transaction; unless its comment says otherwise it is also one round
/// trip: whom it is for, the lock and the statement go out together.
///
/// All calls of all stores throw `StoreError`, `PostgresError`, or `CancellationError` when the task is cancelled.
public struct TodoDatabase: Sendable {
    enum Link: Sendable {
        case pool(PostgresPool)
        /// In the midst of a transaction.
        case transaction(PostgresConnection)
    }

    let link: Link
    private let ids: Lock<UUIDv7Generator>
    private let didCommit: @Sendable () -> Void
    /// What instances of a series are told by that are over already.
    let now: @Sendable () -> Instant

    /// - Parameter didCommit: called after each transaction that wrote; wakes up the relay, and must be quick.
    public init(
        pool: PostgresPool, didCommit: @escaping @Sendable () -> Void = {},
        now: @escaping @Sendable () -> Instant = { .now() }
    ) {
        self.init(link: .pool(pool), ids: Lock(UUIDv7Generator()), didCommit: didCommit, now: now)
    }

    /// For statements on this connection, not for transactions of several.
    init(connection: PostgresConnection) {
        self.init(link: .transaction(connection), ids: Lock(UUIDv7Generator()), didCommit: {}, now: { .now() })
    }

    private init(
        link: Link, ids: Lock<UUIDv7Generator>, didCommit: @escaping @Sendable () -> Void,
        now: @escaping @Sendable () -> Instant
    ) {
        self.link = link
        self.ids = ids
        self.didCommit = didCommit
        self.now = now
    }

    public var tasks: TaskStore { TaskStore(database: self) }
    public var series: SeriesStore { SeriesStore(database: self) }
    public var tags: TagStore { TagStore(database: self) }
    public var projects: ProjectStore { ProjectStore(database: self) }
    public var filters: FilterStore { FilterStore(database: self) }
    public var reminders: ReminderStore { ReminderStore(database: self) }
    public var policies: PolicyStore { PolicyStore(database: self) }
    public var plan: PlanStore { PlanStore(database: self) }
    public var firing: FireStore { FireStore(database: self) }
    public var sleeping: SleepStore { SleepStore(database: self) }
    public var accounts: AccountStore { AccountStore(database: self) }
    public var tokens: TokenStore { TokenStore(database: self) }
    public var changes: ChangeFeed { ChangeFeed(database: self) }
    public var outbox: Outbox { Outbox(database: self) }
    public var requests: RequestStore { RequestStore(database: self) }
    public var notifications: NotificationStore { NotificationStore(database: self) }
    public var maintenance: Maintenance { Maintenance(database: self) }
}

/// For whom a transaction runs: what row-level security reads.
struct Identity: Sendable {
    private var user = ""
    private var isSystem = false
    private var email = ""
    private var login = ""
    private var readsInOrder = false

    static let nobody = Identity()
    /// For nobody in particular: sees everything.
    static let system: Identity = {
        var identity = Identity()
        identity.isSystem = true
        return identity
    }()

    static func user(_ id: UUID) -> Identity {
        var identity = Identity()
        identity.user = id.uuidString
        return identity
    }

    /// Sees the account with this address, too.
    func naming(email: String) -> Identity {
        var identity = self
        identity.email = email
        return identity
    }

    /// Sees the account of this subject at an identity provider, too.
    func naming(issuer: String, subject: String) -> Identity {
        var identity = self
        identity.login = "\(issuer) \(subject)"
        return identity
    }

    /// Has rows read from an index in the order in which they are asked for, where there is one: not all of them by
    /// another index and then sorted. For the planner counts on few rows wherever it cannot tell, and does not see that a
    /// page is soon full.
    func readingInOrder(_ readsInOrder: Bool) -> Identity {
        var identity = self
        identity.readsInOrder = readsInOrder
        return identity
    }

    /// Sets all of them, so that nothing is left of whom the transaction ran for before.
    ///
    /// Besides, it has PostgreSQL plan a prepared statement once: the text of ours says how they are to be run, whatever
    /// the values, and planning one anew takes longer than running it, as does compiling one. Here and not where a
    /// connection begins, for poolers forget or refuse it there.
    var query: PostgresQuery {
        let reading = readsInOrder ? "off" : "on"
        return PostgresQuery(
            """
            SELECT set_config('app.user_id', \(user), true), set_config('app.system', \(isSystem ? "on" : ""), true),
                set_config('app.email', \(email), true), set_config('app.identity', \(login), true),
                set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true),
                set_config('enable_sort', \(reading), true), set_config('enable_bitmapscan', \(reading), true)
            """
        ).named("identity")
    }
}

extension TodoDatabase {
    /// Runs statements for somebody, in one round trip and one transaction. Returns the rows of each.
    func read(as identity: Identity, _ queries: [PostgresQuery]) async throws -> [PostgresRows] {
        let queries = [identity.query] + queries
        let results =
            switch link {
            case .pool(let pool): try await pool.batch(queries)
            case .transaction(let connection): try await connection.batch(queries)
            }
        return Array(results.dropFirst())
    }

    /// Like `read`, of one statement.
    func rows(as identity: Identity, _ name: String, _ statement: SQLFragment) async throws -> PostgresRows {
        guard let rows = try await read(as: identity, [statement.query(named: name)]).last else {
            throw PostgresError.misuse("\(name) gave no result")
        }
        return rows
    }

    /// Like `read`, of statements that write; returns the rows of the last one.
    func write(as identity: Identity, _ queries: [PostgresQuery]) async throws -> PostgresRows {
        guard let rows = try await read(as: identity, queries).last else {
            throw PostgresError.misuse("no statement to write with")
        }
        if case .pool = link { didCommit() }
        return rows
    }

    /// Runs `body` in a transaction of several round trips; what it throws rolls back. After a deadlock it is run again,
    /// so it must not have effects elsewhere.
    public func transaction<Value: Sendable>(_ body: @Sendable (TodoDatabase) async throws -> Value) async throws
        -> Value
    {
        switch link {
        case .transaction: return try await body(self)
        case .pool(let pool):
            let value = try await pool.withTransaction(attempts: 3) { connection in
                try await body(TodoDatabase(link: .transaction(connection), ids: ids, didCommit: didCommit, now: now))
            }
            didCommit()
            return value
        }
    }

    /// A UUIDv7.
    public func makeID() -> UUID { ids.withLock { $0.next(at: .now()) } }

    /// A new operation of somebody's.
    public func operation(by actor: UUID) -> TodoOperation { TodoOperation(id: makeID(), actor: actor) }
}

/// What one person does at once, and can undo at once.
public struct TodoOperation: Sendable, Hashable, Identifiable {
    public let id: UUID
    public let actor: UUID

    public init(id: UUID, actor: UUID) {
        self.id = id
        self.actor = actor
    }
}
