public import FoundationEssentials
internal import Postgres
internal import StructuredData
public import TodoModel

/// Who there is.
public struct AccountStore: Sendable {
    let database: TodoDatabase

    /// What is known of somebody before they have an account.
    public struct Profile: Sendable, Hashable {
        public var email: String
        public var name: String
        public var zone: String
        public var dayStart: TimeOfDay

        public init(email: String, name: String, zone: String = "UTC", dayStart: TimeOfDay = .midnight) {
            self.email = email
            self.name = name
            self.zone = zone
            self.dayStart = dayStart
        }
    }

    /// Makes an account with its inbox. Throws `emailTaken`.
    ///
    /// - Parameters:
    ///   - id: nil for a new one.
    ///   - password: what was made of it, never itself; nil for somebody who signs in elsewhere.
    ///   - login: who the person is there.
    public func create(
        _ profile: Profile, id: UUID? = nil, password: String?, login: (issuer: String, subject: String)? = nil
    ) async throws -> User {
        let id = id ?? database.makeID()
        let statement: SQLFragment = """
            WITH person AS (
                INSERT INTO users AS u (id, email, name, password, zone, day_start)
                VALUES (\(id), \(profile.email), \(profile.name), \(password), \(profile.zone),
                    \(Int16(profile.dayStart.minutes)))
                RETURNING \(raw: User.columns(of: "u"))),
            stream AS (INSERT INTO streams (user_id, seq) SELECT id, 1 FROM person),
            login AS (
                INSERT INTO identities (issuer, subject, user_id)
                SELECT \(login?.issuer), \(login?.subject), id FROM person WHERE \(login != nil)),
            written AS (
                INSERT INTO projects AS p (user_id, id, name, position, is_inbox, seq)
                SELECT id, \(database.makeID()), 'Inbox', \(FractionalIndex.end(at: .now())), true, 1 FROM person
                RETURNING p AS project),
            \(ProjectStore.told(.projectCreated, by: id)),
            announced AS (\(database.accountEvent(.created, of: id)))
            SELECT * FROM person
            """
        do {
            let rows = try await database.write(as: .user(id), [statement.query(named: "account.create")])
            guard let row = rows.first else { throw StoreError.notFound }
            return try Self.user(row)
        } catch let error as PostgresError where error.isUniqueViolation {
            throw StoreError.emailTaken
        }
    }

    /// Makes the account that a token from outside stands for, unless it is there.
    public func ensure(_ profile: Profile, id: UUID) async throws -> User {
        if let user = try await user(id) { return user }
        do {
            return try await create(profile, id: id, password: nil)
        } catch StoreError.emailTaken {
            // Another process was faster.
            guard let user = try await user(id) else { throw StoreError.emailTaken }
            return user
        }
    }

    public func user(_ id: UUID) async throws -> User? {
        let statement: SQLFragment = "SELECT \(raw: User.columns(of: "u")) FROM users u WHERE u.id = \(id)"
        return try await database.rows(as: .user(id), "account.get", statement).first.map(Self.user)
    }

    /// Somebody by their address, and what was made of their password; nil when there is nobody.
    public func credentials(email: String) async throws -> (user: User, password: String?)? {
        let statement: SQLFragment = """
            SELECT \(raw: User.columns(of: "u")), u.password FROM users u WHERE u.email = \(email)
            """
        let rows = try await database.rows(as: .nobody.naming(email: email), "account.credentials", statement)
        guard let row = rows.first else { return nil }
        var columns = ColumnReader(row)
        return (try User(columns: &columns), try columns.next(String?.self))
    }

    /// Somebody by who they are at an identity provider.
    public func user(issuer: String, subject: String) async throws -> User? {
        let owner: SQLFragment = """
            SELECT i.user_id FROM identities i WHERE i.issuer = \(issuer) AND i.subject = \(subject)
            """
        let identity = Identity.nobody.naming(issuer: issuer, subject: subject)
        guard let row = try await database.rows(as: identity, "account.login", owner).first else { return nil }
        return try await user(try row.decode(UUID.self))
    }

    /// How long it is known who was erased: no older token makes an account.
    public static let erasureMemory: Duration = .seconds(30 * 86_400)

    /// When somebody's account was erased, by who they are at an identity provider; nil when that was long ago or never.
    public func erasure(issuer: String, subject: String) async throws -> Instant? {
        let login = "\(issuer) \(subject)"
        let statement: SQLFragment = """
            SELECT e.erased_at FROM erased_identities e WHERE e.hash = sha256(convert_to(\(login), 'UTF8'))
            """
        let identity = Identity.nobody.naming(issuer: issuer, subject: subject)
        guard let row = try await database.rows(as: identity, "account.erasure", statement).first else { return nil }
        return Instant(try row.decode(PostgresTimestamp.self))
    }

    /// Whether somebody signs in at an identity provider.
    public func hasLogin(_ id: UUID) async throws -> Bool {
        let statement: SQLFragment = "SELECT true FROM identities i WHERE i.user_id = \(id) LIMIT 1"
        return try await !database.rows(as: .user(id), "account.logins", statement).isEmpty
    }

    /// Throws `emailTaken`, `notFound`.
    public func update(
        _ id: UUID, _ patch: User.Patch, ifVersion versions: [Int]? = nil
    ) async throws -> User {
        let members = [
            "email": patch.email != nil, "name": patch.name != nil, "zone": patch.zone != nil,
            "dayStart": patch.dayStart != nil, "remindAt": patch.remindAt != nil,
            "quietHours": patch.quietHours != nil,
        ]
        let changed = members.filter(\.value).keys.sorted().map(JSON.string)
        let statement: SQLFragment = """
            WITH \(Self.target(id, versions))
            person AS (
                UPDATE users u SET email = COALESCE(\(patch.email), u.email), name = COALESCE(\(patch.name), u.name),
                    zone = COALESCE(\(patch.zone), u.zone),
                    day_start = COALESCE(\(patch.dayStart.map { Int16($0.minutes) }), u.day_start),
                    remind_at = COALESCE(\(patch.remindAt.map { Int16($0.minutes) }), u.remind_at),
                    \(Self.quietHours(patch.quietHours)) updated_at = now(), version = u.version + 1
                FROM target WHERE u.id = \(id) AND NOT target.is_other RETURNING u.*),
            told AS (\(database.accountEvent(.updated, of: id, ["changed": .array(changed)], if: "person")))
            \(Self.outcome)
            """
        do {
            return try Self.changed(
                try await database.write(as: .user(id), [statement.query(named: "account.update")]))
        } catch let error as PostgresError where error.isUniqueViolation {
            throw StoreError.emailTaken
        }
    }

    /// Assignments, each followed by a comma; none for nil.
    private static func quietHours(_ change: QuietHours??) -> SQLFragment {
        guard let change else { return "" }
        return """
            quiet_from = \(change.map { Int16($0.from.minutes) }), quiet_to = \(change.map { Int16($0.to.minutes) }),
            quiet_zone = \(change.flatMap(\.zone)), quiet_policy = \(change?.policy.rawValue),
            """
    }

    /// Sets what was made of a new password, and ends all sessions but the one with the id `kept`. Throws `notFound`.
    @discardableResult
    public func setPassword(
        _ password: String, of id: UUID, keeping kept: UUID?, ifVersion versions: [Int]? = nil
    ) async throws -> User {
        let statement: SQLFragment = """
            WITH \(Self.target(id, versions))
            person AS (
                UPDATE users u SET password = \(password), updated_at = now(), version = u.version + 1
                FROM target WHERE u.id = \(id) AND NOT target.is_other RETURNING u.*),
            ended AS (
                DELETE FROM tokens k USING person p WHERE k.user_id = p.id AND k.kind = 'session'
                AND k.id IS DISTINCT FROM \(kept)::uuid),
            told AS (\(database.accountEvent(.passwordChanged, of: id, if: "person")))
            \(Self.outcome)
            """
        return try Self.changed(
            try await database.write(as: .user(id), [statement.query(named: "account.password")]))
    }

    /// `target`: the account that is to be changed, locked, and whether it is at another version than the caller says.
    private static func target(_ id: UUID, _ versions: [Int]?) -> SQLFragment {
        """
        target AS (
            SELECT u.version, \(.isOther("u", than: versions)) AS is_other FROM users u WHERE u.id = \(id) FOR UPDATE),
        """
    }

    /// What became of `target`; `changed` reads it.
    private static var outcome: SQLFragment {
        """
        SELECT t.is_other, t.version, \(raw: User.columns(of: "p")) FROM target t LEFT JOIN person p ON true
        """
    }

    private static func changed(_ rows: PostgresRows) throws -> User {
        guard let row = rows.first else { throw StoreError.notFound }
        var columns = ColumnReader(row)
        let (isOther, version) = (try columns.next(Bool.self), try columns.next(Int.self))
        if isOther { throw StoreError.versionMismatch(current: version) }
        return try User(columns: &columns)
    }

    static func user(_ row: PostgresRow) throws(PostgresError) -> User {
        var columns = ColumnReader(row)
        return try User(columns: &columns)
    }
}
