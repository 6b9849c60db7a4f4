public import FoundationEssentials
internal import Postgres
internal import StructuredData
public import TodoModel

extension NotificationStore {
    /// A person's deliveries, the newest first.
    ///
    /// - Parameters:
    ///   - states: nil for all.
    ///   - cursor: the last one of the page before.
    public func deliveries(
        of user: UUID, in state: NotificationDelivery.State? = nil, before cursor: UUID? = nil, limit: Int
    ) async throws -> [NotificationDelivery] {
        var condition: SQLFragment = "d.user_id = \(user)"
        if let state { condition = "\(condition) AND d.state = \(state.rawValue)" }
        if let cursor { condition = "\(condition) AND d.id < \(cursor)" }
        let statement: SQLFragment = """
            SELECT \(raw: NotificationDelivery.columns(of: "d")) FROM deliveries d WHERE \(condition)
            ORDER BY d.id DESC LIMIT \(limit)
            """
        return try await database.rows(as: .user(user), "delivery.list", statement).map {
            try NotificationDelivery($0)
        }
    }

    /// Throws `notFound`.
    public func delivery(_ id: UUID, of user: UUID) async throws -> NotificationDelivery {
        let statement: SQLFragment = """
            SELECT \(raw: NotificationDelivery.columns(of: "d")) FROM deliveries d
            WHERE d.user_id = \(user) AND d.id = \(id)
            """
        guard let row = try await database.rows(as: .user(user), "delivery.get", statement).first else {
            throw StoreError.notFound
        }
        return try NotificationDelivery(row)
    }

    /// Tries a dead one anew, with the same id, for another `lifetime`: a reminder by the channel of its kind and target
    /// that there is now. Throws `notFound`, and `invalid` when it is not dead, or there is no such channel that is verified
    /// and not paused.
    public func replay(_ id: UUID, of user: UUID, lifetime: Duration, at now: Instant) async throws
        -> NotificationDelivery
    {
        let statement: SQLFragment = """
            UPDATE deliveries d SET state = 'pending', attempts = 0, next_attempt_at = \(now.timestamp),
                give_up_at = \((now + lifetime).timestamp), channel_id = c.id
            FROM notification_channels c
            WHERE d.user_id = \(user) AND d.id = \(id) AND d.state = 'dead'
                AND c.user_id = d.user_id AND c.kind = d.kind AND c.target = d.target AND c.paused_at IS NULL
                AND (c.id = d.channel_id OR c.verified_at IS NOT NULL AND d.purpose = 'reminder')
            RETURNING \(raw: NotificationDelivery.columns(of: "d"))
            """
        let rows = try await database.rows(as: .user(user), "delivery.replay", statement)
        if let row = rows.first { return try NotificationDelivery(row) }
        let found = try await delivery(id, of: user)
        throw StoreError.invalid(
            "",
            found.state == .dead
                ? "no channel goes there that is verified and not paused: go on with it, or add it again"
                : "only a dead delivery is sent again; this one is \(found.state.rawValue)")
    }

    /// Throws away what was delivered or skipped before `delivered`, and what died before `dead`; a thousand at a time.
    /// Returns how many went.
    public func forget(deliveredBefore delivered: Instant, deadBefore dead: Instant) async throws -> Int {
        let statement: SQLFragment = """
            DELETE FROM deliveries WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM deliveries WHERE state <> 'pending'
                    AND created_at < CASE WHEN state = 'dead' THEN \(dead.timestamp) ELSE \(delivered.timestamp) END
                    AND created_at < \(max(dead, delivered).timestamp) LIMIT 1000))
            """
        return try await database.rows(as: .system, "delivery.forget", statement).affected
    }

    /// Gives up deliveries of other kinds than `kinds` whose time was up before `limit`, a thousand at a time: nobody sends
    /// them. Returns how many.
    public func giveUp(allBut kinds: Set<NotificationChannel.Kind>, endedBefore limit: Instant) async throws -> Int {
        let unsent = Set(NotificationChannel.Kind.allCases).subtracting(kinds).map(\.rawValue)
        guard !unsent.isEmpty else { return 0 }
        let statement: SQLFragment = """
            WITH left_over AS (
                SELECT d.user_id, d.id FROM deliveries d
                WHERE d.state = 'pending' AND d.kind = ANY (\(unsent)) AND d.next_attempt_at < \(limit.timestamp)
                    AND d.give_up_at < \(limit.timestamp)
                LIMIT 1000 FOR UPDATE SKIP LOCKED),
            settled AS (
                UPDATE deliveries d SET state = 'dead', claim = NULL, next_attempt_at = NULL,
                    last_error = \(Self.noSender)
                FROM left_over l WHERE d.user_id = l.user_id AND d.id = l.id
                RETURNING d.content -> 'data' -> 'reminder' ->> 'policy' AS policy),
            counted AS (
                INSERT INTO reminder_tallies (policy_id, failed)
                SELECT o.id, count(*) FROM settled s JOIN reminder_policies o ON o.id = s.policy::uuid GROUP BY o.id)
            SELECT count(*) FROM settled
            """
        return try await database.rows(as: .system, "delivery.give-up", statement).first?.decode(Int.self) ?? 0
    }

    /// How many are pending, and dead.
    public func backlog() async throws -> (pending: Int, dead: Int) {
        let statement: SQLFragment = """
            SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending'),
                (SELECT count(*) FROM deliveries WHERE state = 'dead')
            """
        guard let row = try await database.rows(as: .system, "delivery.backlog", statement).first else { return (0, 0) }
        return try row.decode(Int.self, Int.self)
    }
}

extension NotificationDelivery {
    static func columns(of row: String) -> String {
        [
            "user_id", "id", "purpose", "reminder_id", "fired_at", "kind", "target", "channel_id", "state", "attempts",
            "created_at", "last_attempt_at", "next_attempt_at", "delivered_at", "last_error", "content",
        ].map { "\(row).\($0)" }.joined(separator: ", ")
    }

    init(columns: inout ColumnReader) throws {
        let (user, id) = (try columns.next(UUID.self), try columns.next(UUID.self))
        let purpose = Purpose(rawValue: try columns.next(String.self))
        let reminder = try columns.next(UUID.self)
        let fired = try columns.instant()
        let (kind, target) = (try columns.next(String.self), try columns.next(String.self))
        let channel = try columns.next(UUID?.self)
        let state = State(rawValue: try columns.next(String.self))
        guard let purpose, let state else {
            throw PostgresError.misuse("a delivery has a purpose or state that this release does not know")
        }
        self.init(
            user: user, id: id, purpose: purpose, reminder: reminder, fired: fired, kind: kind, target: target,
            channel: channel, state: state, attempts: Int(try columns.next(Int32.self)),
            created: try columns.instant(), lastAttempt: try columns.instantIfAny(),
            nextAttempt: try columns.instantIfAny(), delivered: try columns.instantIfAny(),
            lastError: try columns.next(), content: try JSON(parsing: try columns.next(PostgresJSON.self).bytes))
    }

    init(_ row: PostgresRow) throws {
        var columns = ColumnReader(row)
        try self.init(columns: &columns)
    }
}
