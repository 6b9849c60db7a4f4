internal import FoundationEssentials
internal import Postgres
internal import TodoModel

/// The order of a list in SQL: each task after all with lesser keys, and the id decides between equals.
///
/// Every key is an expression that is never NULL, so that "after this task" needs no cases. What a task lacks counts as
/// infinitely late in ascending order and as infinitely early in descending order, and so comes last.
struct TaskOrder: Sendable, Hashable {
    /// Without a sort, the order that the person made by hand.
    static let standard = [TaskSortKey(.position)]

    let keys: [TaskSortKey]

    init(_ query: TaskQuery) { keys = query.sort.isEmpty ? Self.standard : query.sort }

    /// The id goes the way of the last key, so that an index on the key and the id serves both directions.
    private var isIDDescending: Bool { keys.last?.isDescending ?? false }

    /// For ORDER BY, over rows called `t`.
    var orderBy: SQLFragment {
        let columns = keys.map { Self.expression($0) + ($0.isDescending ? " DESC" : "") }
        return "\(raw: (columns + [isIDDescending ? "t.id DESC" : "t.id"]).joined(separator: ", "))"
    }

    /// The condition that a row comes after the cursor.
    func after(_ cursor: TaskCursor) -> SQLFragment {
        let columns = zip(keys, cursor.values).map { key, value in
            (expression: Self.expression(key), isDescending: key.isDescending, value: Self.sql(value))
        }
        // A comparison of rows is what an index can begin at.
        if keys.allSatisfy({ $0.isDescending == isIDDescending }) {
            let left = (columns.map(\.expression) + ["t.id"]).joined(separator: ", ")
            let right = SQLFragment.joined(columns.map(\.value) + ["\(cursor.id)"], by: ", ")
            return "(\(raw: left)) \(raw: isIDDescending ? "<" : ">") (\(right))"
        }
        let tie: SQLFragment = "t.id \(raw: isIDDescending ? "<" : ">") \(cursor.id)"
        return columns.reversed().reduce(tie) { rest, column in
            let sign = column.isDescending ? "<" : ">"
            return """
                (\(raw: column.expression) \(raw: sign)= \(column.value)
                AND (\(raw: column.expression) \(raw: sign) \(column.value) OR \(rest)))
                """
        }
    }

    private static func expression(_ key: TaskSortKey) -> String {
        switch key.field {
        case .due where key.isDescending: "CASE WHEN t.due_wall = 'infinity' THEN '-infinity' ELSE t.due_wall END"
        case .due: "t.due_wall"
        case .start: "COALESCE(t.start_date, '\(key.isDescending ? "-" : "")infinity')"
        case .priority: "t.priority"
        case .created: "t.created_at"
        case .updated: "t.updated_at"
        case .title: "lower(t.title)"
        case .position: "t.position"
        }
    }

    /// What the expressions are for a task.
    func values(of task: TodoTask) -> [TaskCursor.Value] {
        keys.map { key in
            switch key.field {
            case .due:
                .wall(
                    task.due.map { .finite($0.date, $0.time) } ?? (key.isDescending ? .beforeAll : .afterAll))
            case .start:
                .date(task.start.map { .finite($0, nil) } ?? (key.isDescending ? .beforeAll : .afterAll))
            case .priority: .priority(task.priority)
            case .created: .instant(task.created)
            case .updated: .instant(task.updated)
            case .title: .title(task.title)
            case .position: .position(task.position)
            }
        }
    }

    private static func sql(_ value: TaskCursor.Value) -> SQLFragment {
        switch value {
        case .wall(let day): "\(day.text)::timestamp"
        case .date(let day): "\(day.text)::date"
        case .priority(let priority): "\(Int16(priority.rawValue))"
        case .instant(let instant):
            "\(PostgresTimestamp(microsecondsSince1970: instant.microsecondsSince1970))"
        case .title(let title): "lower(\(title))"
        case .position(let position): "\(position)"
        }
    }
}
