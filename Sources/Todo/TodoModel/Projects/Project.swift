public import FoundationEssentials
public import StructuredData

/// What a person may do with a project.
public enum Role: String, Sendable, Hashable, CaseIterable {
    case owner, editor, viewer

    public var mayWrite: Bool { self != .viewer }
}

/// A list of tasks. Everyone has an inbox, which cannot be shared, archived or deleted.
public struct Project: Sendable, Hashable, Identifiable {
    /// Who owns it.
    public var user: UUID
    public var id: UUID
    public var name: String
    /// `#rrggbb`.
    public var color: String?
    /// Among the owner's projects; see `FractionalIndex`.
    public var position: String
    public var isInbox: Bool
    public var isArchived: Bool
    /// Of who reads it.
    public var role: Role
    public var created: Instant
    public var updated: Instant
    public var deleted: Instant?
    public var version: Int
    public var seq: Int

    public init(
        user: UUID, id: UUID, name: String, color: String? = nil, position: String, isInbox: Bool = false,
        isArchived: Bool = false, role: Role = .owner, created: Instant, updated: Instant, deleted: Instant? = nil,
        version: Int = 1, seq: Int
    ) {
        self.user = user
        self.id = id
        self.name = name
        self.color = color
        self.position = position
        self.isInbox = isInbox
        self.isArchived = isArchived
        self.role = role
        self.created = created
        self.updated = updated
        self.deleted = deleted
        self.version = version
        self.seq = seq
    }

    public static let nameLimit = 100
    /// Besides the owner. Each event of the project names them all.
    public static let memberLimit = 500
    static let readOnlyNames: Set<String> = [
        "id", "user", "isInbox", "role", "createdAt", "updatedAt", "deletedAt", "version", "seq",
    ]

    /// As the API shows it. In events, which go to every member, `role` is not there.
    public var json: JSON {
        .object([
            "id": JSON(id), "user": JSON(user), "name": .string(name), "color": JSON(color, JSON.string),
            "position": .string(position), "isInbox": JSON(isInbox), "isArchived": JSON(isArchived),
            "role": .string(role.rawValue), "createdAt": JSON(created), "updatedAt": JSON(updated),
            "deletedAt": JSON(deleted) { JSON($0) }, "version": JSON(version), "seq": JSON(seq),
        ])
    }
}

extension Project {
    /// A project that is to be made.
    public struct Draft: Sendable, Hashable {
        public var name: String
        public var color: String?
        /// Nil: at the end.
        public var position: String?

        public init(name: String, color: String? = nil, position: String? = nil) {
            self.name = name
            self.color = color
            self.position = position
        }

        /// Only `name` must be there. Throws naming every member that is wrong or unknown.
        public init(_ json: JSON) throws(ValidationError) {
            var reader = try MemberReader(json, of: "a project", ignoring: Project.readOnlyNames.union(["isArchived"]))
            if reader.value("name") == nil { reader.fail("name", "is required: 1 to \(nameLimit) characters") }
            self.init(
                name: reader.line("name", limit: nameLimit) ?? "", color: reader.color("color"),
                position: reader.position("position"))
            try reader.finish()
        }
    }

    /// Changes to a project, member by member (RFC 7396); nil leaves a member as it is.
    public struct Patch: Sendable, Hashable {
        public var name: String?
        public var color: String??
        public var position: String?
        public var isArchived: Bool?

        public init() {}

        /// Throws naming every member that is wrong or unknown.
        public init(_ json: JSON) throws(ValidationError) {
            var reader = try MemberReader(json, of: "a project", ignoring: Project.readOnlyNames)
            for name in ["name", "position", "isArchived"] where reader.has(name) && reader.value(name) == nil {
                reader.fail(name, "cannot be null")
            }
            name = reader.line("name", limit: nameLimit)
            position = reader.position("position")
            if reader.has("color") { color = .some(reader.color("color")) }
            if reader.has("isArchived") { isArchived = reader.bool("isArchived") ?? false }
            try reader.finish()
        }
    }
}

/// Somebody whom a project is shared with, or its owner.
public struct ProjectMember: Sendable, Hashable {
    public var user: UUID
    public var email: String
    public var name: String
    public var role: Role
    public var since: Instant

    public init(user: UUID, email: String, name: String, role: Role, since: Instant) {
        self.user = user
        self.email = email
        self.name = name
        self.role = role
        self.since = since
    }

    public var json: JSON {
        .object([
            "user": JSON(user), "email": .string(email), "name": .string(name), "role": .string(role.rawValue),
            "since": JSON(since),
        ])
    }
}
