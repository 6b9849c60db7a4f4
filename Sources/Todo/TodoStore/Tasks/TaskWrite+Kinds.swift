internal import FoundationEssentials
internal import Postgres
internal import TodoModel

extension TaskWrite {
    /// Makes a task in the project, beside the parent, or in the maker's inbox.
    static func create(
        _ draft: TodoTask.Draft, id: UUID, position: String, series: Series? = nil, by operation: TodoOperation
    ) -> TaskWrite {
        let actor = operation.actor
        let owners = SQLFragment.owners(for: actor)
        let parent: SQLFragment
        let place: SQLFragment
        if let id = draft.parent {
            parent = """
                parent AS (
                    SELECT q.* FROM tasks q WHERE q.user_id = ANY (\(owners)) AND q.id = \(id) AND q.deleted_at IS NULL),
                """
            place =
                "\(draft.project)::uuid IS NULL AND p.id = (SELECT project_id FROM parent) OR p.id = \(draft.project)"
        } else {
            parent = ""
            place = draft.project.map { "p.id = \($0)" } ?? "p.user_id = \(actor) AND p.is_inbox"
        }
        let needsParent = draft.parent != nil
        let isElsewhere: SQLFragment = """
            WHEN (parent.user_id, parent.project_id) <> (place.user_id, place.id) THEN 'parent'
            """
        let tables: SQLFragment = """
            \(parent)
            place AS (
                SELECT p.user_id, p.id, \(.mayWrite(actor, "p")) AS may_write,
                    p.user_id || p.editors || p.viewers AS members FROM projects p
                WHERE p.user_id = ANY (\(owners)) AND p.deleted_at IS NULL AND \(.sees(actor, "p")) AND (\(place))),
            checked AS (
                SELECT place.user_id, place.id AS project_id, place.members, CASE
                    \(raw: needsParent ? "WHEN parent.id IS NULL THEN 'parent'" : "")
                    WHEN place.id IS NULL THEN 'project'
                    WHEN NOT place.may_write THEN 'forbidden'
                    \(needsParent ? isElsewhere : "")
                    END AS problem
                FROM (VALUES (1)) AS one LEFT JOIN place ON true \(raw: needsParent ? "LEFT JOIN parent ON true" : "") LIMIT 1),
            """
        let values: [SQLFragment] = [
            "\(id)", "c.project_id", "\(draft.parent)", "\(draft.title)", "\(draft.description)",
            "\(draft.status.rawValue)", "\(Int16(draft.priority.rawValue))", "\(draft.due?.date.column)",
            "\(draft.due?.time.map { PostgresTime($0) })", "\(draft.due?.zone)", "\(draft.start?.column)",
            "\(draft.estimate.map { Int32(clamping: $0) })", "\(draft.tags)", "\(position)",
            draft.status == .open ? "NULL::timestamptz" : "now()", "NULL::timestamptz", "\(series?.id)",
            "\(series?.occurrenceText)", "\(series?.column)", "\(series != nil && draft.status == .open)",
        ]
        // Of an inbox nothing is looked at that another write could change.
        let holder: SQLFragment? =
            draft.parent.map { owner(ofTask: $0, for: actor) }
            ?? draft.project.map {
                "SELECT p.user_id FROM projects p WHERE p.user_id = ANY (\(owners)) AND p.id = \($0)"
            }
        return TaskWrite(
            "task.create", lock: holder.map { lock($0) }, by: operation, tables: tables, values: values)
    }

    /// Changes one task. Its subtasks follow it to another project.
    ///
    /// - Parameters:
    ///   - series: how it repeats from now on, or no more; nil leaves that as it is.
    ///   - takesOver: it leads its series from now on, whether it did or not.
    ///   - mayFollow: the caller makes the instance that follows; else nothing is written where there is one to be made.
    static func update(
        _ id: UUID, _ patch: TodoTask.Patch, series: Series?? = nil, takesOver: Bool = false,
        ifVersion versions: [Int]?, by operation: TodoOperation, mayFollow: Bool = true
    ) -> TaskWrite {
        var changes = changes(patch)
        changes.merge(seriesChanges(patch, series, takesOver: takesOver)) { $1 }
        var tables = target(id, for: operation.actor)
        let isMoved = patch.project != nil || (patch.parent ?? nil) != nil
        if isMoved {
            tables = "\(tables) \(destination(of: id, patch, for: operation.actor))"
            changes["project_id"] = "(SELECT id FROM place)"
            if patch.parent == nil {
                changes["parent_id"] =
                    "CASE WHEN (SELECT id FROM place) = (x.old).project_id THEN (x.old).parent_id END"
            }
        }
        tables = """
            \(tables) checked AS (
                SELECT g.old, CASE \(standardProblems(versions)) \(isMoved ? destinationProblems(of: id, patch, for: operation.actor) : "")
                    \(raw: mayFollow ? "" : "WHEN (g.old).is_series_head THEN '\(WriteAnswer.needsSeries)'")
                    END AS problem FROM target g),
            """
        var goal = Self.goal(changes, from: "checked x")
        if isMoved {
            tables = "\(tables) \(Self.subtree("(SELECT id FROM place) <> (c.old).project_id")),"
            goal = """
                \(goal) UNION ALL
                \(Self.goal(["project_id": "(SELECT id FROM place)"], from: "parts x WHERE (x.old).id <> \(id)"))
                """
        }
        return TaskWrite(
            "task.update", lock: lock(owner(ofTask: id, for: operation.actor)), by: operation, tables: tables,
            goal: goal, mayMove: isMoved, returning: id, ending: ending(patch, takesOver: takesOver))
    }

    /// Puts a task and its subtasks into the bin. One that is there stays as it is.
    ///
    /// - Parameter skips: the task is an instance of a series that goes on with the next.
    static func delete(
        _ id: UUID, skips: Bool = false, ifVersion versions: [Int]?, by operation: TodoOperation
    ) -> TaskWrite {
        let tables: SQLFragment = """
            \(target(id, for: operation.actor))
            checked AS (
                SELECT g.old, CASE \(standardProblems(versions, mayBeDeleted: true)) END AS problem FROM target g),
            \(subtree("true")),
            """
        return TaskWrite(
            "task.delete", lock: lock(owner(ofTask: id, for: operation.actor)), by: operation, tables: tables,
            goal: goal(
                [
                    "deleted_at": "COALESCE((x.old).deleted_at, now())",
                    "is_series_head": "(x.old).is_series_head AND NOT (\(skips) AND (x.old).id = \(id))",
                ], from: "parts x"), returning: id, ending: skips ? Self.skipping : "false")
    }

    /// Takes a task out of the bin, with the subtasks that went there with it. Where its project is gone it comes into
    /// the inbox, where its parent is gone to the top.
    static func restore(_ id: UUID, ifVersion versions: [Int]?, by operation: TodoOperation) -> TaskWrite {
        let actor = operation.actor
        let tables: SQLFragment = """
            \(target(id, for: actor))
            place AS (
                SELECT p.id FROM projects p, target g WHERE p.user_id = (g.old).user_id
                AND CASE WHEN g.is_project_deleted THEN p.is_inbox ELSE p.id = (g.old).project_id END),
            checked AS (
                SELECT g.old, CASE \(standardProblems(versions, mayBeDeleted: true))
                    WHEN g.is_project_deleted AND (g.old).user_id <> \(actor) THEN 'project'
                    END AS problem FROM target g),
            \(subtree("true")),
            """
        let source: SQLFragment = "parts x, checked c WHERE (x.old).deleted_at = (c.old).deleted_at"
        let parent: SQLFragment = """
            CASE WHEN (x.old).id <> \(id) OR EXISTS (
                SELECT FROM tasks q WHERE q.user_id = (x.old).user_id AND q.id = (x.old).parent_id
                AND q.project_id = (SELECT id FROM place) AND q.deleted_at IS NULL) THEN (x.old).parent_id END
            """
        return TaskWrite(
            "task.restore", lock: lock(owner(ofTask: id, for: actor)), by: operation, tables: tables,
            goal: goal(
                [
                    "deleted_at": "NULL::timestamptz", "project_id": "(SELECT id FROM place)", "parent_id": parent,
                    "is_series_head": "(x.old).is_series_head AND NOT \(isLed("x.old"))",
                ], from: source),
            mayMove: true, returning: id)
    }

    /// Gives every task of `owner` that bears a tag, and that the person may change, another one instead, or none.
    static func replaceTag(_ name: String, by other: String?, of owner: UUID, by operation: TodoOperation) -> TaskWrite
    {
        let actor = operation.actor
        let tables: SQLFragment = """
            checked AS (
                SELECT t AS old, NULL::text AS problem FROM tasks t
                JOIN projects p ON p.user_id = t.user_id AND p.id = t.project_id AND \(.mayWrite(actor, "p"))
                WHERE t.user_id = \(owner) AND t.deleted_at IS NULL AND \(name) = ANY (t.tags)),
            """
        let tags: SQLFragment = """
            ARRAY(SELECT DISTINCT tag COLLATE "C" FROM unnest(array_remove(array_replace((x.old).tags, \(name), \(other)), NULL)) tag
                ORDER BY 1)
            """
        return TaskWrite(
            "tag.replace", lock: lock("\(owner)"), by: operation, tables: tables,
            goal: goal(["tags": tags], from: "checked x"), returning: nil, countsOnly: true)
    }
}

extension TaskWrite {
    private static func owner(ofTask id: UUID, for actor: UUID) -> SQLFragment {
        "SELECT t.user_id FROM tasks t WHERE t.user_id = ANY (\(.owners(for: actor))) AND t.id = \(id)"
    }

    /// `target`: the task, when the person sees it.
    private static func target(_ id: UUID, for actor: UUID) -> SQLFragment {
        """
        target AS (
            SELECT t AS old, \(.mayWrite(actor, "p")) AS may_write, p.deleted_at IS NOT NULL AS is_project_deleted
            FROM tasks t JOIN projects p ON p.user_id = t.user_id AND p.id = t.project_id
            WHERE t.user_id = ANY (\(.owners(for: actor))) AND t.id = \(id) AND \(.sees(actor, "p"))),
        """
    }

    private static func standardProblems(_ versions: [Int]?, mayBeDeleted: Bool = false) -> SQLFragment {
        """
        WHEN NOT g.may_write THEN 'forbidden'
        WHEN \(.isOther("(g.old)", than: versions)) THEN 'version'
        WHEN \(raw: mayBeDeleted ? "false" : "(g.old).deleted_at IS NOT NULL") THEN 'bin'
        """
    }

    /// `parent`, `place` (the project) and `ancestors` of where a task is to go.
    private static func destination(of id: UUID, _ patch: TodoTask.Patch, for actor: UUID) -> SQLFragment {
        let parent = patch.parent ?? nil
        return """
            parent AS (
                SELECT q.* FROM tasks q, target g
                WHERE q.user_id = (g.old).user_id AND q.id = \(parent) AND q.deleted_at IS NULL),
            place AS (
                SELECT p.id, \(.mayWrite(actor, "p")) AS may_write FROM projects p, target g
                WHERE p.user_id = (g.old).user_id AND p.deleted_at IS NULL AND \(.sees(actor, "p"))
                AND p.id = COALESCE(\(patch.project), (SELECT project_id FROM parent))),
            ancestors AS (
                SELECT q.user_id, q.id, q.parent_id FROM parent q
                UNION
                SELECT q.user_id, q.id, q.parent_id FROM tasks q
                JOIN ancestors a ON q.user_id = a.user_id AND q.id = a.parent_id),
            """
    }

    private static func destinationProblems(
        of id: UUID, _ patch: TodoTask.Patch, for actor: UUID
    ) -> SQLFragment {
        let parent = patch.parent ?? nil
        return """
            WHEN \(parent)::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM parent) THEN 'parent'
            WHEN NOT EXISTS (SELECT FROM place) THEN CASE WHEN EXISTS (
                SELECT FROM projects p WHERE p.user_id = ANY (\(.owners(for: actor))) AND p.id = \(patch.project)
                AND p.deleted_at IS NULL AND \(.sees(actor, "p"))) THEN 'foreign' ELSE 'project' END
            WHEN NOT (SELECT may_write FROM place) THEN 'forbidden'
            WHEN EXISTS (SELECT FROM parent WHERE project_id <> (SELECT id FROM place)) THEN 'parent'
            WHEN EXISTS (SELECT FROM ancestors WHERE id = \(id)) THEN 'cycle'
            """
    }

    /// `parts(old tasks)`: the checked task and all below it, when `condition` holds of `checked c`.
    private static func subtree(_ condition: SQLFragment) -> SQLFragment {
        """
        below AS (
            SELECT (c.old).user_id, (c.old).id FROM checked c WHERE c.problem IS NULL AND \(condition)
            UNION
            SELECT q.user_id, q.id FROM tasks q JOIN below b ON q.user_id = b.user_id AND q.parent_id = b.id),
        parts AS (SELECT t AS old FROM tasks t JOIN below b ON t.user_id = b.user_id AND t.id = b.id)
        """
    }

    private static func changes(_ patch: TodoTask.Patch) -> [String: SQLFragment] {
        var changes: [String: SQLFragment] = [:]
        if let title = patch.title { changes["title"] = "\(title)" }
        if let description = patch.description { changes["description"] = "\(description)" }
        if let priority = patch.priority { changes["priority"] = "\(Int16(priority.rawValue))" }
        if let position = patch.position { changes["position"] = "\(position)" }
        if let tags = patch.tags { changes["tags"] = "\(tags)" }
        if let start = patch.start { changes["start_date"] = "\(start?.column)" }
        if let estimate = patch.estimate { changes["estimate_minutes"] = "\(estimate.map { Int32(clamping: $0) })" }
        if let parent = patch.parent { changes["parent_id"] = "\(parent)" }
        if let due = patch.due {
            changes["due_date"] = "\(due?.date.column)"
            changes["due_time"] = "\(due?.time.map { PostgresTime($0) })"
            changes["due_zone"] = "\(due?.zone)"
        }
        if let status = patch.status {
            changes["status"] = "\(status.rawValue)"
            changes["completed_at"] =
                status == .open ? "NULL::timestamptz" : "COALESCE((x.old).completed_at, now())"
        }
        return changes
    }
}
