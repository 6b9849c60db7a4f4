public import FoundationEssentials
internal import Postgres
public import TodoModel

/// The projects that a person sees: their own, and those that are shared with them. Only its owner changes a project
/// itself.
public struct ProjectStore: Sendable {
    let database: TodoDatabase

    /// All that are not deleted, or all that are in the bin; each owner's in their order.
    public func all(inBin: Bool = false, for actor: UUID) async throws -> [Project] {
        let statement: SQLFragment = """
            SELECT \(Project.columns(of: "p", for: actor)) FROM projects p
            WHERE p.user_id = ANY (\(.owners(for: actor))) AND (p.deleted_at IS NOT NULL) = \(inBin)
                AND \(.sees(actor, "p"))
            ORDER BY p.user_id <> \(actor), p.user_id, NOT p.is_inbox, p.position, p.id
            """
        return try await database.rows(as: .user(actor), "project.list", statement).map { try Project($0) }
    }

    /// Throws `notFound`, for deleted ones, too.
    public func get(_ id: UUID, for actor: UUID) async throws -> Project {
        let statement: SQLFragment = """
            SELECT \(Project.columns(of: "p", for: actor)) FROM projects p
            WHERE p.user_id = ANY (\(.owners(for: actor))) AND p.id = \(id) AND p.deleted_at IS NULL
                AND \(.sees(actor, "p"))
            """
        guard let row = try await database.rows(as: .user(actor), "project.get", statement).first else {
            throw StoreError.notFound
        }
        return try Project(row)
    }

    public func create(_ draft: Project.Draft, by actor: UUID) async throws -> Project {
        let id = database.makeID()
        let statement: SQLFragment = """
            WITH stream AS (UPDATE streams SET seq = seq + 1 WHERE user_id = \(actor) RETURNING user_id, seq),
            written AS (
                INSERT INTO projects AS p (user_id, id, name, color, position, seq)
                SELECT user_id, \(id), \(draft.name), \(draft.color),
                    \(draft.position ?? FractionalIndex.end(at: .now())), seq FROM stream
                RETURNING p AS project),
            \(Self.told(.projectCreated, by: actor))
            SELECT \(Project.columns(of: "(w.project)", for: actor)) FROM written w
            """
        let rows = try await database.write(as: .user(actor), [statement.query(named: "project.create")])
        guard let row = rows.first else { throw StoreError.notFound }
        return try Project(row)
    }

    /// Changes a project unless nothing would be different.
    ///
    /// - Parameter versions: those at which the change is wanted; nil for any.
    public func update(
        _ id: UUID, _ patch: Project.Patch, ifVersion versions: [Int]? = nil, by actor: UUID
    ) async throws -> Project {
        let old = "(c.old)"
        let values: SQLFragment = """
            COALESCE(\(patch.name), \(raw: old).name),
            CASE WHEN \(patch.color != nil) THEN \(patch.color ?? nil) ELSE \(raw: old).color END,
            COALESCE(\(patch.position), \(raw: old).position),
            COALESCE(\(patch.isArchived), \(raw: old).is_archived)
            """
        let statement: SQLFragment = """
            WITH \(target(id, for: actor)),
            checked AS (
                SELECT g.old, CASE \(problems(versions, actor))
                    WHEN (g.old).is_inbox AND \(patch.isArchived ?? false) THEN 'inbox' END AS problem
                FROM target g),
            stream AS (
                UPDATE streams s SET seq = s.seq + 1 FROM checked c WHERE c.problem IS NULL AND s.user_id = \(actor)
                    AND (\(values)) IS DISTINCT FROM (
                        \(raw: old).name, \(raw: old).color, \(raw: old).position, \(raw: old).is_archived)
                RETURNING s.seq),
            written AS (
                UPDATE projects p SET (name, color, position, is_archived) = (\(values)),
                    updated_at = now(), version = p.version + 1, seq = stream.seq
                FROM stream, checked c WHERE p.user_id = \(actor) AND p.id = \(id) RETURNING p AS project),
            \(Self.told(.projectUpdated, by: actor))
            \(Self.answer(for: actor))
            """
        return try await write("project.update", statement, as: actor, by: actor)
    }

    /// Puts a project into the bin, with its tasks. Those that are there already stay as they are: each has the moment at
    /// which it went.
    public func delete(_ id: UUID, ifVersion versions: [Int]? = nil, by actor: UUID) async throws -> Project {
        let statement: SQLFragment = """
            WITH \(target(id, for: actor)),
            checked AS (
                SELECT g.old, CASE \(problems(versions, actor)) WHEN (g.old).is_inbox THEN 'inbox' END AS problem
                FROM target g),
            parts AS (
                SELECT t.id, row_number() OVER (ORDER BY t.id) AS place FROM tasks t, checked c
                WHERE c.problem IS NULL AND t.user_id = \(actor) AND t.project_id = \(id) AND t.deleted_at IS NULL),
            stream AS (
                UPDATE streams s SET seq = s.seq + 1 + (SELECT count(*) FROM parts)
                FROM checked c WHERE c.problem IS NULL AND s.user_id = \(actor)
                RETURNING s.seq, s.seq - 1 - (SELECT count(*) FROM parts) AS base),
            binned AS (
                UPDATE tasks t SET deleted_at = now(), updated_at = GREATEST(now(), t.updated_at),
                    version = t.version + 1, seq = stream.base + b.place
                FROM parts b, stream WHERE t.user_id = \(actor) AND t.id = b.id),
            written AS (
                UPDATE projects p SET deleted_at = now(), updated_at = now(), version = p.version + 1, seq = stream.seq
                FROM stream WHERE p.user_id = \(actor) AND p.id = \(id) RETURNING p AS project),
            \(Self.told(.projectDeleted, by: actor))
            \(Self.answer(for: actor))
            """
        return try await write("project.delete", statement, as: actor, by: actor)
    }

    /// Takes a project out of the bin, with the tasks that went there with it; its members see it again. One that is not
    /// there stays as it is.
    public func restore(_ id: UUID, ifVersion versions: [Int]? = nil, by actor: UUID) async throws -> Project {
        let statement: SQLFragment = """
            WITH \(target(id, for: actor, mayBeDeleted: true)),
            checked AS (SELECT g.old, CASE \(problems(versions, actor)) END AS problem FROM target g),
            parts AS (
                SELECT t.id, row_number() OVER (ORDER BY t.id) AS place FROM tasks t, checked c
                WHERE c.problem IS NULL AND t.user_id = \(actor) AND t.project_id = \(id)
                    AND t.deleted_at = (c.old).deleted_at),
            stream AS (
                UPDATE streams s SET seq = s.seq + 1 + (SELECT count(*) FROM parts)
                FROM checked c
                WHERE c.problem IS NULL AND (c.old).deleted_at IS NOT NULL AND s.user_id = \(actor)
                RETURNING s.seq, s.seq - 1 - (SELECT count(*) FROM parts) AS base),
            unbinned AS (
                UPDATE tasks t SET deleted_at = NULL,
                    is_series_head = t.is_series_head AND NOT \(TaskWrite.isLed("t")),
                    updated_at = GREATEST(now(), t.updated_at), version = t.version + 1, seq = stream.base + b.place
                FROM parts b, stream WHERE t.user_id = \(actor) AND t.id = b.id),
            written AS (
                UPDATE projects p SET deleted_at = NULL, updated_at = now(), version = p.version + 1, seq = stream.seq
                FROM stream WHERE p.user_id = \(actor) AND p.id = \(id) RETURNING p AS project),
            \(Self.told(.projectRestored, by: actor))
            \(Self.answer(for: actor))
            """
        return try await write("project.restore", statement, as: actor, by: actor)
    }
}

extension ProjectStore {
    /// Runs a statement that ends with `answer`, while the streams of `people` are locked.
    func write(
        _ name: String, _ statement: SQLFragment, as owner: UUID, by actor: UUID, naming email: String = "",
        locking people: [UUID] = []
    ) async throws -> Project {
        let lock: SQLFragment = """
            SELECT s.seq FROM streams s WHERE s.user_id = ANY (\(people + [owner])) ORDER BY s.user_id FOR UPDATE
            """
        let rows = try await database.write(
            as: .user(owner).naming(email: email), [lock.query(named: "stream.lock"), statement.query(named: name)])
        guard let row = rows.first else { throw StoreError.notFound }
        var columns = ColumnReader(row)
        let problem = try columns.next(String?.self)
        let version = try columns.next(Int.self)
        if let problem { throw StoreError(problem: problem, version: version) }
        return try Project(columns: &columns)
    }

    /// `target(old projects)`: the project, when the person sees it.
    func target(_ id: UUID, for actor: UUID, mayBeDeleted: Bool = false) -> SQLFragment {
        """
        target AS (
            SELECT p AS old FROM projects p WHERE p.user_id = ANY (\(.owners(for: actor))) AND p.id = \(id)
            AND (\(mayBeDeleted) OR p.deleted_at IS NULL) AND \(.sees(actor, "p")))
        """
    }

    func problems(_ versions: [Int]?, _ actor: UUID) -> SQLFragment {
        """
        WHEN (g.old).user_id <> \(actor) THEN 'forbidden'
        WHEN \(.isOther("(g.old)", than: versions)) THEN 'version'
        """
    }

    /// The event about `written(project projects)`, for all who see it and those in `others`, an array.
    static func told(_ kind: TodoEvent.Kind, by actor: UUID, and others: SQLFragment = "'{}'::uuid[]") -> SQLFragment {
        """
        told AS (
            INSERT INTO outbox (event_id, user_id, topic, type, body)
            SELECT e.id, (w.project).user_id, '\(raw: TodoEvent.topic)', '\(raw: kind.rawValue)', event_json(
                e.id, '\(raw: kind.rawValue)', (w.project).user_id, \(actor), (w.project).seq,
                (w.project).user_id || (w.project).editors || (w.project).viewers || \(others), (w.project).id,
                'project', project_json(w.project))
            FROM written w CROSS JOIN (SELECT uuid_v7() AS id) e)
        """
    }

    /// Why nothing was done, the version, and the project.
    static func answer(for actor: UUID) -> SQLFragment {
        """
        SELECT r.problem, (r.project).version, \(Project.columns(of: "(r.project)", for: actor)) FROM (
            SELECT c.problem, COALESCE(w.project, c.old) AS project FROM checked c LEFT JOIN written w ON true) r
        """
    }
}
