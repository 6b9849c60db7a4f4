public import FoundationEssentials
public import StructuredData

/// One thing that a person is told by one channel at one address, and what became of it.
public struct NotificationDelivery: Sendable, Hashable, Identifiable {
    public enum Purpose: String, Sendable, Hashable, CaseIterable {
        case reminder
        /// Asked for by the person, to see that the channel works.
        case test
        /// Asks whether an address is the person's.
        case verification
    }

    public enum State: String, Sendable, Hashable, CaseIterable {
        /// To be sent, or between two attempts.
        case pending
        /// The receiver has taken it.
        case delivered
        /// Given up: refused for good, or not taken in time.
        case dead
        /// There was nowhere to send it.
        case skipped
    }

    public var user: UUID
    /// The idempotency key, too: every attempt bears it.
    public var id: UUID
    public var purpose: Purpose
    /// Of the reminder that fired; of other purposes, the delivery's own id.
    public var reminder: UUID
    public var fired: Instant
    /// `in-app`, `webhook`, `email`, or what a reminder calls one that is unknown.
    public var kind: String
    /// Empty where there is none.
    public var target: String
    /// Nil when there is none, or no longer.
    public var channel: UUID?
    public var state: State
    public var attempts: Int
    public var created: Instant
    public var lastAttempt: Instant?
    /// Nil unless it is pending.
    public var nextAttempt: Instant?
    public var delivered: Instant?
    /// Why the last attempt failed.
    public var lastError: String?
    /// What is sent: `{type, timestamp, data}` as Standard Webhooks have it.
    public var content: JSON

    public init(
        user: UUID, id: UUID, purpose: Purpose, reminder: UUID, fired: Instant, kind: String, target: String,
        channel: UUID?, state: State, attempts: Int, created: Instant, lastAttempt: Instant?, nextAttempt: Instant?,
        delivered: Instant?, lastError: String?, content: JSON
    ) {
        self.user = user
        self.id = id
        self.purpose = purpose
        self.reminder = reminder
        self.fired = fired
        self.kind = kind
        self.target = target
        self.channel = channel
        self.state = state
        self.attempts = attempts
        self.created = created
        self.lastAttempt = lastAttempt
        self.nextAttempt = nextAttempt
        self.delivered = delivered
        self.lastError = lastError
        self.content = content
    }

    /// The form of the API.
    public var json: JSON {
        .object([
            "id": JSON(id), "purpose": .string(purpose.rawValue), "reminder": JSON(reminder), "firedAt": JSON(fired),
            "task": content.at("data", "task", "id") ?? .null, "title": content.at("data", "task", "title") ?? .null,
            "kind": .string(kind), "target": .string(target), "channel": JSON(channel) { JSON($0) },
            "state": .string(state.rawValue), "attempts": JSON(attempts), "createdAt": JSON(created),
            "lastAttemptAt": JSON(lastAttempt) { JSON($0) }, "nextAttemptAt": JSON(nextAttempt) { JSON($0) },
            "deliveredAt": JSON(delivered) { JSON($0) }, "lastError": JSON(lastError) { .string($0) },
        ])
    }
}
