public import FoundationEssentials
public import TodoModel

/// What a query means depends on: who asks, when, and in which calendar.
public struct QueryContext: Sendable, Hashable {
    /// Whose projects a project's name is looked up among: their own, and those shared with them.
    public var user: UUID
    public var now: Instant
    /// The IANA name of the zone that the person is in; PostgreSQL must know it.
    public var zone: String
    /// When a day begins in that zone: until then `today` is still the day before.
    public var dayStart: TimeOfDay
    /// The first day of `week`.
    public var weekStart: TaskDate.Weekday

    public init(
        user: UUID, now: Instant, zone: String, dayStart: TimeOfDay, weekStart: TaskDate.Weekday = .monday
    ) {
        self.user = user
        self.now = now
        self.zone = zone
        self.dayStart = dayStart
        self.weekStart = weekStart
    }
}
