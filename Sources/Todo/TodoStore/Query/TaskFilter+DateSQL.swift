internal import TodoModel

extension TaskFilterCompiler {
    func date(_ field: TaskDateField, _ condition: TaskCondition<TaskDate>) -> SQLFragment {
        let bounds: [Bound]
        switch condition {
        case .missing: return field == .due ? "t.due_wall = 'infinity'" : "\(raw: Self.column(field)) IS NULL"
        case .present: return isPresent(field)
        case .compared(.less, let date): bounds = [.before(date)]
        case .compared(.lessOrEqual, let date): bounds = [.through(date)]
        case .compared(.equal, let date): bounds = [.from(date), .through(date)]
        case .compared(.greaterOrEqual, let date): bounds = [.from(date)]
        case .compared(.greater, let date): bounds = [.after(date)]
        case .between(let first, let last): bounds = [.from(first), .through(last)]
        }
        let conditions = bounds.map { field == .due ? due($0) : other(field, $0) }
        return .joined([isPresent(field)] + conditions, by: " AND ")
    }

    private enum Bound {
        case from(TaskDate), after(TaskDate), before(TaskDate), through(TaskDate)

        var date: TaskDate {
            switch self {
            case .from(let date), .after(let date), .before(let date), .through(let date): date
            }
        }

        var isLower: Bool {
            switch self {
            case .from, .after: true
            case .before, .through: false
            }
        }

        /// How an instant compares with it.
        var comparison: String {
            switch self {
            case .from: ">="
            case .after: ">"
            case .before: "<"
            case .through: "<="
            }
        }
    }

    private static func column(_ field: TaskDateField) -> String {
        switch field {
        case .due: "t.due_wall"
        case .start: "t.start_date"
        case .created: "t.created_at"
        case .updated: "t.updated_at"
        case .completed: "t.completed_at"
        }
    }

    private func isPresent(_ field: TaskDateField) -> SQLFragment {
        switch field {
        case .due: "t.due_wall < 'infinity'"
        case .start, .completed: "\(raw: Self.column(field)) IS NOT NULL"
        case .created, .updated: "true"
        }
    }

    /// The day at whose start the bound lies: what is allowed begins there, or ends before it.
    private func edge(_ bound: Bound) -> SQLFragment {
        switch bound {
        case .from(let date), .before(let date): calendar.start(of: date)
        case .after(let date), .through(let date): calendar.end(of: date)
        }
    }

    private func other(_ field: TaskDateField, _ bound: Bound) -> SQLFragment {
        let column = Self.column(field)
        if field != .start, bound.date == .now {
            return "\(raw: column) \(raw: bound.comparison) \(calendar.now)"
        }
        let edge = edge(bound)
        return "\(raw: column) \(raw: bound.isLower ? ">=" : "<") \(field == .start ? edge : calendar.instant(edge))"
    }

    /// A due time is compared as it is read on the person's clock. Zones lie less than 32 hours apart, so a wider bound on
    /// the time as it is written, which an index has, goes before; in a subquery, since row-level security lets a cast be
    /// no part of an index condition. `now` is within a day of the edge.
    private func due(_ bound: Bound) -> SQLFragment {
        let edge = edge(bound)
        let sign = bound.isLower ? "-" : "+"
        let wide: SQLFragment = """
            t.due_wall \(raw: bound.isLower ? ">=" : "<") (SELECT \(edge) + \(calendar.dayStart) \(raw: sign) interval
            '\(raw: bound.date == .now ? "56" : "32") hours')
            """
        guard bound.date == .now else {
            return "\(wide) AND \(dueOnClock) \(raw: bound.isLower ? ">=" : "<") \(calendar.wall(edge))"
        }
        // What is due on a day is not over before the day is.
        let now: SQLFragment = """
            CASE WHEN t.due_time IS NULL THEN \(calendar.wall(calendar.start(of: .now))) ELSE \(calendar.localNow) END
            """
        return "\(wide) AND \(dueOnClock) \(raw: bound.comparison) \(now)"
    }

    /// The wall time in the person's zone; a whole day stands for its start. A zone that the server does not know is taken
    /// for the person's, as it is when reminders are planned.
    private var dueOnClock: SQLFragment {
        """
        CASE WHEN t.due_time IS NULL THEN t.due_wall + \(calendar.dayStart)
            WHEN t.due_zone IS NULL OR t.due_zone = \(calendar.zone) THEN t.due_wall
            ELSE COALESCE(timezone(\(calendar.zone), timezone(known_zone(t.due_zone), t.due_wall)), t.due_wall) END
        """
    }
}
