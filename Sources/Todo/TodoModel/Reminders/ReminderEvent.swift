public import FoundationEssentials
public import StructuredData

/// Something that happened to a reminder, as the services tell each other: a CloudEvent 1.0 in JSON, without a change
/// number.
public struct ReminderEvent: Sendable, Hashable, Identifiable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case fired = "dev.todo-operator.reminder.fired"
        case expired = "dev.todo-operator.reminder.expired"
        case acknowledged = "dev.todo-operator.reminder.acknowledged"
        case snoozed = "dev.todo-operator.reminder.snoozed"
    }

    /// The topic of every event about reminders.
    public static let topic = "reminder-events"

    /// A UUIDv7. A consumer drops an event whose id it has seen.
    public var id: UUID
    public var kind: Kind
    /// Whom it reminds, and who alone hears of it.
    public var user: UUID
    public var time: Instant
    /// The planned reminder's id: the same however often it is told.
    public var reminder: UUID
    /// Which way to send it; empty: all that the person has.
    public var channels: [ReminderChannel]
    /// The planned reminder in the form of the API, with `channels`, and of a digest `digest`, the tasks.
    public var body: JSON
    /// The task in the form of the API; nil for a digest, and when the task is gone.
    public var task: JSON?

    /// Order is kept among events with the same key.
    public var partitionKey: String { user.text }

    /// Reads a CloudEvent; attributes that others added are ignored. Throws naming the attributes that are missing or
    /// wrong.
    public init(_ cloudEvent: JSON) throws(ValidationError) {
        var problems: [ValidationError.Field] = []
        func required<Value>(_ name: String, _ value: Value?) -> Value? {
            if value == nil { problems.append(.init(name, "is missing or not what it should be")) }
            return value
        }
        func id(_ json: JSON?) -> UUID? { json?.string.flatMap { UUID(uuidString: $0) } }
        let data = cloudEvent["data"]
        let kind = required("type", cloudEvent["type"]?.string.flatMap { Kind(rawValue: $0) })
        let event = required("id", id(cloudEvent["id"]))
        let time = required("time", cloudEvent["time"]?.string.flatMap { Instant($0) })
        let user = required("data.user", id(data?["user"]))
        let subject = required("subject", id(cloudEvent["subject"]))
        let body = required("data.reminder", data?["reminder"])
        guard let kind, let event, let time, let user, let subject, let body else { throw ValidationError(problems) }
        self.id = event
        self.kind = kind
        self.user = user
        self.time = time
        reminder = subject
        channels = (body["channels"]?.array ?? []).compactMap { $0.string.flatMap { ReminderChannel(rawValue: $0) } }
        self.body = body
        task = data?["task"]?.object.map { .object($0) }
    }
}
