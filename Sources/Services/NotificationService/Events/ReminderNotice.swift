internal import FoundationEssentials
internal import StructuredData
internal import TodoModel
internal import TodoStore

extension Notice {
    static let firedType = "dev.todo-operator.reminder.fired"
    static let topic = "reminder-events"
    /// A reminder says so many kinds of channel at most; who says more is refused.
    private static let mostKinds = 8

    /// What a CloudEvent is to tell; nil for one that tells nobody anything. Throws naming what is missing or wrong.
    init?(cloudEvent: JSON) throws(ValidationError) {
        guard let type = cloudEvent["type"]?.string else { throw Self.invalid("type", "is missing") }
        guard type == Self.firedType else { return nil }
        let data = cloudEvent["data"]
        let reminder = data?["reminder"]
        func id(_ json: JSON?, _ name: String) throws(ValidationError) -> UUID {
            guard let id = json?.string.flatMap({ UUID(uuidString: $0) }) else { throw Self.invalid(name, "is no id") }
            return id
        }
        let user = try id(data?["user"], "data.user")
        let subject = try id(reminder?["id"] ?? cloudEvent["subject"], "data.reminder.id")
        let time = reminder?["firedAt"] ?? cloudEvent["time"]
        guard let fired = time?.string.flatMap({ Instant($0) }) else {
            throw Self.invalid("data.reminder.firedAt", "is no time")
        }
        self.init(
            user: user, reminder: subject, fired: fired, kinds: try Self.kinds(reminder?["channels"]),
            content: [
                "type": "reminder.fired", "timestamp": .string(fired.text),
                "data": ["reminder": reminder ?? [:], "task": data?["task"] ?? .null],
            ])
    }

    private static func kinds(_ json: JSON?) throws(ValidationError) -> [String] {
        guard let json, !json.isNull else { return [NotificationChannel.inApp] }
        let kinds = json.array?.compactMap(\.string) ?? []
        guard kinds.count == json.array?.count, kinds.count <= mostKinds,
            kinds.allSatisfy({ (1...100).contains($0.utf8.count) && !$0.utf8.contains(0) })
        else { throw invalid("data.reminder.channels", "is no list of names") }
        var once: [String] = []
        for kind in kinds where !once.contains(kind) { once.append(kind) }
        return once
    }

    private static func invalid(_ field: String, _ message: String) -> ValidationError {
        ValidationError([.init(field, message)])
    }
}
