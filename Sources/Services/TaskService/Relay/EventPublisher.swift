public import TodoStore

/// Brings events to where the other services get them.
public protocol EventPublisher: Sendable {
    /// Publishes entries in their order, with the person as the key under which order is kept. Returns why, of those that
    /// were not taken, by id; throws when none was, or when it is not known which.
    func publish(_ entries: [Outbox.Entry], to topic: String) async throws -> [Int64: String]
}
