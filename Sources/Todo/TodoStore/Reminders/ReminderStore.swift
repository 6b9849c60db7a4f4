public import FoundationEssentials
internal import Postgres
public import TodoModel

/// The reminders of one person: what they asked for. The workers plan and fire them.
public struct ReminderStore: Sendable {
    let database: TodoDatabase

    private static let columnNames = [
        "user_id", "id", "task_id", "at", "moment", "offset_minutes", "repeat_minutes", "channels", "created_at",
        "updated_at", "version",
    ]
    private static func columns(of row: String) -> String {
        columnNames.map { "\(row).\($0)" }.joined(separator: ", ")
    }

    /// The person's own reminders of a task, oldest first. Throws `notFound` when they do not see the task.
    public func all(of task: UUID, for actor: UUID) async throws -> [Reminder] {
        let statement: SQLFragment = """
            SELECT g.user_id IS NULL, \(raw: Self.columns(of: "r")) FROM \(target(task, for: actor)) g
            LEFT JOIN reminders r ON r.user_id = \(actor) AND r.owner_id = g.user_id AND r.task_id = g.id
            ORDER BY r.id
            """
        let rows = try await database.rows(as: .user(actor), "reminder.list", statement)
        guard !rows.isEmpty else { throw StoreError.notFound }
        return try rows.compactMap { row in
            guard try row.decode(UUID?.self, at: 2) != nil else { return nil }
            var columns = ColumnReader(row)
            columns.skip(1)
            return try Reminder(columns: &columns)
        }
    }

    /// Throws `notFound` when the person does not see the task; `invalid` when its time has passed, or the task has no
    /// such date.
    public func create(_ draft: Reminder.Draft, of task: UUID, by actor: UUID) async throws -> Reminder {
        let (at, moment, minutes) = draft.when.columns
        let statement: SQLFragment = """
            WITH checked AS (
                SELECT g.user_id, g.id, CASE WHEN g.deleted_at IS NOT NULL THEN 'bin' \(Self.problems(at, moment))
                    WHEN (SELECT count(*) FROM reminders r WHERE r.user_id = \(actor) AND r.owner_id = g.user_id
                        AND r.task_id = g.id) >= \(Reminder.Limits.perTask) THEN 'reminders' END AS problem
                FROM \(target(task, for: actor)) g),
            written AS (
                INSERT INTO reminders AS r (user_id, id, owner_id, task_id, at, moment, offset_minutes, repeat_minutes, channels)
                SELECT \(actor), \(database.makeID()), c.user_id, c.id, \(at), \(moment), \(minutes),
                    \(draft.repeatMinutes.map { Int32($0) }), \(draft.channels.map(\.rawValue))
                FROM checked c WHERE c.problem IS NULL RETURNING r.*),
            \(Self.noted)
            SELECT c.problem, 0::bigint, \(raw: Self.columns(of: "w")) FROM checked c LEFT JOIN written w ON true
            """
        return try await write("reminder.create", statement, by: actor)
    }

    /// - Parameter versions: those at which the change is wanted; nil for any.
    public func update(
        _ id: UUID, _ patch: Reminder.Patch, ifVersion versions: [Int]? = nil, by actor: UUID
    ) async throws -> Reminder {
        let (at, moment, minutes) = patch.when?.columns ?? (nil, nil, nil)
        let isNew = patch.when != nil
        let when: SQLFragment = isNew ? "at = \(at), moment = \(moment), offset_minutes = \(minutes)," : ""
        let statement: SQLFragment = """
            WITH target AS (
                SELECT r.* FROM reminders r WHERE r.user_id = \(actor) AND r.id = \(id) FOR UPDATE),
            checked AS (
                SELECT r.id, r.version, CASE WHEN \(.isOther("r", than: versions)) THEN 'version'
                    \(isNew ? Self.problems(at, moment) : "") END AS problem
                FROM target r JOIN tasks g ON g.user_id = r.owner_id AND g.id = r.task_id),
            written AS (
                UPDATE reminders r SET \(when) repeat_minutes = CASE WHEN \(patch.repeatMinutes != nil)
                        THEN \((patch.repeatMinutes ?? nil).map { Int32($0) }) ELSE r.repeat_minutes END,
                    channels = COALESCE(\(patch.channels.map { $0.map(\.rawValue) }), r.channels),
                    updated_at = now(), version = r.version + 1
                FROM checked c WHERE c.problem IS NULL AND r.user_id = \(actor) AND r.id = c.id RETURNING r.*),
            \(Self.noted)
            SELECT c.problem, c.version, \(raw: Self.columns(of: "w")) FROM checked c LEFT JOIN written w ON true
            """
        return try await write("reminder.update", statement, by: actor)
    }

    /// What it had planned is cancelled.
    public func delete(_ id: UUID, ifVersion versions: [Int]? = nil, by actor: UUID) async throws {
        let statement: SQLFragment = """
            WITH target AS (
                SELECT r.* FROM reminders r WHERE r.user_id = \(actor) AND r.id = \(id) FOR UPDATE),
            checked AS (
                SELECT r.id, r.version, CASE WHEN \(.isOther("r", than: versions)) THEN 'version' END AS problem
                FROM target r),
            written AS (
                DELETE FROM reminders r USING checked c
                WHERE c.problem IS NULL AND r.user_id = \(actor) AND r.id = c.id RETURNING r.*),
            \(Self.noted)
            SELECT c.problem, c.version, \(raw: Self.columns(of: "w")) FROM checked c LEFT JOIN written w ON true
            """
        _ = try await write("reminder.delete", statement, by: actor)
    }

    /// The task, when the person sees it.
    private func target(_ task: UUID, for actor: UUID) -> SQLFragment {
        """
        (SELECT t.user_id, t.id, t.due_date, t.start_date, t.deleted_at FROM tasks t
        JOIN projects p ON p.user_id = t.user_id AND p.id = t.project_id
        WHERE t.user_id = ANY (\(.owners(for: actor))) AND t.id = \(task) AND \(.sees(actor, "p")))
        """
    }

    /// Why the task `g` cannot have such a reminder.
    private static func problems(_ at: PostgresTimestamp?, _ moment: String?) -> SQLFragment {
        """
        WHEN \(at)::timestamptz <= now() THEN 'past'
        WHEN \(moment)::text = 'due' AND g.due_date IS NULL THEN 'due'
        WHEN \(moment)::text = 'start' AND g.start_date IS NULL THEN 'start'
        """
    }

    private static let noted: SQLFragment = """
        noted AS (INSERT INTO replan (owner_id, task_id) SELECT w.owner_id, w.task_id FROM written w)
        """

    private func write(_ name: String, _ statement: SQLFragment, by actor: UUID) async throws -> Reminder {
        let rows = try await database.write(as: .user(actor), [statement.query(named: name)])
        guard let row = rows.first else { throw StoreError.notFound }
        var columns = ColumnReader(row)
        let problem = try columns.next(String?.self)
        if let problem { throw StoreError(problem: problem, version: try columns.next(Int.self)) }
        columns.skip(1)
        return try Reminder(columns: &columns)
    }
}

extension Reminder.When {
    fileprivate var columns: (at: PostgresTimestamp?, moment: String?, minutes: Int32?) {
        switch self {
        case .at(let instant): (instant.timestamp, nil, nil)
        case .before(let moment, let minutes): (nil, moment.rawValue, Int32(clamping: minutes))
        }
    }
}

extension Reminder {
    fileprivate init(columns: inout ColumnReader) throws(PostgresError) {
        let (user, id, task) = (
            try columns.next(UUID.self), try columns.next(UUID.self), try columns.next(UUID.self)
        )
        let at = try columns.instantIfAny()
        let moment = try columns.next(String?.self).flatMap { Moment(rawValue: $0) } ?? .due
        let minutes = try columns.next(Int?.self) ?? 0
        let repetition = try columns.next(Int?.self)
        let channels = try columns.next([String].self).compactMap { ReminderChannel(rawValue: $0) }
        self.init(
            user: user, id: id, task: task, when: at.map { .at($0) } ?? .before(moment, minutes: minutes),
            repeatMinutes: repetition, channels: channels, created: try columns.instant(),
            updated: try columns.instant(), version: try columns.next())
    }
}
