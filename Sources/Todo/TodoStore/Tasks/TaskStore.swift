public import FoundationEssentials
internal import Postgres
public import TodoModel

/// The tasks that a person sees: their own, and those of projects that are shared with them.
public struct TaskStore: Sendable {
    let database: TodoDatabase

    /// One page of a list.
    public struct Page: Sendable {
        public let tasks: [TodoTask]
        /// For the `TaskListing` of the page after; nil at the end.
        public let next: String?
    }

    /// Throws `notFound`; a task in the bin is found.
    public func get(_ id: UUID, for actor: UUID) async throws -> TodoTask {
        let statement: SQLFragment = """
            SELECT \(raw: TodoTask.columns(of: "t")) FROM tasks t
            JOIN projects p ON p.user_id = t.user_id AND p.id = t.project_id
            WHERE t.user_id = ANY (\(.owners(for: actor))) AND t.id = \(id) AND \(.sees(actor, "p"))
            """
        guard let row = try await database.rows(as: .user(actor), "task.get", statement).first else {
            throw StoreError.notFound
        }
        return try TodoTask(row)
    }

    /// One page of what `listing` asks for, among all that the person in its context sees.
    public func page(_ listing: TaskListing) async throws -> Page {
        let tasks = try await rows(listing).map { try TodoTask($0) }
        guard tasks.count > listing.limit else { return Page(tasks: tasks, next: nil) }
        let page = Array(tasks.prefix(listing.limit))
        return Page(tasks: page, next: page.last.map { listing.cursor(after: $0) })
    }

    /// A page is over when it weighs so much.
    private static let enoughBytes = 1 << 20

    /// The same page as an array in JSON, each task in the form of `TodoTask.json`; a shorter one where tasks are large.
    public func json(_ listing: TaskListing) async throws -> (tasks: [UInt8], next: String?) {
        let rows = try await rows(listing)
        var (writer, count) = (TaskRowWriter(), 0)
        for row in rows.prefix(listing.limit) where writer.count < Self.enoughBytes {
            try writer.write(row)
            count += 1
        }
        let last = rows.count > count ? try TodoTask(rows[count - 1]) : nil
        return (writer.finish(), last.map { listing.cursor(after: $0) })
    }

    /// One more than the page holds when there is another after it.
    private func rows(_ listing: TaskListing) async throws -> PostgresRows {
        let reader = Identity.user(listing.user).readingInOrder(listing.access.isInOrder)
        let (columns, count) = (TodoTask.columns(of: "t"), listing.limit + 1)
        let own = try await database.rows(
            as: reader, "task.list_own",
            listing.ownStatement(columns, absent: TodoTask.columns(of: "(NULL::tasks)"), count: count))
        guard let first = own.first, try first.bytes(at: 0, as: .uuid) == nil else { return own }
        return try await database.rows(as: reader, "task.list", listing.statement(columns, count: count))
    }

    /// Throws `invalid` naming `project` or `parent`, or `forbidden`.
    public func create(_ draft: TodoTask.Draft, by operation: TodoOperation) async throws -> TodoTask {
        try await write(try creation(draft, by: operation), by: operation)
    }

    /// Changes a task unless nothing would be different. When that closes an instance of a series, the next one is made in
    /// the same transaction.
    ///
    /// - Parameter versions: those at which the change is wanted; nil for any.
    public func update(
        _ id: UUID, _ patch: TodoTask.Patch, ifVersion versions: [Int]? = nil, by operation: TodoOperation
    ) async throws -> TodoTask {
        guard patch.mayConcernSeries else {
            return try await write(.update(id, patch, ifVersion: versions, by: operation), by: operation)
        }
        if !patch.changesSeries {
            // Few tasks repeat, and without a next one to be made a single round trip will do.
            let write = TaskWrite.update(id, patch, ifVersion: versions, by: operation, mayFollow: false)
            do { return try await self.write(write, by: operation) } catch is NeedsSeries {}
        }
        return try await database.transaction { database in
            try await SeriesStore(database: database).update(id, patch, ifVersion: versions, by: operation)
        }
    }

    /// Puts a task and all below it into the bin.
    ///
    /// - Parameter scope: with `this`, an instance of a series is skipped: the next one is made in the same transaction.
    public func delete(
        _ id: UUID, scope: SeriesScope = .all, ifVersion versions: [Int]? = nil, by operation: TodoOperation
    ) async throws -> TodoTask {
        guard scope == .this else {
            return try await write(.delete(id, ifVersion: versions, by: operation), by: operation)
        }
        return try await database.transaction { database in
            try await SeriesStore(database: database).skip(id, ifVersion: versions, by: operation)
        }
    }

    /// Takes a task out of the bin, with all that went there with it.
    public func restore(
        _ id: UUID, ifVersion versions: [Int]? = nil, by operation: TodoOperation
    ) async throws -> TodoTask {
        try await write(.restore(id, ifVersion: versions, by: operation), by: operation)
    }

    func creation(_ draft: TodoTask.Draft, by operation: TodoOperation) throws(StoreError) -> TaskWrite {
        .create(
            draft, id: database.makeID(), position: draft.position ?? FractionalIndex.end(at: .now()),
            series: try draft.series(id: database.makeID()), by: operation)
    }

    func write(_ write: TaskWrite, by operation: TodoOperation) async throws -> TodoTask {
        try await written(write, by: operation).task
    }

    func written(_ write: TaskWrite, by operation: TodoOperation) async throws -> WrittenTask {
        try WriteAnswer.task(try await database.write(as: .user(operation.actor), write.queries))
    }
}
