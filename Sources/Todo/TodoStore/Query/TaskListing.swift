public import FoundationEssentials
public import TodoModel

/// One page of a query's tasks, ready to become a statement over the rows of `tasks AS t`.
public struct TaskListing: Sendable {
    public let query: TaskQuery
    /// Who asks.
    public let user: UUID
    /// At least 1.
    public let limit: Int
    /// Which rows are meant, on this page and after it; always true or false.
    let condition: SQLFragment
    /// For ORDER BY.
    let orderBy: SQLFragment

    /// - Parameter cursor: the `cursor(after:)` of the page before; nil for the first page.
    ///
    /// Throws `TaskCursorError` when the cursor is not one of this query.
    public init(
        _ query: TaskQuery, in context: QueryContext, after cursor: String? = nil, limit: Int
    ) throws(TaskCursorError) {
        let order = TaskOrder(query)
        let filter = TaskFilterCompiler(context: context).condition(query)
        if let cursor {
            guard let cursor = TaskCursor(cursor, of: query) else { throw TaskCursorError() }
            condition = "(\(filter) AND \(order.after(cursor)))"
        } else {
            condition = filter
        }
        self.query = query
        user = context.user
        self.limit = limit
        orderBy = order.orderBy
    }

    /// Where the page after this task begins. Opaque, and good for this query only.
    public func cursor(after task: TodoTask) -> String {
        TaskCursor(values: TaskOrder(query).values(of: task), id: task.id).text(of: query)
    }
}

/// A cursor that cannot be used with the query that it came with.
public struct TaskCursorError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String { "the cursor belongs to another query; leave it out to begin with the first page" }
}
