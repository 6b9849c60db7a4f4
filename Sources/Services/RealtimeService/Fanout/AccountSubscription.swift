internal import Dapr
internal import FoundationEssentials
internal import StructuredData
internal import TodoModel

/// The account events that this service is delivered, as every replica is. After some of them a token is good no longer:
/// its connections are not to listen on until their next check.
enum AccountSubscription {
    static func subscriber(_ hub: Hub) -> TopicSubscriber {
        TopicSubscriber(EventFlow.path(of: AccountEvent.topic)) { delivered in
            hub.doubt(Set(delivered.compactMap { person($0.event) }))
            // What else is on the topic is for the audit log.
            return delivered.map { _ in .success }
        }
    }

    /// Whose tokens may be good no longer.
    private static func person(_ cloudEvent: JSON) -> UUID? {
        guard let kind = cloudEvent["type"]?.string.flatMap({ AccountEvent.Kind(rawValue: $0) }), kind.endsAccess
        else { return nil }
        return cloudEvent.at("data", "user")?.string.flatMap { UUID(uuidString: $0) }
    }
}
