public import FoundationEssentials
public import StructuredData

/// Something that happened to a task or a project, as the services tell each other: a CloudEvent 1.0 in JSON.
public struct TodoEvent: Sendable, Hashable, Identifiable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case taskCreated = "dev.todo-operator.task.created"
        case taskUpdated = "dev.todo-operator.task.updated"
        case taskCompleted = "dev.todo-operator.task.completed"
        case taskReopened = "dev.todo-operator.task.reopened"
        case taskDeleted = "dev.todo-operator.task.deleted"
        case taskRestored = "dev.todo-operator.task.restored"
        case projectCreated = "dev.todo-operator.project.created"
        case projectUpdated = "dev.todo-operator.project.updated"
        case projectDeleted = "dev.todo-operator.project.deleted"
        case projectRestored = "dev.todo-operator.project.restored"
        case projectShared = "dev.todo-operator.project.shared"
        case projectUnshared = "dev.todo-operator.project.unshared"

        /// The member of `data` that holds what the event is about.
        public var noun: String { isAboutTask ? "task" : "project" }
        var isAboutTask: Bool { rawValue.hasPrefix("dev.todo-operator.task.") }
    }

    /// The topic of every event about tasks and projects.
    public static let topic = "task-events"

    /// A UUIDv7. A consumer drops an event whose id it has seen.
    public var id: UUID
    public var kind: Kind
    /// Whose stream it belongs to: the owner of the project.
    public var user: UUID
    /// Who did it.
    public var actor: UUID
    /// The owner's change number.
    public var seq: Int
    public var time: Instant
    /// Who may hear of it: the owner and the members of the project; of `projectUnshared`, the former member too.
    public var members: [UUID]
    /// The task's or the project's id.
    public var subject: UUID
    /// The task or project after the change, in the form of the API; for those whose sight a task leaves, as it was
    /// before, deleted.
    public var body: JSON

    public init(
        id: UUID, kind: Kind, user: UUID, actor: UUID, seq: Int, time: Instant, members: [UUID], subject: UUID,
        body: JSON
    ) {
        self.id = id
        self.kind = kind
        self.user = user
        self.actor = actor
        self.seq = seq
        self.time = time
        self.members = members
        self.subject = subject
        self.body = body
    }

    /// Order is kept among events with the same key.
    public var partitionKey: String { user.uuidString.lowercased() }
}

extension TodoEvent {
    /// The CloudEvent. Migration 1 makes the same as the function `event_json`; a test holds them equal.
    public var json: JSON {
        let data: JSONObject = [
            "user": JSON(user), "actor": JSON(actor), "seq": JSON(seq), "members": .array(members.map { JSON($0) }),
            kind.noun: body,
        ]
        return .object([
            "specversion": "1.0", "id": JSON(id), "type": .string(kind.rawValue),
            "source": .string("/users/\(partitionKey)"), "subject": JSON(subject), "time": JSON(time),
            "datacontenttype": "application/json", "partitionkey": .string(partitionKey),
            "seq": .string(String(seq)), "data": .object(data),
        ])
    }

    /// Reads a CloudEvent; attributes that others added (`traceparent`, `topic`) are ignored. Throws naming the
    /// attributes that are missing or wrong.
    public init(_ cloudEvent: JSON) throws(ValidationError) {
        var problems: [ValidationError.Field] = []
        func required<Value>(_ name: String, _ value: Value?) -> Value? {
            if value == nil { problems.append(.init(name, "is missing or not what it should be")) }
            return value
        }
        func id(_ json: JSON?) -> UUID? { json?.string.flatMap { UUID(uuidString: $0) } }
        let data = cloudEvent["data"]
        let kind = required("type", cloudEvent["type"]?.string.flatMap { Kind(rawValue: $0) })
        let eventID = required("id", id(cloudEvent["id"]))
        let subject = required("subject", id(cloudEvent["subject"]))
        let time = required("time", cloudEvent["time"]?.string.flatMap { Instant($0) })
        let user = required("data.user", id(data?["user"]))
        let actor = required("data.actor", id(data?["actor"]))
        let seq = required("data.seq", data?["seq"]?.int)
        let members = required("data.members", data?["members"]?.array)?.compactMap { id($0) }
        let body = kind.flatMap { required("data.\($0.noun)", data?[$0.noun]) }
        guard let kind, let eventID, let subject, let time, let user, let actor, let seq, let members, let body else {
            throw ValidationError(problems)
        }
        self.init(
            id: eventID, kind: kind, user: user, actor: actor, seq: seq, time: time, members: members,
            subject: subject, body: body)
    }
}
