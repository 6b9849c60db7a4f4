internal import Postgres

extension Maintenance {
    /// One process purges at a time: "bin" in ASCII.
    private static let lockKey: Int64 = 0x62_696e

    /// Removes for good what was deleted longer than `lifetime` ago: tasks, then projects that have none left, and filters.
    /// In portions, and past rows that somebody is writing: nobody waits. A call while another process is at it does
    /// nothing. Returns how many rows were written.
    ///
    /// Of each a tombstone stays in the stream that it was in, with the number of its deletion, so that whoever was away
    /// hears of it however late: tombstones are ids and no more, and go with the account. Members of a project lose with it
    /// the sight of its owner's stream: that it is gone comes in their own.
    @discardableResult
    public func purgeBin(after lifetime: Duration) async throws -> Int {
        let seconds = Double(lifetime.components.seconds)
        let isOld: SQLFragment = """
            (SELECT mine FROM turn) AND x.deleted_at < now() - make_interval(secs => \(seconds))
            """
        let turn: SQLFragment = """
            turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(\(Self.lockKey)) AS mine)
            """
        return try await repeatEach([
            ("bin.tasks", Self.tasks(turn, isOld)), ("bin.projects", Self.projects(turn, isOld)),
            ("bin.filters", Self.filters(turn, isOld)),
        ])
    }

    /// A task goes after those below it.
    private static func tasks(_ turn: SQLFragment, _ isOld: SQLFragment) -> SQLFragment {
        """
        WITH \(turn),
        old AS (
            SELECT x.user_id, x.id FROM tasks x
            WHERE \(isOld) AND NOT EXISTS (
                SELECT FROM tasks q WHERE q.user_id = x.user_id AND q.parent_id = x.id)
            LIMIT \(portion) FOR UPDATE SKIP LOCKED),
        gone AS (
            DELETE FROM tasks t USING old WHERE t.user_id = old.user_id AND t.id = old.id
            RETURNING t.user_id, t.seq, t.id, t.project_id)
        INSERT INTO tombstones (user_id, seq, kind, id, project_id, is_moved)
        SELECT user_id, seq, 'task', id, project_id, false FROM gone ON CONFLICT DO NOTHING
        """
    }

    /// Streams are locked in the order in which all writers lock them.
    private static func projects(_ turn: SQLFragment, _ isOld: SQLFragment) -> SQLFragment {
        """
        WITH \(turn),
        old AS MATERIALIZED (
            SELECT x.user_id, x.id, x.seq FROM projects x
            WHERE \(isOld) AND NOT EXISTS (
                SELECT FROM tasks t WHERE t.user_id = x.user_id AND t.project_id = x.id)
            LIMIT \(portion / 10) FOR UPDATE SKIP LOCKED),
        members AS (
            DELETE FROM project_members m USING old WHERE m.owner_id = old.user_id AND m.project_id = old.id
            RETURNING m.member_id, m.project_id),
        farewells AS (
            SELECT member_id, project_id, row_number() OVER (PARTITION BY member_id ORDER BY project_id) AS place,
                count(*) OVER (PARTITION BY member_id) AS total FROM members),
        locked AS MATERIALIZED (
            SELECT s.user_id FROM streams s WHERE s.user_id IN (SELECT member_id FROM members)
            ORDER BY s.user_id FOR UPDATE),
        numbered AS (
            UPDATE streams s SET seq = s.seq + f.total FROM farewells f JOIN locked ON locked.user_id = f.member_id
            WHERE f.place = 1 AND s.user_id = f.member_id RETURNING s.user_id, s.seq - f.total AS base),
        buried AS (
            INSERT INTO tombstones (user_id, seq, kind, id, project_id, is_moved)
            SELECT n.user_id, n.base + f.place, 'project', f.project_id, NULL::uuid, false
            FROM farewells f JOIN numbered n ON n.user_id = f.member_id
            UNION ALL SELECT user_id, seq, 'project', id, NULL, false FROM old)
        DELETE FROM projects p USING old WHERE p.user_id = old.user_id AND p.id = old.id
        """
    }

    private static func filters(_ turn: SQLFragment, _ isOld: SQLFragment) -> SQLFragment {
        """
        WITH \(turn),
        old AS (
            SELECT x.user_id, x.id FROM filters x WHERE \(isOld) LIMIT \(portion) FOR UPDATE SKIP LOCKED),
        gone AS (
            DELETE FROM filters f USING old WHERE f.user_id = old.user_id AND f.id = old.id
            RETURNING f.user_id, f.seq, f.id)
        INSERT INTO tombstones (user_id, seq, kind, id, project_id, is_moved)
        SELECT user_id, seq, 'filter', id, NULL::uuid, false FROM gone ON CONFLICT DO NOTHING
        """
    }
}
