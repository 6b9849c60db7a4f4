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
    /// How the rows are come by.
    let access: TaskAccess
    /// CTEs that `condition` reads.
    let tables: SQLFragment
    private let cursor: TaskCursor?

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
            self.cursor = cursor
        } else {
            condition = filter
            self.cursor = nil
        }
        self.query = query
        user = context.user
        self.limit = limit
        orderBy = order.orderBy
        access = TaskAccess(query)
        tables = SQLPerson.table(context)
    }

    /// Where the page after this task begins. Opaque, and good for this query only.
    public func cursor(after task: TodoTask) -> String {
        TaskCursor(values: TaskOrder(query).values(of: task), id: task.id).text(of: query)
    }

    /// Up to `count` rows, in order, among all that the person sees. Each branch can be read from an index in order; the
    /// second one finds nothing for who shares nothing.
    func statement(_ columns: String, count: Int) -> SQLFragment {
        let tail: SQLFragment = "ORDER BY \(orderBy) LIMIT \(count)"
        return """
            WITH \(tables)
            SELECT \(raw: columns) FROM (
                (\(own("t.*", count: count)))
                UNION ALL
                (SELECT t.* FROM project_members m JOIN tasks t ON t.user_id = m.owner_id AND t.project_id = m.project_id
                WHERE m.member_id = \(user) AND \(condition) \(tail))
            ) AS t \(tail)
            """
    }

    /// The same rows for whom no project is shared with, who are most people: to set up the branch that finds nothing takes
    /// a sixth of what a list does. Else the one row of `absent`, a row of NULLs, and `statement` is to be run.
    func ownStatement(_ columns: String, absent: String, count: Int) -> SQLFragment {
        let isMember: SQLFragment = "EXISTS (SELECT FROM project_members m WHERE m.member_id = \(user))"
        return """
            WITH \(tables)
            (\(own(columns, if: "NOT \(isMember)", count: count)))
            UNION ALL
            SELECT \(raw: absent) WHERE \(isMember)
            """
    }

    /// - Parameter gate: nothing is read unless it is true.
    private func own(_ columns: String, if gate: SQLFragment = "true", count: Int) -> SQLFragment {
        guard let guide = access.guide else {
            return """
                SELECT \(raw: columns) FROM tasks t WHERE \(gate) AND t.user_id = \(user) AND \(condition)
                ORDER BY \(orderBy) LIMIT \(count)
                """
        }
        let begin: SQLFragment
        if let cursor, case .position(let position)? = cursor.values.first {
            begin = "(s.position, s.task_id) > (\(position), \(cursor.id))"
        } else {
            begin = "true"
        }
        // OFFSET keeps the look-up of each task where it is: one by one, until the page is full.
        return """
            SELECT \(raw: columns) FROM (
                SELECT DISTINCT s.position, s.task_id FROM \(Self.candidates(guide))
                AND s.user_id = \(user) AND \(begin)
            ) AS found CROSS JOIN LATERAL (
                SELECT t.* FROM tasks t
                WHERE t.user_id = \(user) AND t.id = found.task_id AND t.position = found.position OFFSET 0
            ) AS t
            WHERE \(gate) AND \(condition) ORDER BY found.position, found.task_id LIMIT \(count)
            """
    }

    /// The rows `s` of everybody that a guide leads to.
    private static func candidates(_ guide: TaskAccess.Guide) -> SQLFragment {
        switch guide {
        case .tag(let name): return "task_tags s WHERE s.tag = \(name)"
        case .signature(let signature):
            // One bit is soon looked at, and nine of ten signatures lack it: an AND of all takes longer than all else
            // of a scan. Without any bit nothing is searched for that could be found.
            let firstBit: SQLFragment = "(SELECT GREATEST(position(B'1' IN \(signature)) - 1, 0))"
            return """
                task_signatures s WHERE get_bit(s.signature, \(firstBit)) = 1
                AND s.signature & \(signature) = \(signature)
                """
        }
    }
}

/// A cursor that cannot be used with the query that it came with.
public struct TaskCursorError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String { "the cursor belongs to another query; leave it out to begin with the first page" }
}
