internal import FoundationEssentials
internal import Postgres
internal import TodoModel

/// One portion of planning, in the transaction that holds the lock.
struct PlanRun {
    let database: TodoDatabase
    let statement: PlanStatement

    /// The tasks that were noted first, and whether there may be more.
    func tasks(limit: Int) async throws -> (step: PlanStore.Step, isFull: Bool) {
        let touched: SQLFragment = """
            noted AS (
                DELETE FROM replan WHERE id = ANY (ARRAY(SELECT id FROM replan ORDER BY id LIMIT \(raw: "\(limit)")))
                RETURNING owner_id, task_id, since),
            touched AS MATERIALIZED (
                SELECT owner_id, task_id, min(since) AS since FROM noted GROUP BY owner_id, task_id)
            """
        let (step, notes): (PlanStore.Step, Int?) = try await run(
            "plan.tasks", statement.statement(touched: touched, returning: "(SELECT count(*) FROM noted)"))
        return (step, notes ?? 0 >= limit)
    }

    /// A portion of the scope that was noted first. Where none of it is done yet, the others of the same subject are done
    /// with it: who moves a hundred times is planned once.
    func scope(limit: Int) async throws -> PlanStore.Step {
        let rows = try await database.rows(
            as: .system, "plan.scope",
            """
            WITH taken AS (SELECT * FROM replan_scopes ORDER BY id LIMIT 1),
            same AS (
                DELETE FROM replan_scopes s USING taken t
                WHERE s.kind = t.kind AND s.subject = t.subject AND s.id <> t.id AND t.after_owner = \(UUID.belowAllKeys)
                RETURNING s.since)
            SELECT t.id, t.kind, t.subject, t.after_owner, t.after_task,
                LEAST(t.since, (SELECT min(s.since) FROM same s))
            FROM taken t
            """)
        guard let row = rows.first else { return .init() }
        let (id, kind, subject, owner, task, since) = try row.decode(
            Int64.self, String.self, String.self, UUID.self, UUID.self, PostgresTimestamp.self)
        if kind == "policy", let policy = UUID(uuidString: subject) {
            return try await self.policy(policy, scope: id, after: (owner, task), since: since, limit: 5 * limit)
        }
        // All of one person, or of a zone, goes the way of single tasks.
        var statements =
            kind == "zone"
            ? [Self.notes(of: "t.due_zone = \(subject) OR u.zone = \(subject)", or: "u.zone = \(subject)", since)]
            : person(UUID(uuidString: subject) ?? UUID(), since)
        statements.append("DELETE FROM replan_scopes WHERE id = \(id)")
        _ = try await database.read(as: .system, statements.map { $0.query(named: "plan.\(kind)") })
        return .init(scopes: 1)
    }

    /// What was held by quiet hours is looked at again, and digests move with the person.
    private func person(_ user: UUID, _ since: PostgresTimestamp) -> [SQLFragment] {
        [
            """
            UPDATE planned_reminders SET state = 'pending', fire_at = \(statement.now.timestamp)
            WHERE user_id = \(user) AND state = 'held'
            """,
            """
            UPDATE planned_reminders p SET due_at = m.at, fire_at = m.at
            FROM users u, reminder_policies o, LATERAL (SELECT \(raw: PlanStatement.knownZone("u.zone")) AS zone) k,
                LATERAL (SELECT wall_instant(q.anchor, k.zone) AS at, q.id FROM planned_reminders q
                    WHERE q.user_id = \(user) AND q.task_id IS NULL AND q.source_id = o.id AND q.state = 'pending') m
            WHERE u.id = \(user) AND o.digest IS NOT NULL AND o.digest_zone IS NULL
                AND p.user_id = \(user) AND p.id = m.id AND p.due_at <> m.at
            """,
            Self.notes(of: "t.user_id = \(user)", or: "r.user_id = \(user)", since),
        ]
    }

    /// Notes open tasks with dates of which `condition` on `t` and their owner `u` holds, and those with a reminder `r` of
    /// a person `u` of which `other` does.
    private static func notes(
        of condition: SQLFragment, or other: SQLFragment, _ since: PostgresTimestamp
    ) -> SQLFragment {
        """
        INSERT INTO replan (owner_id, task_id, since)
        SELECT t.user_id, t.id, \(since) FROM tasks t JOIN users u ON u.id = t.user_id
        WHERE t.status = 'open' AND t.deleted_at IS NULL AND t.due_date IS NOT NULL AND (\(condition))
        UNION
        SELECT r.owner_id, r.task_id, \(since) FROM reminders r JOIN users u ON u.id = r.user_id WHERE \(other)
        """
    }

    /// Walks through all tasks in the order of their key. A policy that is gone or suspended asks for nothing, so what it
    /// had planned is cancelled on the way; then it is removed.
    private func policy(
        _ policy: UUID, scope: Int64, after: (owner: UUID, task: UUID), since: PostgresTimestamp, limit: Int
    ) async throws -> PlanStore.Step {
        let isFirst = after.owner == UUID.belowAllKeys
        let cancelled = try await isFirst ? cancelDigests(of: policy, limit: limit) : 0
        if cancelled == limit {
            let rest: SQLFragment = "UPDATE replan_scopes SET since = \(since) WHERE id = \(scope)"
            _ = try await database.rows(as: .system, "plan.policy.rest", rest)
            return .init(cancelled: cancelled)
        }
        let touched: SQLFragment = """
            touched AS MATERIALIZED (
                SELECT t.user_id AS owner_id, t.id AS task_id, \(since) AS since FROM tasks t
                WHERE (t.user_id, t.id) > (\(after.owner)::uuid, \(after.task)::uuid)
                ORDER BY t.user_id, t.id LIMIT \(raw: "\(limit)"))
            """
        let last: SQLFragment = """
            (SELECT ARRAY[x.owner_id, x.task_id] FROM touched x ORDER BY x.owner_id DESC, x.task_id DESC LIMIT 1)
            """
        var (step, end): (PlanStore.Step, [UUID]?) = try await run(
            "plan.policy", statement.statement(touched: touched, only: policy, returning: last))
        let statements: [SQLFragment] =
            if let end, end.count == 2, step.tasks == limit {
                [
                    """
                    UPDATE replan_scopes SET after_owner = \(end[0]), after_task = \(end[1]), since = \(since)
                    WHERE id = \(scope)
                    """
                ]
            } else {
                [
                    "DELETE FROM replan_scopes WHERE id = \(scope)", Self.lastDigests(of: policy),
                    "DELETE FROM reminder_policies WHERE id = \(policy) AND deleted_at IS NOT NULL",
                ]
            }
        if isFirst { step.scopes = 1 }
        step.cancelled += cancelled
        _ = try await database.read(as: .system, statements.map { $0.query(named: "plan.policy.end") })
        return step
    }

    /// They are planned anew by the calendar that the policy has now. What is being fired is left alone. Returns how many
    /// they were.
    private func cancelDigests(of policy: UUID, limit: Int) async throws -> Int {
        try await database.rows(
            as: .system, "plan.policy.digests",
            """
            UPDATE planned_reminders SET state = 'cancelled', reason = 'changed' WHERE ctid = ANY (ARRAY(
                SELECT p.ctid FROM planned_reminders p
                WHERE p.source_id = \(policy) AND p.source = 'policy' AND p.task_id IS NULL
                    AND p.state IN ('pending', 'held')
                ORDER BY p.fire_at LIMIT \(raw: "\(limit)") FOR UPDATE SKIP LOCKED))
            """
        ).affected
    }

    /// Cancels what was left alone of a policy that has digests no more, and was held or not fired after all: it is waited
    /// for, since nobody would look at it again.
    private static func lastDigests(of policy: UUID) -> SQLFragment {
        """
        UPDATE planned_reminders p SET state = 'cancelled', reason = 'changed' FROM reminder_policies o
        WHERE o.id = \(policy) AND (o.digest IS NULL OR o.is_suspended OR o.deleted_at IS NOT NULL)
            AND p.source_id = o.id AND p.source = 'policy' AND p.task_id IS NULL AND p.state IN ('pending', 'held')
        """
    }

    /// What was done, and what the statement returns besides.
    private func run<Rest: PostgresDecodable>(
        _ name: String, _ statement: SQLFragment
    ) async throws -> (PlanStore.Step, Rest?) {
        let rows = try await database.rows(as: .system, name, statement)
        guard let row = rows.first else { return (.init(), nil) }
        var columns = ColumnReader(row)
        let step = PlanStore.Step(
            tasks: try columns.next(), planned: try columns.next(), cancelled: try columns.next(),
            earliest: try columns.instantIfAny())
        return (step, try columns.next())
    }
}
