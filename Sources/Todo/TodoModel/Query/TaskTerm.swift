public import FoundationEssentials

/// One condition, without `and`, `or` and `not`.
public enum TaskTerm: Sendable, Hashable {
    /// A word of title or description; `isPrefix` when it is the beginning of one (`gard*`).
    case word(String, isPrefix: Bool)
    /// Words of title or description that follow each other.
    case phrase(String)
    case date(TaskDateField, TaskCondition<TaskDate>)
    /// Open, and its due date or time has passed.
    case overdue
    case priority(TaskCondition<TodoTask.Priority>)
    /// Nil stands for any status.
    case status(TodoTask.Status?)
    case tag(TagCondition)
    case project(ReferenceCondition)
    case parent(ReferenceCondition)
    /// In minutes.
    case estimate(TaskCondition<Int>)
    case flag(TaskFlag)

    public enum TagCondition: Sendable, Hashable {
        case missing
        case present
        case name(String)
        case prefix(String)
    }

    public enum ReferenceCondition: Sendable, Hashable {
        case missing
        case present
        /// Only of projects; case does not matter.
        case name(String)
        case id(UUID)
    }
}

public enum TaskFlag: Sendable, Hashable, CaseIterable {
    case subtask
    /// In the bin.
    case deleted
    /// Has a description.
    case description
}

public enum TaskDateField: String, Sendable, Hashable, CaseIterable {
    case due, start, created, updated, completed

    /// Whether a task can be without it.
    public var isOptional: Bool { self != .created && self != .updated }
}

/// What is asked of a value that a task may lack.
public enum TaskCondition<Value: Sendable & Hashable>: Sendable, Hashable {
    case missing
    case present
    case compared(TaskComparison, Value)
    /// Both ends are in the range.
    case between(Value, Value)
}

public enum TaskComparison: String, Sendable, Hashable, CaseIterable {
    case less = "<"
    case lessOrEqual = "<="
    case equal = "="
    case greaterOrEqual = ">="
    case greater = ">"
}

/// A day or a longer stretch of days in the person's calendar, or this instant. A stretch is compared as a whole:
/// `due<=week` reaches to the end of this week, `due>week` begins after it.
public enum TaskDate: Sendable, Hashable {
    case day(CivilDate)
    /// So many days, weeks, months or years from today; in a shorter month the last day takes the place of a later one.
    case shifted(Int, Unit)
    /// The first such day from today on: today, if it is one.
    case weekday(Weekday)
    /// The week, month or year that today is in.
    case current(Period)
    case now

    public static let today = TaskDate.shifted(0, .day)
    /// The greatest shift, in either direction; so many years ago are still in PostgreSQL's calendar.
    public static let shiftLimit = 4000

    public enum Unit: String, Sendable, Hashable, CaseIterable {
        case day = "d"
        case week = "w"
        case month = "m"
        case year = "y"
    }

    /// Numbered as ISO 8601 does.
    public enum Weekday: Int, Sendable, Hashable, CaseIterable {
        case monday = 1
        case tuesday, wednesday, thursday, friday, saturday, sunday

        public var name: String { "\(self)" }
    }

    public enum Period: String, Sendable, Hashable, CaseIterable {
        case week, month, year
    }
}
