public import FoundationEssentials
internal import StructuredData
public import TodoModel

/// What the log takes from a CloudEvent (CloudEvents 1.0, JSON format). Types that this release does not know are
/// welcome: a log of what happened must not depend on who knew of it.
public struct AuditEvent: Sendable, Hashable {
    /// Whose stream takes what names no user.
    public static let nobody = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    static let longestType = 255

    public var id: UUID
    public var type: String
    /// Nil when the event does not say.
    public var time: Instant?
    public var user: UUID
    public var actor: UUID?
    public var subject: UUID?
    /// The attributes that are not above, as JSON.
    public var content: [UInt8]
}

/// Why an event cannot be recorded; it will not get better by trying again.
public struct MalformedEvent: Error, Sendable, CustomStringConvertible {
    public let description: String
}

extension AuditEvent {
    /// In the clear already, constant, or added by the sidecar on the way.
    private static let left: Set<String> = [
        "id", "type", "time", "specversion", "partitionkey", "topic", "pubsubname", "traceid", "traceparent",
        "tracestate",
    ]

    init(cloudEvent: JSON) throws(MalformedEvent) {
        guard let attributes = cloudEvent.object else { throw MalformedEvent(description: "it is no JSON object") }
        guard let id = Self.id(attributes["id"]) else { throw MalformedEvent(description: "its id is no UUID") }
        guard let type = attributes["type"]?.string, (1...Self.longestType).contains(type.utf8.count),
            !type.utf8.contains(0)
        else { throw MalformedEvent(description: "its type is missing or longer than \(Self.longestType) bytes") }
        self.id = id
        self.type = type
        time = nil
        if let text = attributes["time"], !text.isNull {
            time = text.string.flatMap { Instant($0) }
            guard time != nil else { throw MalformedEvent(description: "its time is not of RFC 3339") }
        }
        user = try Self.user(attributes)
        actor = Self.id(attributes["data"]?["actor"])
        subject = Self.id(attributes["subject"])
        var rest = attributes
        let isSubjectKept = subject == nil
        rest.keepMembers { name, _ in !Self.left.contains(name) && (isSubjectKept || name != "subject") }
        content = JSON.object(rest).encoded()
    }

    /// The attribute `partitionkey`, else `data.user`, else nobody.
    private static func user(_ attributes: JSONObject) throws(MalformedEvent) -> UUID {
        let named = attributes["partitionkey"] ?? attributes["data"]?["user"]
        guard let named, !named.isNull else { return nobody }
        guard let user = id(named) else { throw MalformedEvent(description: "the user that it names is no UUID") }
        return user
    }

    private static func id(_ json: JSON?) -> UUID? { json?.string.flatMap { UUID(uuidString: $0) } }
}
