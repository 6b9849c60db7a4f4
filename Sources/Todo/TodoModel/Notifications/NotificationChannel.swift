public import FoundationEssentials
public import StructuredData

/// Where a person wants to be reminded, besides the page.
public struct NotificationChannel: Sendable, Hashable, Identifiable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// An HTTP request to `target`, signed as Standard Webhooks say.
        case webhook
        /// A mail to `target`.
        case email
    }

    /// What a reminder calls the page itself; it needs no channel.
    public static let inApp = "in-app"
    /// The most that one person may have.
    public static let limit = 20

    public var user: UUID
    public var id: UUID
    public var kind: Kind
    /// A URL, or an address.
    public var target: String
    public var created: Instant
    /// Nil while nobody has shown that the address is the person's: nothing but the question is sent there.
    public var verified: Instant?
    /// Nil while it is in use.
    public var paused: Instant?
    /// Why it is paused, when it was not the person who paused it.
    public var pausedBecause: String?
    /// How many attempts failed in a row.
    public var failures: Int
    /// Nothing is sent before: too many attempts had failed.
    public var blockedUntil: Instant?

    public init(
        user: UUID, id: UUID, kind: Kind, target: String, created: Instant, verified: Instant? = nil,
        paused: Instant? = nil, pausedBecause: String? = nil, failures: Int = 0, blockedUntil: Instant? = nil
    ) {
        self.user = user
        self.id = id
        self.kind = kind
        self.target = target
        self.created = created
        self.verified = verified
        self.paused = paused
        self.pausedBecause = pausedBecause
        self.failures = failures
        self.blockedUntil = blockedUntil
    }

    /// The form of the API.
    public var json: JSON {
        .object([
            "id": JSON(id), "kind": .string(kind.rawValue), "target": .string(target), "createdAt": JSON(created),
            "verifiedAt": JSON(verified) { JSON($0) }, "pausedAt": JSON(paused) { JSON($0) },
            "pausedBecause": JSON(pausedBecause) { .string($0) }, "failures": JSON(failures),
            "blockedUntil": JSON(blockedUntil) { JSON($0) },
        ])
    }
}
