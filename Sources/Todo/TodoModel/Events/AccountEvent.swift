public import FoundationEssentials
public import StructuredData

/// Something that happened to an account, for the audit log: a CloudEvent 1.0 in JSON. It never holds a secret.
public struct AccountEvent: Sendable, Hashable, Identifiable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case created = "dev.todo-operator.account.created"
        case signedIn = "dev.todo-operator.account.signed-in"
        case signedOut = "dev.todo-operator.account.signed-out"
        case updated = "dev.todo-operator.account.updated"
        case passwordChanged = "dev.todo-operator.account.password-changed"
        case tokenCreated = "dev.todo-operator.account.token-created"
        case tokenRevoked = "dev.todo-operator.account.token-revoked"
        case exported = "dev.todo-operator.account.exported"
        case erased = "dev.todo-operator.account.erased"

        /// Whether a token of the account may be good no longer after it.
        public var endsAccess: Bool {
            switch self {
            case .signedOut, .passwordChanged, .tokenRevoked, .erased: true
            case .created, .signedIn, .updated, .tokenCreated, .exported: false
            }
        }
    }

    /// The topic of every event about accounts.
    public static let topic = "audit-events"

    /// A UUIDv7. A consumer drops an event whose id it has seen.
    public var id: UUID
    public var kind: Kind
    /// Whose account it is.
    public var user: UUID
    public var time: Instant
    /// What else there is to say: the token's id and name, the members that changed.
    public var details: JSONObject

    public init(id: UUID, kind: Kind, user: UUID, time: Instant, details: JSONObject = [:]) {
        self.id = id
        self.kind = kind
        self.user = user
        self.time = time
        self.details = details
    }

    /// Order is kept among events with the same key.
    public var partitionKey: String { user.uuidString.lowercased() }

    /// The CloudEvent.
    public var json: JSON {
        let data: JSONObject = [
            "user": JSON(user), "actor": JSON(user), "members": [JSON(user)], "account": .object(details),
        ]
        return .object([
            "specversion": "1.0", "id": JSON(id), "type": .string(kind.rawValue),
            "source": .string("/users/\(partitionKey)"), "subject": JSON(user), "time": JSON(time),
            "datacontenttype": "application/json", "partitionkey": .string(partitionKey), "data": .object(data),
        ])
    }
}
