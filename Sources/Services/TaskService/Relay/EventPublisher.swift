public import TodoStore

/// Brings events to where the other services get them.
public protocol EventPublisher: Sendable {
    /// Publishes entries in their order, with the person as the key under which order is kept. Returns the ids of those
    /// that were not taken; throws when none was, or when it is not known which.
    func publish(_ entries: [Outbox.Entry], to topic: String) async throws -> Set<Int64>
}
