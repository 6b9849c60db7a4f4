internal import FoundationEssentials
internal import Postgres
internal import StructuredData
internal import TodoModel

/// One write of tasks: two statements for one round trip.
///
/// The first locks the owner's stream, so that writes to what one person owns take turns: nothing that the second one
/// checks can change under it, and change numbers become visible in their order. The second checks, takes the numbers,
/// writes the rows, what they were (for undo), and the events.
struct TaskWrite: Sendable {
    let lock: PostgresQuery?
    let statement: PostgresQuery

    var queries: [PostgresQuery] { (lock.map { [$0] } ?? []) + [statement] }

    /// What a person may set, or a write changes; in the order in which `goal` lists them.
    static let writable = [
        "project_id", "parent_id", "title", "description", "status", "priority", "due_date", "due_time", "due_zone",
        "start_date", "estimate_minutes", "tags", "position", "completed_at", "deleted_at", "series_id", "occurrence",
        "recurrence", "is_series_head",
    ]

    /// A write that gives tasks new values.
    ///
    /// - Parameters:
    ///   - tables: CTEs (each followed by a comma) that end with `checked(old tasks, problem text)`: the tasks that the
    ///     caller named, and why they cannot be written.
    ///   - goal: SELECTs made by `goal(_:from:)`.
    ///   - mayMove: a task may go to another project.
    ///   - id: the task that is to be returned, whether it changed or not; nil for all that changed.
    ///   - ending: whether the task that is returned, `r.old` before, was closed and its next instance is yet to be made.
    ///   - countsOnly: returns how many tasks changed, and none of them.
    init(
        _ name: String, lock: PostgresQuery?, by operation: TodoOperation, tables: SQLFragment, goal: SQLFragment,
        mayMove: Bool = false, returning id: UUID?, ending: SQLFragment = "false", countsOnly: Bool = false
    ) {
        let columns = Self.writable.joined(separator: ", ")
        let old = Self.writable.map { "(g.old).\($0)" }.joined(separator: ", ")
        let new = Self.writable.map { "g.\($0)" }.joined(separator: ", ")
        let statement: SQLFragment = """
            WITH RECURSIVE \(tables)
            goal AS (\(goal)),
            changed AS (
                SELECT g.*, row_number() OVER (ORDER BY (g.old).id) AS place, count(*) OVER () AS total
                FROM goal g
                WHERE (\(raw: new)) IS DISTINCT FROM (\(raw: old)) AND NOT EXISTS (
                    SELECT FROM checked WHERE problem IS NOT NULL)),
            stream AS (
                UPDATE streams s SET seq = s.seq + c.total
                FROM (SELECT (old).user_id AS user_id, total FROM changed LIMIT 1) c
                WHERE s.user_id = c.user_id RETURNING s.seq - c.total AS base),
            written AS (
                UPDATE tasks t SET (\(raw: columns)) = (\(raw: new)),
                    updated_at = GREATEST(now(), t.updated_at), version = t.version + 1, seq = stream.base + g.place
                FROM changed g, stream WHERE t.user_id = (g.old).user_id AND t.id = (g.old).id
                RETURNING t AS task, g.old),
            \(Self.record(operation, mayMove: mayMove))
            \(countsOnly ? Self.count : id == nil ? Self.changes : Self.named(ending))
            """
        self.lock = lock
        self.statement = statement.query(named: name)
    }

    /// A write that makes a task; `tables` end with `checked(user_id uuid, members uuid[], problem text)` of one row, and
    /// `values` are for `id` and the writable columns.
    init(
        _ name: String, lock: PostgresQuery?, by operation: TodoOperation, tables: SQLFragment, values: [SQLFragment]
    ) {
        let created = TodoEvent.Kind.taskCreated.rawValue
        let statement: SQLFragment = """
            WITH \(tables)
            stream AS (
                UPDATE streams s SET seq = s.seq + 1 FROM checked c WHERE c.problem IS NULL AND s.user_id = c.user_id
                RETURNING s.user_id, s.seq),
            written AS (
                INSERT INTO tasks AS t (user_id, seq, created_at, updated_at, id, \(raw: Self.writable.joined(separator: ", ")))
                SELECT stream.user_id, stream.seq, now(), now(), \(.joined(values, by: ", ")) FROM stream, checked c
                RETURNING t AS task),
            logged AS (
                INSERT INTO operations (user_id, id, owner_id, task_id, version)
                SELECT \(operation.actor), \(operation.id), (w.task).user_id, (w.task).id, (w.task).version FROM written w),
            told AS (
                INSERT INTO outbox (event_id, user_id, topic, type, body)
                SELECT e.id, (w.task).user_id, '\(raw: TodoEvent.topic)', '\(raw: created)',
                    \(Self.event(operation, type: "'\(raw: created)'", members: "c.members", task: "w.task"))
                FROM written w CROSS JOIN checked c CROSS JOIN (SELECT uuid_v7() AS id) e)
            SELECT c.problem, 0::bigint, \(raw: TodoTask.columns(of: "(w.task)")), NULL::jsonb
            FROM checked c LEFT JOIN written w ON true
            """
        self.lock = lock
        self.statement = statement.query(named: name)
    }

    /// One SELECT of `goal`: what the rows of `source(old tasks, …)`, called `x`, shall be. Columns that are not named
    /// stay as they are.
    static func goal(_ changes: [String: SQLFragment], from source: SQLFragment) -> SQLFragment {
        let columns = writable.map { column -> SQLFragment in
            "\(changes[column] ?? "(x.old).\(raw: column)") AS \(raw: column)"
        }
        return "SELECT x.old, \(.joined(columns, by: ", ")) FROM \(source)"
    }

    /// Locks the stream of who owns what `owner`, a SELECT of one `user_id`, finds.
    static func lock(_ owner: SQLFragment) -> PostgresQuery {
        ("SELECT s.seq FROM streams s WHERE s.user_id = (\(owner)) FOR UPDATE" as SQLFragment).query(
            named: "stream.lock")
    }
}

extension TaskWrite {
    /// `written(task tasks, old tasks)` becomes a past that can be undone, and events; and, where a task may leave its
    /// project, tombstones and events for those who see that one only.
    private static func record(_ operation: TodoOperation, mayMove: Bool) -> SQLFragment {
        """
        logged AS (
            INSERT INTO operations (user_id, id, owner_id, task_id, version, before)
            SELECT \(operation.actor), \(operation.id), (w.task).user_id, (w.task).id, (w.task).version,
                to_jsonb(w.old) - 'search' - 'due_wall'
            FROM written w
            ON CONFLICT (user_id, id, owner_id, task_id) DO UPDATE SET version = EXCLUDED.version),
        \(mayMove ? leftBehind : "")
        told AS (
            INSERT INTO outbox (event_id, user_id, topic, type, body)
            SELECT e.id, (w.task).user_id, '\(raw: TodoEvent.topic)', e.type,
                \(event(operation, type: "e.type", members: "e.members", task: "e.task"))
            FROM written w
            JOIN projects p ON p.user_id = (w.task).user_id AND p.id = (w.task).project_id
            \(raw: mayMove ? "LEFT JOIN projects o ON o.user_id = (w.old).user_id AND o.id = (w.old).project_id AND o.id <> p.id" : "")
            CROSS JOIN LATERAL (
                SELECT uuid_v7() AS id, \(raw: eventType) AS type, p.user_id || p.editors || p.viewers AS members,
                    w.task
                \(mayMove ? goneEvent : "")) e
            ORDER BY (w.task).seq)
        """
    }

    /// The event `e.id` about `w.task`, which its members see as `task`.
    private static func event(
        _ operation: TodoOperation, type: SQLFragment, members: SQLFragment, task: SQLFragment
    ) -> SQLFragment {
        """
        event_text(e.id, \(type), (w.task).user_id, \(operation.actor), (w.task).seq, \(members), (w.task).id, 'task',
            task_text(\(task)))::json
        """
    }

    private static var leftBehind: SQLFragment {
        """
        left_behind AS (
            INSERT INTO tombstones (user_id, seq, kind, id, project_id, is_moved)
            SELECT (w.task).user_id, (w.task).seq, 'task', (w.task).id, (w.old).project_id, true FROM written w
            WHERE (w.task).project_id <> (w.old).project_id),
        """
    }

    /// For those who saw the project that a task left, and do not see the one that it is in: the task as they last saw
    /// it, deleted. What it is now is not theirs to know.
    private static var goneEvent: SQLFragment {
        """
        UNION ALL
        SELECT uuid_v7(), '\(raw: TodoEvent.Kind.taskDeleted.rawValue)', gone.members, jsonb_populate_record(
            w.old, jsonb_build_object('deleted_at', now(), 'seq', (w.task).seq, 'version', (w.task).version))
        FROM (
            SELECT array_agg(m) AS members FROM unnest(o.editors || o.viewers) m
            WHERE m <> ALL (p.user_id || p.editors || p.viewers)) gone
        WHERE gone.members IS NOT NULL
        """
    }

    /// What happened to `w.old`, which is now `w.task`.
    private static let eventType = """
        CASE WHEN (w.old).deleted_at IS NULL AND (w.task).deleted_at IS NOT NULL
                THEN '\(TodoEvent.Kind.taskDeleted.rawValue)'
            WHEN (w.old).deleted_at IS NOT NULL AND (w.task).deleted_at IS NULL
                THEN '\(TodoEvent.Kind.taskRestored.rawValue)'
            WHEN (w.old).status <> 'done' AND (w.task).status = 'done'
                THEN '\(TodoEvent.Kind.taskCompleted.rawValue)'
            WHEN (w.old).status <> 'open' AND (w.task).status = 'open'
                THEN '\(TodoEvent.Kind.taskReopened.rawValue)'
            ELSE '\(TodoEvent.Kind.taskUpdated.rawValue)' END
        """

    private static let count: SQLFragment = "SELECT count(*) FROM written"

    /// The task that was named, changed or not; nothing when there is none. Where `ending` holds, what it has otherwise
    /// than its series comes last.
    private static func named(_ ending: SQLFragment) -> SQLFragment {
        """
        SELECT r.problem, (r.task).version, \(raw: TodoTask.columns(of: "(r.task)")),
            CASE WHEN (r.task).recurrence IS NOT NULL AND (\(ending))
                THEN COALESCE((r.task).recurrence -> 'template', '{}') END
        FROM (
            SELECT c.problem, COALESCE(w.task, c.old) AS task, c.old
            FROM checked c LEFT JOIN written w ON (w.task).id = (c.old).id) r
        """
    }

    /// The first problem, or else all tasks that changed.
    private static var changes: SQLFragment {
        """
        (SELECT c.problem, (c.old).version, \(raw: TodoTask.columns(of: "(c.old)")), NULL::jsonb FROM checked c
        WHERE c.problem IS NOT NULL LIMIT 1)
        UNION ALL
        SELECT NULL, (w.task).version, \(raw: TodoTask.columns(of: "(w.task)")), NULL::jsonb FROM written w
        """
    }
}

/// The task is an instance whose next one is to be made: that takes more than the one write.
struct NeedsSeries: Error {}

/// What came of a write to one task.
struct WrittenTask: Sendable {
    let task: TodoTask
    /// When it closed an instance whose next is yet to be made: what that one has otherwise than its series.
    let ended: JSON?
}

/// What a write answers: a problem, or tasks.
enum WriteAnswer {
    /// The problem that stands for `NeedsSeries`.
    static let needsSeries = "series"

    /// Throws `StoreError.notFound` when there are no rows, and what a row says is the problem; `NeedsSeries` where the write
    /// was to be made only of a task without one.
    static func task(_ rows: PostgresRows) throws -> WrittenTask {
        guard let row = rows.first else { throw StoreError.notFound }
        return try task(row)
    }

    static func task(_ row: PostgresRow) throws -> WrittenTask {
        var columns = ColumnReader(row)
        let problem = try columns.next(String?.self)
        if problem == needsSeries { throw NeedsSeries() }
        if let problem {
            throw StoreError(problem: problem, version: try columns.next(Int?.self) ?? 0)
        }
        columns.skip(1)
        let task = try TodoTask(columns: &columns)
        let ended = try columns.next(PostgresJSON?.self)
        return WrittenTask(task: task, ended: try ended.map { try JSON(parsing: $0.bytes) })
    }
}
