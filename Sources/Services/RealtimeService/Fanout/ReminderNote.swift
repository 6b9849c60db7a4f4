internal import Dapr
internal import FoundationEssentials
internal import Logging
internal import Metrics
internal import StructuredData
internal import TodoModel

/// A reminder event, as far as passing it on takes.
struct ReminderNote: Sendable {
    private static let types = "dev.todo-operator.reminder."

    let id: UUID
    let user: UUID
    let json: JSON

    /// Throws naming what is missing or wrong.
    init(_ cloudEvent: JSON) throws(ValidationError) {
        guard let id = cloudEvent["id"]?.string.flatMap({ UUID(uuidString: $0) }) else {
            throw ValidationError([.init("id", "is no id")])
        }
        guard cloudEvent["type"]?.string?.hasPrefix(Self.types) == true else {
            throw ValidationError([.init("type", "is none of a reminder")])
        }
        guard let user = cloudEvent.at("data", "user")?.string.flatMap({ UUID(uuidString: $0) }) else {
            throw ValidationError([.init("data.user", "is no id")])
        }
        (self.id, self.user, json) = (id, user, cloudEvent)
    }
}

/// The reminders that this service is delivered, as every replica is.
enum ReminderSubscription {
    static func subscriber(_ hub: Hub, _ logger: Logger) -> TopicSubscriber {
        TopicSubscriber(EventFlow.path(of: ReminderEvent.topic)) { delivered in
            var notes: [ReminderNote] = []
            let statuses = delivered.map { delivered -> DeliveryStatus in
                do {
                    notes.append(try ReminderNote(delivered.event))
                    return .success
                } catch {
                    hub.metrics.eventsUnreadable.increment()
                    logger.warning("a reminder event was dropped", metadata: ["error": "\(error)"])
                    return .drop
                }
            }
            hub.publish(notes)
            return statuses
        }
    }
}

/// Which ids were there lately: at least the last `capacity` of them.
struct RecentIDs {
    private let capacity: Int
    // When the recent ones are full they become the older ones, and those before are forgotten.
    private var recent: Set<UUID> = []
    private var older: Set<UUID> = []

    init(capacity: Int = 16_384) { self.capacity = capacity }

    /// False when it was there already.
    mutating func insert(_ id: UUID) -> Bool {
        guard !recent.contains(id), !older.contains(id) else { return false }
        if recent.count >= capacity { (older, recent) = (recent, []) }
        recent.insert(id)
        return true
    }
}
