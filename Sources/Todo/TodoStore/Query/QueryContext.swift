public import FoundationEssentials
public import TodoModel

/// What a query means depends on: who asks, when, and in which calendar. The zone of the person's days and when these begin
/// are those of their account at that moment.
public struct QueryContext: Sendable, Hashable {
    /// Whose projects a project's name is looked up among: their own, and those shared with them.
    public var user: UUID
    public var now: Instant
    /// The first day of `week`.
    public var weekStart: TaskDate.Weekday

    public init(user: UUID, now: Instant, weekStart: TaskDate.Weekday = .monday) {
        self.user = user
        self.now = now
        self.weekStart = weekStart
    }
}
