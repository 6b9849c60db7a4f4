public import FoundationEssentials
public import StructuredData

/// A query that a person keeps under a name.
public struct SavedFilter: Sendable, Hashable, Identifiable {
    public var user: UUID
    public var id: UUID
    public var name: String
    /// In the query language; see `TaskQuery`.
    public var query: String
    public var color: String?
    public var position: String
    public var created: Instant
    public var updated: Instant
    public var deleted: Instant?
    public var version: Int
    public var seq: Int

    public init(
        user: UUID, id: UUID, name: String, query: String, color: String? = nil, position: String, created: Instant,
        updated: Instant, deleted: Instant? = nil, version: Int = 1, seq: Int
    ) {
        self.user = user
        self.id = id
        self.name = name
        self.query = query
        self.color = color
        self.position = position
        self.created = created
        self.updated = updated
        self.deleted = deleted
        self.version = version
        self.seq = seq
    }

    public static let nameLimit = 100
    static let readOnlyNames: Set<String> = ["id", "user", "createdAt", "updatedAt", "deletedAt", "version", "seq"]

    public var json: JSON {
        .object([
            "id": JSON(id), "user": JSON(user), "name": .string(name), "query": .string(query),
            "color": JSON(color, JSON.string), "position": .string(position), "createdAt": JSON(created),
            "updatedAt": JSON(updated), "deletedAt": JSON(deleted) { JSON($0) }, "version": JSON(version),
            "seq": JSON(seq),
        ])
    }
}

extension SavedFilter {
    /// A filter that is to be made.
    public struct Draft: Sendable, Hashable {
        public var name: String
        public var query: String
        public var color: String?
        /// Nil: at the end.
        public var position: String?

        public init(name: String, query: String, color: String? = nil, position: String? = nil) {
            self.name = name
            self.query = query
            self.color = color
            self.position = position
        }

        /// `name` and `query` must be there. Throws naming every member that is wrong or unknown.
        public init(_ json: JSON) throws(ValidationError) {
            var reader = try MemberReader(json, of: "a filter", ignoring: SavedFilter.readOnlyNames)
            for name in ["name", "query"] where reader.value(name) == nil { reader.fail(name, "is required") }
            self.init(
                name: reader.line("name", limit: nameLimit) ?? "", query: reader.query() ?? "",
                color: reader.color("color"), position: reader.position("position"))
            try reader.finish()
        }
    }

    /// Changes to a filter, member by member (RFC 7396); nil leaves a member as it is.
    public struct Patch: Sendable, Hashable {
        public var name: String?
        public var query: String?
        public var color: String??
        public var position: String?

        public init() {}

        /// Throws naming every member that is wrong or unknown.
        public init(_ json: JSON) throws(ValidationError) {
            var reader = try MemberReader(json, of: "a filter", ignoring: SavedFilter.readOnlyNames)
            for name in ["name", "query", "position"] where reader.has(name) && reader.value(name) == nil {
                reader.fail(name, "cannot be null")
            }
            name = reader.line("name", limit: nameLimit)
            query = reader.query()
            position = reader.position("position")
            if reader.has("color") { color = .some(reader.color("color")) }
            try reader.finish()
        }
    }
}

extension MemberReader {
    /// A query that can be read; the message says where it cannot.
    fileprivate mutating func query() -> String? {
        guard let text = text("query", limit: TaskQuery.lengthLimit) else { return nil }
        do {
            _ = try TaskQuery(parsing: text)
        } catch {
            fail("query", "\(error)")
        }
        return text
    }
}
