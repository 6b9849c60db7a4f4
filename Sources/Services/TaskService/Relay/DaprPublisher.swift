public import Dapr
internal import FoundationEssentials
public import TodoStore

/// Publishes by the Dapr sidecar beside the service.
public struct DaprPublisher: EventPublisher {
    private let client: DaprClient
    private let pubsub: String
    private let topicPrefix: String

    /// - Parameters:
    ///   - pubsub: the name of the pub/sub component.
    ///   - topicPrefix: what every topic's name begins with, in a Kafka that others use too.
    public init(_ client: DaprClient, pubsub: String, topicPrefix: String = "") {
        self.client = client
        self.pubsub = pubsub
        self.topicPrefix = topicPrefix
    }

    public func publish(_ entries: [Outbox.Entry], to topic: String) async throws -> [Int64: String] {
        let events = entries.map { entry in
            OutgoingEvent(body: entry.body, partitionKey: entry.user.uuidString.lowercased())
        }
        let rejected = try await client.publish(events, to: topicPrefix + topic, of: pubsub)
        return Dictionary(uniqueKeysWithValues: rejected.map { (entries[$0.index].id, $0.reason) })
    }
}
