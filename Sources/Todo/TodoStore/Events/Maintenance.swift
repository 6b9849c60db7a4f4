internal import Postgres

/// What has to be thrown away some day.
public struct Maintenance: Sendable {
    let database: TodoDatabase

    /// So many rows at a time, so that nobody waits for long.
    private static let portion = 1000

    /// Removes what is past its time: tasks that were in the bin for longer than `bin` (a tombstone with the number of
    /// their deletion stays for those who come back later), operations that can no longer be undone, answers that are
    /// kept no longer, reminders that are long over, and tokens that expired. Any number of processes may do so at once. Returns how many rows went.
    @discardableResult
    public func run(bin: Duration) async throws -> Int {
        let seconds = Double(bin.components.seconds)
        let statements: [(name: String, statement: SQLFragment)] = [
            (
                "maintenance.bin",
                """
                WITH old AS (
                    SELECT t.user_id, t.id FROM tasks t
                    WHERE t.deleted_at < now() - make_interval(secs => \(seconds)) AND NOT EXISTS (
                        SELECT FROM tasks q WHERE q.user_id = t.user_id AND q.parent_id = t.id)
                    LIMIT \(Self.portion) FOR UPDATE SKIP LOCKED),
                gone AS (
                    DELETE FROM tasks t USING old WHERE t.user_id = old.user_id AND t.id = old.id
                    RETURNING t.user_id, t.seq, t.id, t.project_id)
                INSERT INTO tombstones (user_id, seq, kind, id, project_id, is_moved)
                SELECT user_id, seq, 'task', id, project_id, false FROM gone ON CONFLICT DO NOTHING
                """
            ),
            ("maintenance.operations", Self.expired("operations", "created_at < now() - interval '1 day'")),
            (
                "maintenance.requests",
                Self.expired("idempotency_keys", "created_at < now() - interval '\(RequestStore.lifetime)'")
            ),
            (
                "maintenance.reminders",
                Self.expired(
                    "planned_reminders",
                    "fire_at < now() - interval '90 days' AND state NOT IN ('pending', 'held')")
            ),
            ("maintenance.tokens", Self.expired("tokens", "expires_at < now() - interval '1 day'")),
        ]
        var total = 0
        for (name, statement) in statements {
            while true {
                try Task.checkCancellation()
                let count = try await database.rows(as: .system, name, statement).affected
                total += count
                if count == 0 { break }
            }
        }
        return total
    }

    private static func expired(_ table: String, _ condition: String) -> SQLFragment {
        """
        DELETE FROM \(raw: table) WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM \(raw: table) WHERE \(raw: condition) LIMIT \(portion)))
        """
    }
}
