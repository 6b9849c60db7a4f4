public import FoundationEssentials
internal import Postgres
public import TodoModel

extension ReminderStore {
    /// One page of a list.
    public struct Page: Sendable {
        public let reminders: [PlannedReminder]
        /// For the page after; nil at the end.
        public let next: String?
    }

    private static let columns = """
        p.user_id, p.id, p.task_id, t.title, p.source, p.source_id, p.offset_minutes, p.due_at, p.fire_at, p.state,
        p.reason, p.late, p.fired_at, p.acknowledged_at, p.snoozed_from
        """

    /// When the person was or will be reminded: those to come by time, those that were the last first.
    ///
    /// - Parameters:
    ///   - state: `pending` includes what is held.
    ///   - cursor: the `next` of the page before. Throws `invalid` when it is none.
    public func page(
        _ state: PlannedReminder.State, after cursor: String? = nil, limit: Int, of actor: UUID
    ) async throws -> Page {
        let isToCome = state == .pending || state == .held
        let states = state == .pending ? ["pending", "held"] : [state.rawValue]
        let (comparison, order) = isToCome ? (">", "ASC") : ("<", "DESC")
        var condition: SQLFragment = "p.state = ANY (\(states))"
        if let cursor {
            guard let (fire, id) = Self.position(cursor) else {
                throw StoreError.invalid("cursor", "must be the nextCursor of a page before")
            }
            condition = "\(condition) AND (p.fire_at, p.id) \(raw: comparison) (\(fire.timestamp), \(id)::uuid)"
        }
        let statement: SQLFragment = """
            SELECT \(raw: Self.columns) FROM planned_reminders p
            LEFT JOIN tasks t ON t.user_id = p.owner_id AND t.id = p.task_id
            WHERE p.user_id = \(actor) AND \(condition)
            ORDER BY p.fire_at \(raw: order), p.id \(raw: order) LIMIT \(limit + 1)
            """
        let found = try await database.rows(as: .user(actor), "planned.list", statement).map {
            try PlannedReminder($0)
        }
        let page = Array(found.prefix(limit))
        let next = found.count > limit ? page.last.map { "\($0.fire.microsecondsSince1970):\($0.id.text)" } : nil
        return Page(reminders: page, next: next)
    }

    private static func position(_ cursor: String) -> (Instant, UUID)? {
        let parts = cursor.split(separator: ":")
        guard parts.count == 2, let microseconds = Int64(parts[0]), let id = UUID(uuidString: String(parts[1])),
            (0..<32_503_680_000_000_000).contains(microseconds)
        else { return nil }
        return (Instant(microsecondsSince1970: microseconds), id)
    }

    /// Throws `notFound`.
    public func planned(_ id: UUID, of actor: UUID) async throws -> PlannedReminder {
        let statement: SQLFragment = """
            SELECT \(raw: Self.columns) FROM planned_reminders p
            LEFT JOIN tasks t ON t.user_id = p.owner_id AND t.id = p.task_id
            WHERE p.user_id = \(actor) AND p.id = \(id)
            """
        guard let row = try await database.rows(as: .user(actor), "planned.get", statement).first else {
            throw StoreError.notFound
        }
        return try PlannedReminder(row)
    }

    /// The person has seen it: it is not repeated. A second time nothing happens. Throws `invalid` before it has fired.
    public func acknowledge(_ id: UUID, by actor: UUID) async throws -> PlannedReminder {
        try await answer(
            "planned.acknowledge", id, by: actor, .acknowledged,
            """
            written AS (
                UPDATE planned_reminders p SET acknowledged_at = now() FROM checked c
                WHERE c.problem IS NULL AND p.user_id = \(actor) AND p.id = c.id AND p.acknowledged_at IS NULL
                RETURNING p AS planned, p.id AS subject, true AS is_news),
            """)
        return try await planned(id, of: actor)
    }

    /// Reminds again at `until`, of the same task, so long as it is open; it is not repeated until then. Returns the new
    /// one; asked for a second time the same one. Throws `invalid` before it has fired.
    ///
    /// Its round follows all that there were: the one after it must be none that has fired or ended.
    public func snooze(_ id: UUID, until: Instant, by actor: UUID) async throws -> PlannedReminder {
        let again = try await answer(
            "planned.snooze", id, by: actor, .snoozed,
            """
            written AS (
                INSERT INTO planned_reminders AS p (user_id, id, base_id, owner_id, task_id, source, source_id,
                    offset_minutes, round, anchor, due_at, fire_at, state, snoozed_from)
                SELECT p.user_id, reminder_id(p.user_id, p.task_id, p.id, NULL, timezone('UTC', \(until.timestamp)), 0),
                    p.base_id, p.owner_id, p.task_id, p.source, p.source_id, p.offset_minutes, l.round + 1, p.anchor,
                    \(until.timestamp), \(until.timestamp), 'pending', p.id
                FROM planned_reminders p, checked c, LATERAL (
                    SELECT max(q.round) AS round FROM planned_reminders q
                    WHERE q.user_id = p.user_id AND q.base_id = p.base_id) l
                WHERE c.problem IS NULL AND p.user_id = \(actor) AND p.id = c.id
                ON CONFLICT (user_id, id) DO UPDATE SET state = 'pending', reason = NULL, round = EXCLUDED.round
                    WHERE p.state IN ('pending', 'held', 'cancelled')
                RETURNING p AS planned, p.snoozed_from AS subject, p.xmax = 0 AS is_news),
            """)
        return try await planned(again, of: actor)
    }

    /// Ends the repetitions and postponements of what fired, those too that would come back with the task, and tells of
    /// it. Returns the id of the row in `written`.
    @discardableResult
    private func answer(
        _ name: String, _ id: UUID, by actor: UUID, _ kind: ReminderEvent.Kind, _ written: SQLFragment
    ) async throws -> UUID {
        let statement: SQLFragment = """
            WITH target AS (
                SELECT p.* FROM planned_reminders p WHERE p.user_id = \(actor) AND p.id = \(id) FOR UPDATE),
            checked AS (
                SELECT p.id, p.base_id, CASE WHEN p.state NOT IN ('fired', 'expired') THEN 'unfired'
                    WHEN p.task_id IS NULL AND \(kind == .snoozed) THEN 'digest' END AS problem FROM target p),
            \(written)
            ended AS (
                UPDATE planned_reminders p SET state = 'cancelled', reason = \(kind == .snoozed ? "snoozed" : "acknowledged")
                FROM checked c WHERE c.problem IS NULL AND p.user_id = \(actor) AND p.base_id = c.base_id
                    AND p.id <> c.base_id
                    AND (p.state IN ('pending', 'held') OR p.state = 'cancelled' AND p.reason = 'changed')
                    AND NOT EXISTS (SELECT FROM written w WHERE (w.planned).id = p.id)),
            told AS (
                INSERT INTO outbox (event_id, user_id, topic, type, body)
                SELECT e.id, \(actor), '\(raw: ReminderEvent.topic)', \(kind.rawValue), reminder_event_json(
                    e.id, \(kind.rawValue), now(), \(actor), w.subject,
                    reminder_json(w.planned, COALESCE(r.channels, '{}'), NULL), task_json(t))
                FROM written w CROSS JOIN LATERAL (SELECT uuid_v7() AS id) e
                LEFT JOIN tasks t ON t.user_id = (w.planned).owner_id AND t.id = (w.planned).task_id
                LEFT JOIN reminders r ON r.user_id = \(actor) AND r.id = (w.planned).source_id
                WHERE w.is_news)
            SELECT c.problem, COALESCE((w.planned).id, c.id) FROM checked c LEFT JOIN written w ON true
            """
        let rows = try await database.write(as: .user(actor), [statement.query(named: name)])
        guard let row = rows.first else { throw StoreError.notFound }
        let (problem, answered) = try row.decode(String?.self, UUID.self)
        if let problem { throw StoreError(problem: problem, version: 0) }
        return answered
    }
}

extension PlannedReminder {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        var columns = ColumnReader(row)
        self.init(
            user: try columns.next(), id: try columns.next(), task: try columns.next(), title: try columns.next(),
            source: Source(rawValue: try columns.next(String.self)) ?? .person, sourceID: try columns.next(),
            offset: try columns.next(), due: try columns.instant(), fire: try columns.instant(),
            state: State(rawValue: try columns.next(String.self)) ?? .cancelled, reason: try columns.next(),
            isLate: try columns.next(), fired: try columns.instantIfAny(), acknowledged: try columns.instantIfAny(),
            snoozedFrom: try columns.next())
    }
}
