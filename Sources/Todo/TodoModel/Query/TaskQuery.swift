/// Which tasks a person asks for, and in which order:
///
///     due:today..+7d priority>=high (tag:home or tag:garden) -project:work "exact words" sort:due,-priority
///
/// Terms side by side must all hold; `or` binds less than that; `-` or `not` excludes the next term or group. A query
/// that says nothing of the bin sees only what is not in it; one that says nothing of status sees every status.
public struct TaskQuery: Sendable, Hashable {
    /// In characters, which are Unicode scalars as everywhere in the API.
    public static let lengthLimit = 2000
    /// How deep parentheses and exclusions may nest.
    public static let depthLimit = 50
    public static let termLimit = 100

    public var filter: TaskFilter
    /// Each field at most once; without any the order is the caller's.
    public var sort: [TaskSortKey]

    public init(filter: TaskFilter = .everything, sort: [TaskSortKey] = []) {
        self.filter = filter
        self.sort = sort
    }

    /// Reads what a person wrote. Words and values are in any case of letters; white space alone asks for every task.
    public init(parsing text: String) throws(TaskQueryError) {
        var parser = try TaskQueryParser(text)
        self = try parser.query()
    }
}

/// One of the things that a list is ordered by; tasks without it come last in both directions.
public struct TaskSortKey: Sendable, Hashable {
    public enum Field: String, Sendable, Hashable, CaseIterable {
        case due, start, priority, created, updated, title, position
    }

    public var field: Field
    public var isDescending: Bool

    public init(_ field: Field, isDescending: Bool = false) {
        self.field = field
        self.isDescending = isDescending
    }
}
