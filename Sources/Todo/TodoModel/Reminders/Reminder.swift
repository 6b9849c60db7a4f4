public import FoundationEssentials
public import StructuredData

/// What a person asked for: to be reminded of a task. Of a shared task everybody has reminders of their own.
public struct Reminder: Sendable, Hashable, Identifiable {
    public enum When: Sendable, Hashable {
        case at(Instant)
        /// So many minutes before; whole days are days of the calendar.
        case before(Moment, minutes: Int)
    }

    /// Of the task. A day stands for the time at which the person wants to hear of days.
    public enum Moment: String, Sendable, Hashable, CaseIterable {
        case due, start
    }

    /// Whom it reminds.
    public var user: UUID
    public var id: UUID
    public var task: UUID
    public var when: When
    /// Again after so many minutes until the task is done, or the reminder acknowledged; nil: once.
    public var repeatMinutes: Int?
    /// Empty: all that the person has.
    public var channels: [ReminderChannel]
    public var created: Instant
    public var updated: Instant
    public var version: Int

    public init(
        user: UUID, id: UUID, task: UUID, when: When, repeatMinutes: Int? = nil, channels: [ReminderChannel] = [],
        created: Instant, updated: Instant, version: Int = 1
    ) {
        self.user = user
        self.id = id
        self.task = task
        self.when = when
        self.repeatMinutes = repeatMinutes
        self.channels = channels
        self.created = created
        self.updated = updated
        self.version = version
    }

    public enum Limits {
        /// A year before.
        public static let offset = 525_600
        /// From five minutes to a week.
        public static let repetition = 5...10_080
        /// Of one person on one task.
        public static let perTask = 20
    }

    static let readOnlyNames: Set<String> = ["id", "user", "task", "createdAt", "updatedAt", "version"]

    public var json: JSON {
        var object = when.members
        for (name, value) in [
            ("id", JSON(id)), ("user", JSON(user)), ("task", JSON(task)),
            ("repeat", JSON(repeatMinutes) { JSON($0) }), ("channels", .array(channels.map { .string($0.rawValue) })),
            ("createdAt", JSON(created)), ("updatedAt", JSON(updated)), ("version", JSON(version)),
        ] as [(String, JSON)] {
            object[name] = value
        }
        return .object(object)
    }
}

extension Reminder.When {
    /// `at`, or `offset` and `before`; null where there is no value.
    var members: JSONObject {
        switch self {
        case .at(let instant): ["at": JSON(instant), "offset": .null, "before": .null]
        case .before(let moment, let minutes):
            ["at": .null, "offset": JSON(minutes), "before": .string(moment.rawValue)]
        }
    }
}

extension Reminder {
    /// A reminder that is to be made.
    public struct Draft: Sendable, Hashable {
        public var when: When
        public var repeatMinutes: Int?
        public var channels: [ReminderChannel]

        public init(when: When, repeatMinutes: Int? = nil, channels: [ReminderChannel] = []) {
            self.when = when
            self.repeatMinutes = repeatMinutes
            self.channels = channels
        }

        /// Either `at` or `offset` must be there. Throws naming every member that is wrong or unknown.
        public init(_ json: JSON) throws(ValidationError) {
            var reader = try MemberReader(json, of: "a reminder", ignoring: Reminder.readOnlyNames)
            let when = reader.when()
            if when == nil, reader.value("at") == nil, reader.value("offset") == nil {
                reader.fail("at", "is required, or offset: an instant, or minutes before the task is due")
            }
            let (repetition, channels) = (reader.repetition(), reader.channels("channels"))
            try reader.finish()
            self.init(when: when ?? .before(.due, minutes: 0), repeatMinutes: repetition, channels: channels ?? [])
        }
    }

    /// Changes to a reminder, member by member (RFC 7396); nil leaves a member as it is.
    public struct Patch: Sendable, Hashable {
        public var when: When?
        public var repeatMinutes: Int??
        public var channels: [ReminderChannel]?

        public init() {}

        /// `at`, `offset` and `before` are replaced as one. Throws naming every member that is wrong or unknown.
        public init(_ json: JSON) throws(ValidationError) {
            var reader = try MemberReader(json, of: "a reminder", ignoring: Reminder.readOnlyNames)
            let named = ["at", "offset", "before"].filter { reader.has($0) }
            when = reader.when()
            if let name = named.first, when == nil, reader.value("at") == nil, reader.value("offset") == nil {
                reader.fail(name, "cannot stand without a value for at or offset")
            }
            if reader.has("repeat") { repeatMinutes = .some(reader.repetition()) }
            if reader.has("channels") { channels = reader.channels("channels") ?? [] }
            try reader.finish()
        }
    }
}

extension MemberReader {
    /// `at`, an RFC 3339 instant; or `offset` with `before`, which is `due` when it is left out.
    fileprivate mutating func when() -> Reminder.When? {
        let instant = instant("at")
        let offset = integer("offset", in: 0...Reminder.Limits.offset)
        let moment = choice("before", Reminder.Moment.allCases.map { ($0.rawValue, $0) })
        if value("at") != nil, value("offset") != nil { fail("offset", "cannot be given together with at") }
        if value("before") != nil, value("offset") == nil { fail("before", "needs an offset in minutes") }
        if let instant { return .at(instant) }
        return offset.map { .before(moment ?? .due, minutes: $0) }
    }

    fileprivate mutating func repetition() -> Int? { integer("repeat", in: Reminder.Limits.repetition) }
}

extension MemberReader {
    /// RFC 3339, in the years 1970 to 2999.
    public mutating func instant(_ name: String) -> Instant? {
        guard let text = string(name) else { return nil }
        guard let instant = Instant(text), (0..<32_503_680_000_000_000).contains(instant.microsecondsSince1970) else {
            fail(name, "must be an instant such as 2026-01-31T09:30:00Z, from the year 1970 to 2999")
            return nil
        }
        return instant
    }
}
