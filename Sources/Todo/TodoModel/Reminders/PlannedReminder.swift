public import FoundationEssentials
public import StructuredData

/// One time at which somebody is, was or will be reminded.
public struct PlannedReminder: Sendable, Hashable, Identifiable {
    public enum State: String, Sendable, Hashable, CaseIterable {
        case pending
        /// Until the quiet hours are over.
        case held
        case fired
        /// Missed for longer than its policy allows, or dropped in quiet hours.
        case expired
        /// The task was closed, moved or deleted first, or the reminder taken back.
        case cancelled
    }

    public enum Source: String, Sendable, Hashable, CaseIterable {
        /// The person's own reminder.
        case person
        case policy
    }

    public var user: UUID
    /// Derived from what it is for, so that planning twice makes one.
    public var id: UUID
    /// Nil for a digest.
    public var task: UUID?
    public var title: String?
    public var source: Source
    /// The reminder's or the policy's.
    public var sourceID: UUID
    /// Minutes before; nil for an instant, and for a digest.
    public var offset: Int?
    /// What was asked for.
    public var due: Instant
    /// When it is acted upon: later than `due` when it is held.
    public var fire: Instant
    public var state: State
    /// Why it expired or was cancelled: `late`, `quiet`, `superseded`, `changed`, `empty`.
    public var reason: String?
    /// It was missed when it was due, and fired afterwards.
    public var isLate: Bool
    public var fired: Instant?
    public var acknowledged: Instant?
    /// The one that was put off.
    public var snoozedFrom: UUID?

    public init(
        user: UUID, id: UUID, task: UUID?, title: String?, source: Source, sourceID: UUID, offset: Int?, due: Instant,
        fire: Instant, state: State, reason: String? = nil, isLate: Bool = false, fired: Instant? = nil,
        acknowledged: Instant? = nil, snoozedFrom: UUID? = nil
    ) {
        self.user = user
        self.id = id
        self.task = task
        self.title = title
        self.source = source
        self.sourceID = sourceID
        self.offset = offset
        self.due = due
        self.fire = fire
        self.state = state
        self.reason = reason
        self.isLate = isLate
        self.fired = fired
        self.acknowledged = acknowledged
        self.snoozedFrom = snoozedFrom
    }

    public var json: JSON {
        .object([
            "id": JSON(id), "user": JSON(user), "task": JSON(task) { JSON($0) }, "title": JSON(title, JSON.string),
            "source": .string(source.rawValue),
            "reminder": JSON(source == .person ? sourceID : nil) { JSON($0) },
            "policy": JSON(source == .policy ? sourceID : nil) { JSON($0) },
            "offset": JSON(offset) { JSON($0) }, "dueAt": JSON(due), "fireAt": JSON(fire),
            "state": .string(state.rawValue), "reason": JSON(reason, JSON.string), "late": JSON(isLate),
            "firedAt": JSON(fired) { JSON($0) }, "acknowledgedAt": JSON(acknowledged) { JSON($0) },
            "snoozedFrom": JSON(snoozedFrom) { JSON($0) },
        ])
    }
}

/// Until when a reminder is put off: `until`, or `minutes` from now.
public struct Snooze: Sendable, Hashable {
    public var until: Instant

    /// From a minute to a year.
    public static let minutes = 1...525_600

    public init(until: Instant) { self.until = until }

    /// Throws naming every member that is wrong or unknown.
    public init(_ json: JSON, now: Instant) throws(ValidationError) {
        var reader = try MemberReader(json, of: "a snooze")
        let (instant, minutes) = (reader.instant("until"), reader.integer("minutes", in: Self.minutes))
        if reader.value("until") == nil, reader.value("minutes") == nil {
            reader.fail("until", "is required, or minutes")
        }
        if reader.value("until") != nil, reader.value("minutes") != nil {
            reader.fail("minutes", "cannot be given together with until")
        }
        if let instant, instant <= now { reader.fail("until", "must lie in the future") }
        try reader.finish()
        until = instant ?? now.advanced(by: .seconds(60 * (minutes ?? 1)))
    }
}

extension Instant {
    public func advanced(by duration: Duration) -> Instant {
        let (seconds, attoseconds) = duration.components
        return Instant(
            microsecondsSince1970: microsecondsSince1970 + seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }

    public func duration(to other: Instant) -> Duration {
        .microseconds(other.microsecondsSince1970 - microsecondsSince1970)
    }
}
