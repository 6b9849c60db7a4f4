internal import Concurrency
public import FoundationEssentials
public import Postgres
public import TodoModel

/// The tasks in the database. Every call is one transaction, and sees one user's tasks only.
///
/// All calls throw `PostgresError`, or `CancellationError` when the task is cancelled.
public struct TaskStore: Sendable {
    private let pool: PostgresPool
    private let ids = Lock(UUIDv7Generator())

    public init(pool: PostgresPool) { self.pool = pool }

    /// Tasks in the order in which they were made, newest first.
    public struct Page: Sendable {
        public let tasks: [TodoTask]
        /// Where the next page begins; nil at the end.
        public let next: UUID?
    }

    public func create(_ content: TodoTask.Content, for user: UUID) async throws -> TodoTask {
        let now = Instant.now()
        let task = TodoTask(id: ids.withLock { $0.next(at: now) }, content: content, created: now)
        try await pool.query(
            PostgresQuery(
                """
                INSERT INTO tasks (user_id, id, title, notes, status, priority, created_at, updated_at, version)
                VALUES (\(user), \(task.id), \(content.title), \(content.notes), \(content.status.rawValue),
                    \(Int16(content.priority.rawValue)), \(task.created.timestamp), \(task.updated.timestamp), 1)
                """
            ).named("task.create"))
        return task
    }

    public func task(_ id: UUID, of user: UUID) async throws -> TodoTask? {
        try await pool.query(
            PostgresQuery("SELECT \(raw: Self.columns) FROM tasks WHERE user_id = \(user) AND id = \(id)")
                .named("task.get")
        ).first.map(Self.task)
    }

    /// - Parameters:
    ///   - before: the `next` of the page before.
    ///   - limit: the most that a page holds; at least 1.
    public func page(
        of user: UUID, status: TodoTask.Status? = nil, before: UUID? = nil, limit: Int
    ) async throws -> Page {
        // Greater than every id when there is none, so that each filter has one statement with one plan.
        let end = before ?? Self.greatestID
        let query: PostgresQuery
        if let status {
            query = """
                SELECT \(raw: Self.columns) FROM tasks
                WHERE user_id = \(user) AND status = \(status.rawValue) AND id < \(end)
                ORDER BY id DESC LIMIT \(limit + 1)
                """
        } else {
            query = """
                SELECT \(raw: Self.columns) FROM tasks
                WHERE user_id = \(user) AND id < \(end) ORDER BY id DESC LIMIT \(limit + 1)
                """
        }
        let tasks = try await pool.query(query.named("task.list")).map(Self.task)
        guard tasks.count > limit else { return Page(tasks: tasks, next: nil) }
        return Page(tasks: Array(tasks.prefix(limit)), next: tasks[limit - 1].id)
    }

    /// Changes a task to what `change` makes of it, with nobody else's change in between. What `change` throws is thrown
    /// on, and nothing is changed. Nil when there is no such task.
    public func update(
        _ id: UUID, of user: UUID, _ change: @Sendable (TodoTask) throws -> TodoTask.Content
    ) async throws -> TodoTask? {
        try await pool.withTransaction(attempts: 3) { connection in
            guard let current = try await Self.locked(id, of: user, on: connection) else { return nil }
            let task = current.changed(to: try change(current), at: max(.now(), current.updated))
            guard task != current else { return current }
            try await connection.query(
                PostgresQuery(
                    """
                    UPDATE tasks SET title = \(task.content.title), notes = \(task.content.notes),
                        status = \(task.content.status.rawValue), priority = \(Int16(task.content.priority.rawValue)),
                        updated_at = \(task.updated.timestamp), version = \(task.version)
                    WHERE user_id = \(user) AND id = \(id)
                    """
                ).named("task.update"))
            return task
        }
    }

    /// Deletes a task unless `check` throws, which is thrown on. False when there is no such task.
    public func delete(
        _ id: UUID, of user: UUID, _ check: @Sendable (TodoTask) throws -> Void = { _ in }
    ) async throws -> Bool {
        try await pool.withTransaction(attempts: 3) { connection in
            guard let current = try await Self.locked(id, of: user, on: connection) else { return false }
            try check(current)
            try await connection.query(
                PostgresQuery("DELETE FROM tasks WHERE user_id = \(user) AND id = \(id)").named("task.delete"))
            return true
        }
    }
}

extension TaskStore {
    private static let columns = "id, title, notes, status, priority, created_at, updated_at, version"
    private static let greatestID = UUID(
        uuid: (255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))

    private static func locked(
        _ id: UUID, of user: UUID, on connection: PostgresConnection
    ) async throws -> TodoTask? {
        try await connection.query(
            PostgresQuery("SELECT \(raw: columns) FROM tasks WHERE user_id = \(user) AND id = \(id) FOR UPDATE")
                .named("task.lock")
        ).first.map(task)
    }

    private static func task(_ row: PostgresRow) throws -> TodoTask {
        let (id, title, notes, status, priority, created, updated, version) = try row.decode(
            UUID.self, String.self, String.self, String.self, Int.self, PostgresTimestamp.self,
            PostgresTimestamp.self, Int.self)
        guard let status = TodoTask.Status(rawValue: status), let priority = TodoTask.Priority(rawValue: priority)
        else {
            throw PostgresError.misuse("a task has a status or priority that this release does not know")
        }
        return TodoTask(
            id: id, content: .init(title: title, notes: notes, status: status, priority: priority),
            created: Instant(microsecondsSince1970: created.microsecondsSince1970),
            updated: Instant(microsecondsSince1970: updated.microsecondsSince1970), version: version)
    }
}

extension Instant {
    fileprivate var timestamp: PostgresTimestamp { PostgresTimestamp(microsecondsSince1970: microsecondsSince1970) }
}
