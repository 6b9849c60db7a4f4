public import FoundationEssentials
internal import Postgres
public import TodoModel

/// The reminders that are due. A claim is one statement in one round trip: it takes rows that nobody else is taking,
/// marks them and writes their events. So a worker that dies leaves either all of that or nothing, and no two of them
/// fire the same row.
public struct FireStore: Sendable {
    let database: TodoDatabase

    /// The most rows that one claim takes.
    public static let batch = 1000
    /// Locked, shared with others, by the transactions of a rush: "fire" in ASCII.
    static let rushKey: Int64 = 0x6669_7265

    /// What a claim did.
    public struct Claim: Sendable {
        /// The database's clock at that moment.
        public let databaseTime: Instant
        /// False: the statement came too late, and did nothing.
        public let isInTime: Bool
        /// The first reminder after `through`.
        public let next: Instant?
        /// The first digest, due or not.
        public let nextDigest: Instant?
        /// When those were due that fired in time.
        public let onTime: [Instant]
        /// How many fired though they were missed.
        public let late: Int
        public let expired: Int
        public let held: Int
        public let cancelled: Int

        public var fired: Int { onTime.count + late }
        public var count: Int { fired + expired + held + cancelled }
    }

    /// What is asked of a claim.
    public struct Order: Sendable {
        /// Only what is due after that; nil: however long ago.
        public var after: Instant?
        /// Only what is due by then.
        public var through: Instant
        /// By the worker's clock.
        public var now: Instant
        /// What was due by then was missed.
        public var missedBefore: Instant
        /// By the database's clock: a statement that a worker was stopped before it sent, and that arrives later than
        /// that, does nothing.
        public var deadline: Instant
        public var limit: Int
        /// Many are due at once: publishing waits a moment for those that have yet to be fired.
        public var isRush: Bool

        public init(
            after: Instant?, through: Instant, now: Instant, missedBefore: Instant, deadline: Instant,
            limit: Int = FireStore.batch, isRush: Bool = false
        ) {
            self.after = after
            self.through = through
            self.now = now
            self.missedBefore = missedBefore
            self.deadline = deadline
            self.limit = limit
            self.isRush = isRush
        }
    }

    /// The database's clock.
    public func time() async throws -> Instant {
        let rows = try await database.rows(as: .system, "reminder.clock", "SELECT clock_timestamp()")
        guard let row = rows.first else { throw StoreError.notFound }
        return Instant(try row.decode(PostgresTimestamp.self))
    }

    /// Fires, holds, expires or cancels what is due, whichever each row is for.
    public func claim(_ order: Order) async throws -> Claim {
        let rush: SQLFragment = "SELECT pg_advisory_xact_lock_shared(\(Self.rushKey))"
        return try await run(
            "reminder.fire", ReminderFiring(order: order).statement,
            after: order.isRush ? [rush.query(named: "firing.rush")] : [])
    }

    /// The policies whose digests are due. Of each the first one is looked at: after an outage there are millions.
    public func dueDigests(_ now: Instant) async throws -> [UUID] {
        try await database.rows(
            as: .system, "digest.due",
            """
            SELECT o.id FROM reminder_policies o WHERE o.digest IS NOT NULL AND (
                SELECT p.fire_at FROM planned_reminders p
                WHERE p.source_id = o.id AND p.source = 'policy' AND p.task_id IS NULL AND p.state IN ('pending', 'held')
                ORDER BY p.fire_at LIMIT 1) <= \(now.timestamp)
            """
        ).map { try $0.decode(UUID.self) }
    }

    /// Fires the digests of one policy that are due. Throws when its selector cannot be read.
    public func claimDigests(of policy: ReminderPolicy, _ order: Order) async throws -> Claim {
        try await run("digest.fire", try DigestFiring(order: order, policy: policy).statement)
    }

    /// How many are due and have not been looked at.
    public func backlog(_ now: Instant) async throws -> Int {
        let rows = try await database.rows(
            as: .system, "reminder.backlog",
            """
            SELECT count(*) FROM planned_reminders p
            WHERE p.state IN ('pending', 'held') AND p.task_id IS NOT NULL AND p.fire_at <= \(now.timestamp)
            """)
        return try rows.first?.decode(Int.self) ?? 0
    }

    private func run(
        _ name: String, _ statement: SQLFragment, after preparation: [PostgresQuery] = []
    ) async throws -> Claim {
        let queries = [.firingSettings] + preparation + [statement.query(named: name)]
        let rows = try await database.write(as: .system, queries)
        guard let row = rows.first else { throw StoreError.notFound }
        var columns = ColumnReader(row)
        return Claim(
            databaseTime: try columns.instant(), isInTime: try columns.next(), next: try columns.instantIfAny(),
            nextDigest: try columns.instantIfAny(),
            onTime: try columns.next([PostgresTimestamp].self).map { Instant($0) }, late: try columns.next(),
            expired: try columns.next(), held: try columns.next(), cancelled: try columns.next())
    }
}

extension PostgresQuery {
    /// For the statements of workers. Their costs are guessed too high for compilation to pay; and a worker that is
    /// stopped in the midst of a transaction must not keep the others waiting.
    static let workerSettings = PostgresQuery(
        """
        SELECT set_config('jit', 'off', true), set_config('idle_in_transaction_session_timeout', '10000', true)
        """
    ).named("worker.settings")

    /// What is due is little, however much is planned, and PostgreSQL cannot know that: each row is to be looked up by its
    /// key, whatever a whole table would cost, and no table is to be gone through for each row.
    static let firingSettings = PostgresQuery(
        """
        SELECT set_config('jit', 'off', true), set_config('enable_hashjoin', 'off', true),
            set_config('enable_mergejoin', 'off', true), set_config('enable_seqscan', 'off', true),
            set_config('enable_bitmapscan', 'off', true), set_config('enable_material', 'off', true)
        """
    ).named("firing.settings")
}
