public import FoundationEssentials
public import Recurrence

/// What a task repeats by. Each instance of a series is a task of its own; the open one carries all that makes the next.
public struct Series: Sendable, Hashable, Identifiable {
    /// What the next instance is counted from.
    public enum Basis: String, Sendable, Hashable, CaseIterable {
        /// From when this one was due, by the rule.
        case due
        /// From the day on which this one was done; the rule begins anew there.
        case completion

        /// What it adds to the rule in English.
        public var text: String { self == .completion ? ", from when it was done" : "" }
    }

    /// What becomes of instances whose time passed before the one before them was done.
    public enum Overdue: String, Sendable, Hashable, CaseIterable {
        /// They are left out: the next one lies ahead.
        case next
        /// They become one, the latest.
        case one
        /// Each is made, one after another, but for all beyond the latest `overdueLimit`.
        case all
    }

    public let id: UUID
    public var rule: RecurrenceRule
    public var basis: Basis
    public var overdue: Overdue
    /// 1 to 100.
    public var overdueLimit: Int
    /// Where the rule begins: when the first instance was due.
    public var start: Due
    /// Instances that were skipped.
    public var exdates: [LocalDateTime]
    /// 1 for the first instance, and one more for each that was made.
    public var number: Int
    /// Which instance of the series the task is, whatever it was moved to: the wall time that the rule names.
    public var occurrence: LocalDateTime

    public static let overdueLimits = 1...100

    /// A series whose first instance is due at `due`.
    public init(id: UUID, _ draft: Draft, due: Due) {
        self.init(
            id: id, rule: draft.rule, basis: draft.basis, overdue: draft.overdue, overdueLimit: draft.overdueLimit,
            start: due, exdates: [], number: 1, occurrence: due.wall)
    }

    public init(
        id: UUID, rule: RecurrenceRule, basis: Basis, overdue: Overdue, overdueLimit: Int, start: Due,
        exdates: [LocalDateTime], number: Int, occurrence: LocalDateTime
    ) {
        self.id = id
        self.rule = rule
        self.basis = basis
        self.overdue = overdue
        self.overdueLimit = overdueLimit
        self.start = start
        self.exdates = exdates
        self.number = number
        self.occurrence = occurrence
    }

    /// The rule in English.
    public var text: String { rule.summary(start: start.wall, isAllDay: start.time == nil) + basis.text }

    /// The recurrence id (RFC 5545 section 3.8.4.4): a day, or a wall time.
    public var occurrenceText: String { start.time == nil ? occurrence.date.text : occurrence.text }

    /// The same rule and settings, beginning at another time, with as many instances left.
    public func moved(to due: Due, id: UUID) -> Series {
        var moved = Series(
            id: id, rule: rule, basis: basis, overdue: overdue, overdueLimit: overdueLimit, start: due, exdates: [],
            number: number, occurrence: due.wall)
        if basis == .due {
            if case .count(let count) = rule.end { moved.rule.end = .count(left(of: count)) }
            moved.number = 1
        }
        return moved
    }
}

extension Due {
    /// Midnight when there is no time.
    public var wall: LocalDateTime { LocalDateTime(date: date, time: time ?? .midnight) }
}
