public import FoundationEssentials
public import StructuredData

/// Somebody with an account.
public struct User: Sendable, Hashable, Identifiable {
    public var id: UUID
    /// In lower case; nobody else has it.
    public var email: String
    public var name: String
    /// An IANA time zone.
    public var zone: String
    /// When the person's day begins: what is due today is due until then.
    public var dayStart: TimeOfDay
    /// When the person hears of what is due on a day rather than at a time.
    public var remindAt: TimeOfDay
    /// When reminders are held or dropped.
    public var quietHours: QuietHours?
    public var created: Instant
    public var updated: Instant
    public var version: Int

    public init(
        id: UUID, email: String, name: String, zone: String, dayStart: TimeOfDay, remindAt: TimeOfDay = .nine,
        quietHours: QuietHours? = nil, created: Instant, updated: Instant, version: Int = 1
    ) {
        self.id = id
        self.email = email
        self.name = name
        self.zone = zone
        self.dayStart = dayStart
        self.remindAt = remindAt
        self.quietHours = quietHours
        self.created = created
        self.updated = updated
        self.version = version
    }

    public static let nameLimit = 100

    public var json: JSON {
        .object([
            "id": JSON(id), "email": .string(email), "name": .string(name), "zone": .string(zone),
            "dayStart": .string(dayStart.text), "remindAt": .string(remindAt.text),
            "quietHours": JSON(quietHours) { $0.json }, "createdAt": JSON(created), "updatedAt": JSON(updated),
            "version": JSON(version),
        ])
    }

    /// Changes to an account, member by member (RFC 7396); nil leaves a member as it is.
    public struct Patch: Sendable, Hashable {
        public var email: String?
        public var name: String?
        public var zone: String?
        public var dayStart: TimeOfDay?
        public var remindAt: TimeOfDay?
        public var quietHours: QuietHours??

        public init() {}

        /// Throws naming every member that is wrong or unknown.
        public init(_ json: JSON) throws(ValidationError) {
            var reader = try MemberReader(
                json, of: "an account", ignoring: ["id", "createdAt", "updatedAt", "version"])
            for name in ["email", "name", "zone", "dayStart", "remindAt"]
            where reader.has(name) && reader.value(name) == nil {
                reader.fail(name, "cannot be null")
            }
            email = reader.email("email")
            name = reader.line("name", limit: nameLimit)
            zone = reader.zone("zone")
            dayStart = reader.time("dayStart")
            remindAt = reader.time("remindAt")
            if reader.has("quietHours") { quietHours = .some(try reader.quietHours("quietHours")) }
            try reader.finish()
        }
    }
}

extension TimeOfDay {
    /// When people hear of what is due on a day, unless they say otherwise.
    public static let nine = TimeOfDay("09:00") ?? .midnight
}

/// What a person says of themselves to get an account.
public struct SignUp: Sendable, Hashable {
    public static let passwordLengths = 8...1000

    public var email: String
    public var name: String
    /// In clear: hash it and forget it.
    public var password: String
    public var zone: String
    public var dayStart: TimeOfDay

    /// `email` and `password` must be there; without a name it is the part of the address before `@`, without a zone it is
    /// UTC. Throws naming every member that is wrong or unknown.
    public init(_ json: JSON) throws(ValidationError) {
        var reader = try MemberReader(json, of: "an account")
        for name in ["email", "password"] where reader.value(name) == nil { reader.fail(name, "is required") }
        email = reader.email("email") ?? ""
        password = reader.string("password") ?? ""
        if reader.value("password")?.string != nil, !Self.passwordLengths.contains(password.unicodeScalars.count) {
            reader.fail(
                "password",
                "must have \(Self.passwordLengths.lowerBound) to \(Self.passwordLengths.upperBound) characters")
        }
        name = reader.line("name", limit: User.nameLimit) ?? String(email.prefix { $0 != "@" }.prefix(User.nameLimit))
        zone = reader.zone("zone") ?? "UTC"
        dayStart = reader.time("dayStart") ?? .midnight
        try reader.finish()
    }
}
