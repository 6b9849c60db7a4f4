public import FoundationEssentials
public import StructuredData

/// What the bearer of a token may do.
public enum Scope: String, Sendable, Hashable, CaseIterable {
    case read = "tasks:read"
    case write = "tasks:write"
    /// Account, sessions and tokens themselves.
    case account
}

/// A key to somebody's account; never with its secret, which only its bearer has.
public struct AccessToken: Sendable, Hashable, Identifiable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Of a browser or app that signed in by password or an identity provider.
        case session
        /// Made by the person for a program.
        case personal
    }

    public var user: UUID
    public var id: UUID
    public var kind: Kind
    /// What the person calls it; of a session, the program that signed in.
    public var name: String
    public var scopes: Set<Scope>
    public var created: Instant
    /// Nil: never.
    public var expires: Instant?
    /// To the minute.
    public var lastUsed: Instant?

    public init(
        user: UUID, id: UUID, kind: Kind, name: String, scopes: Set<Scope>, created: Instant, expires: Instant? = nil,
        lastUsed: Instant? = nil
    ) {
        self.user = user
        self.id = id
        self.kind = kind
        self.name = name
        self.scopes = scopes
        self.created = created
        self.expires = expires
        self.lastUsed = lastUsed
    }

    public static let nameLimit = 100

    public var json: JSON {
        .object([
            "id": JSON(id), "kind": .string(kind.rawValue), "name": .string(name),
            "scopes": .array(scopes.map(\.rawValue).sorted().map(JSON.string)), "createdAt": JSON(created),
            "expiresAt": JSON(expires) { JSON($0) }, "lastUsedAt": JSON(lastUsed) { JSON($0) },
        ])
    }
}
