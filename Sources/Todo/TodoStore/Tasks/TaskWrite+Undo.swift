internal import FoundationEssentials
internal import Postgres
internal import TodoModel

extension TaskWrite {
    /// Gives the tasks of `owner` that an operation wrote the values that they had before; those that it made go into
    /// the bin. When one was changed since, or cannot be where it was before, nothing is done.
    static func undo(_ undone: UUID, of owner: UUID, by operation: TodoOperation) -> TaskWrite {
        let actor = operation.actor
        let tables: SQLFragment = """
            past AS (
                DELETE FROM operations o WHERE o.user_id = \(actor) AND o.id = \(undone) AND o.owner_id = \(owner)
                RETURNING o.task_id AS id, o.version, o.before),
            back AS (
                SELECT o.id, o.version, t AS old, jsonb_populate_record(
                    t, COALESCE(o.before, jsonb_build_object('deleted_at', now()))) AS was
                FROM past o LEFT JOIN tasks t ON t.user_id = \(owner) AND t.id = o.id),
            \(ancestors(of: owner))
            checked AS (
                SELECT b.old, b.was, CASE
                    WHEN (b.old).id IS NULL OR p.id IS NULL THEN 'gone'
                    WHEN NOT \(.mayWrite(actor, "p")) THEN 'forbidden'
                    WHEN (b.old).version <> b.version THEN 'conflict'
                    WHEN place.id IS NULL THEN 'gone'
                    WHEN NOT \(.mayWrite(actor, "place")) THEN 'forbidden'
                    \(misplacements(of: owner))
                    END AS problem
                FROM back b
                LEFT JOIN projects p ON p.user_id = \(owner) AND p.id = (b.old).project_id AND \(.sees(actor, "p"))
                LEFT JOIN projects place ON place.user_id = \(owner) AND place.id = (b.was).project_id
                    AND \(.sees(actor, "place"))
                \(parent(of: owner))),
            \(heirs(of: owner, by: actor))
            """
        var changes: [String: SQLFragment] = [:]
        for column in writable { changes[column] = "(x.was).\(raw: column)" }
        let isOther: SQLFragment = "NOT EXISTS (SELECT FROM back WHERE back.id = h.id)"
        changes["is_series_head"] = """
            (x.was).is_series_head AND ((x.was).deleted_at IS NOT NULL OR NOT \(isLed("x.was", where: isOther)))
            """
        return TaskWrite(
            "task.undo", lock: lock("\(owner)"), by: operation, tables: tables,
            goal: .joined(
                [goal(changes, from: "checked x"), goal(["is_series_head": "true"], from: "heirs x")],
                by: " UNION ALL "),
            mayMove: true, returning: nil)
    }

    /// `heirs(old tasks)`: of each series whose leader is taken back and which none leads then, the last open instance.
    /// It gave up its place when it came out of the bin beside that leader. A leader in the bin is who ended the series.
    private static func heirs(of owner: UUID, by actor: UUID) -> SQLFragment {
        """
        heirs AS (
            SELECT h.old FROM (
                SELECT (b.old).series_id AS id FROM back b WHERE (b.old).is_series_head AND (b.old).deleted_at IS NULL
                EXCEPT
                SELECT (b.was).series_id FROM back b WHERE (b.was).is_series_head AND (b.was).deleted_at IS NULL) s
            CROSS JOIN LATERAL (
                SELECT t AS old FROM tasks t JOIN projects p ON p.user_id = t.user_id AND p.id = t.project_id
                WHERE t.user_id = \(owner) AND t.series_id = s.id AND t.status = 'open' AND t.deleted_at IS NULL
                    AND p.deleted_at IS NULL AND \(.mayWrite(actor, "p"))
                    AND NOT EXISTS (SELECT FROM back b WHERE b.id = t.id)
                ORDER BY t.occurrence DESC LIMIT 1) h
            WHERE NOT EXISTS (
                SELECT FROM tasks l WHERE l.user_id = \(owner) AND l.series_id = s.id AND l.is_series_head
                AND NOT EXISTS (SELECT FROM back b WHERE b.id = l.id))),
        """
    }

    /// `ancestors(start, id)`: all above each task that gets another parent, as it will be.
    private static func ancestors(of owner: UUID) -> SQLFragment {
        """
        ancestors AS (
            SELECT b.id AS start, (b.was).parent_id AS id FROM back b
            WHERE (b.was).parent_id IS DISTINCT FROM (b.old).parent_id
            UNION
            SELECT a.start, CASE WHEN b.id IS NULL THEN q.parent_id ELSE (b.was).parent_id END
            FROM ancestors a JOIN tasks q ON q.user_id = \(owner) AND q.id = a.id LEFT JOIN back b ON b.id = q.id),
        """
    }

    /// `parent(task tasks)` of the task in `b`, as it will be.
    private static func parent(of owner: UUID) -> SQLFragment {
        """
        LEFT JOIN LATERAL (
            SELECT CASE WHEN above.id IS NULL THEN q ELSE above.was END AS task
            FROM tasks q LEFT JOIN back above ON above.id = q.id
            WHERE q.user_id = \(owner) AND q.id = (b.was).parent_id) parent ON true
        """
    }

    /// What `update` and `restore` refuse of a task's place, too: of the task in `b` below its `parent`, and of those that
    /// came below it since.
    private static func misplacements(of owner: UUID) -> SQLFragment {
        """
        WHEN (b.was).deleted_at IS NULL AND place.deleted_at IS NOT NULL THEN 'displaced'
        WHEN (b.was).parent_id IS NOT NULL AND (parent.task).id IS NULL THEN 'displaced'
        WHEN (b.was).deleted_at IS NULL AND (
            (parent.task).deleted_at IS NOT NULL OR (parent.task).project_id <> (b.was).project_id) THEN 'displaced'
        WHEN EXISTS (SELECT FROM ancestors a WHERE a.start = b.id AND a.id = b.id) THEN 'displaced'
        WHEN EXISTS (
            SELECT FROM tasks q WHERE q.user_id = \(owner) AND q.parent_id = b.id AND q.deleted_at IS NULL
            AND ((b.was).deleted_at IS NOT NULL OR q.project_id <> (b.was).project_id)
            AND NOT EXISTS (SELECT FROM back WHERE back.id = q.id)) THEN 'displaced'
        """
    }
}
