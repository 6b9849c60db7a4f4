/// When a task is due: a day; or a wall time, which holds in one time zone or wherever the person is.
public struct Due: Sendable, Hashable {
    public let date: CivilDate
    /// Nil: at any time of that day.
    public let time: TimeOfDay?
    /// An IANA name. Nil with a time: floating, which is that time wherever the person is.
    public let zone: String?

    /// A zone without a time means nothing and is dropped.
    public init(date: CivilDate, time: TimeOfDay? = nil, zone: String? = nil) {
        self.date = date
        self.time = time
        self.zone = time == nil ? nil : zone
    }
}
