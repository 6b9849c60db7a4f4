public import Dapr
internal import FoundationEssentials
public import TodoStore

/// Publishes by the Dapr sidecar beside the service.
public struct DaprPublisher: EventPublisher {
    /// The pub/sub component that the services share.
    public static let pubsub = "todo-pubsub"

    private let client: DaprClient

    public init(_ client: DaprClient) { self.client = client }

    public func publish(_ entries: [Outbox.Entry], to topic: String) async throws -> Set<Int64> {
        let events = entries.map { entry in
            OutgoingEvent(body: entry.body, partitionKey: entry.user.uuidString.lowercased())
        }
        let rejected = try await client.publish(events, to: topic, of: Self.pubsub)
        return Set(rejected.map { entries[$0.index].id })
    }
}
