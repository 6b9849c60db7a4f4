public import FoundationEssentials
internal import Postgres
internal import StructuredData
public import TodoModel

/// The keys to people's accounts.
public struct TokenStore: Sendable {
    let database: TodoDatabase
    private static let columns = "k.user_id, k.id, k.kind, k.name, k.scopes, k.created_at, k.expires_at, k.last_used_at"

    /// Makes a token. Its secret cannot be had again.
    public func create(
        _ kind: AccessToken.Kind, named name: String, scopes: Set<Scope>, expires: Instant?, of user: UUID
    ) async throws -> (token: AccessToken, secret: TokenSecret) {
        let secret = TokenSecret(for: user)
        let id = database.makeID()
        let event = database.accountEvent(
            kind == .session ? .signedIn : .tokenCreated, of: user,
            ["token": .string(id.uuidString.lowercased()), "name": .string(name)])
        let statement: SQLFragment = """
            WITH told AS (\(event))
            INSERT INTO tokens AS k (user_id, id, hash, kind, name, scopes, expires_at)
            SELECT u.id, \(id), \(secret.hash), \(kind.rawValue), \(name), \(scopes.map(\.rawValue).sorted()),
                \(expires?.timestamp) FROM users u WHERE u.id = \(user)
            RETURNING \(raw: Self.columns)
            """
        guard
            let row = try await database.write(as: .user(user), [statement.query(named: "token.create")]).first
        else { throw StoreError.notFound }
        var columns = ColumnReader(row)
        return (try AccessToken(columns: &columns), secret)
    }

    /// The token of the secret, which is of `secret.user`; nil when it is good no more. Notes the use, to the minute.
    public func authenticate(_ secret: TokenSecret) async throws -> AccessToken? {
        let user = secret.user
        let statement: SQLFragment = """
            WITH found AS (
                SELECT k.* FROM tokens k WHERE k.user_id = \(user) AND k.hash = \(secret.hash)
                AND (k.expires_at IS NULL OR k.expires_at > now())),
            used AS (
                UPDATE tokens k SET last_used_at = now() FROM found f WHERE k.user_id = f.user_id AND k.id = f.id
                AND (f.last_used_at IS NULL OR f.last_used_at < now() - interval '1 minute'))
            SELECT \(raw: Self.columns) FROM found k
            """
        return try await database.rows(as: .user(user), "token.authenticate", statement).first.map { row in
            var columns = ColumnReader(row)
            return try AccessToken(columns: &columns)
        }
    }

    /// Those that have not expired, newest first.
    public func all(of user: UUID) async throws -> [AccessToken] {
        let statement: SQLFragment = """
            SELECT \(raw: Self.columns) FROM tokens k
            WHERE k.user_id = \(user) AND (k.expires_at IS NULL OR k.expires_at > now()) ORDER BY k.id DESC
            """
        return try await database.rows(as: .user(user), "token.list", statement).map { row in
            var columns = ColumnReader(row)
            return try AccessToken(columns: &columns)
        }
    }

    /// Throws `notFound`.
    public func revoke(_ id: UUID, of user: UUID) async throws {
        let (tokenRevoked, signedOut) = (
            database.accountEvent(
                .tokenRevoked, of: user, ["token": .string(id.uuidString.lowercased())], if: "gone", "kind = 'personal'"
            ),
            database.accountEvent(
                .signedOut, of: user, ["token": .string(id.uuidString.lowercased())], if: "gone", "kind = 'session'")
        )
        let statement: SQLFragment = """
            WITH gone AS (DELETE FROM tokens k WHERE k.user_id = \(user) AND k.id = \(id) RETURNING k.kind),
            revoked AS (\(tokenRevoked)), ended AS (\(signedOut))
            SELECT kind FROM gone
            """
        guard try await !database.write(as: .user(user), [statement.query(named: "token.revoke")]).isEmpty else {
            throw StoreError.notFound
        }
    }
}

extension TodoDatabase {
    /// An INSERT of the event of an account into the outbox; only when `table`, where given, has such rows.
    func accountEvent(
        _ kind: AccountEvent.Kind, of user: UUID, _ details: JSONObject = [:], if table: String? = nil,
        _ condition: String = "true"
    ) -> SQLFragment {
        let event = AccountEvent(id: makeID(), kind: kind, user: user, time: .now(), details: details)
        let source = table.map { " FROM \($0) WHERE \(condition) LIMIT 1" } ?? ""
        return """
            INSERT INTO outbox (event_id, user_id, topic, type, body)
            SELECT \(event.id), \(user), \(AccountEvent.topic), \(kind.rawValue), \(event.json.text)::json\(raw: source)
            """
    }
}

extension AccessToken {
    init(columns: inout ColumnReader) throws(PostgresError) {
        let (user, id) = (try columns.next(UUID.self), try columns.next(UUID.self))
        let kind = Kind(rawValue: try columns.next(String.self)) ?? .session
        let (name, scopes) = (try columns.next(String.self), try columns.next([String].self))
        self.init(
            user: user, id: id, kind: kind, name: name, scopes: Set(scopes.compactMap { Scope(rawValue: $0) }),
            created: try columns.instant(), expires: try columns.instantIfAny(), lastUsed: try columns.instantIfAny())
    }
}

extension User {
    static func columns(of alias: String) -> String {
        [
            "id", "email", "name", "zone", "day_start", "remind_at", "quiet_from", "quiet_to", "quiet_zone",
            "quiet_policy", "created_at", "updated_at", "version",
        ].map { "\(alias).\($0)" }.joined(separator: ", ")
    }

    init(columns: inout ColumnReader) throws(PostgresError) {
        self.init(
            id: try columns.next(), email: try columns.next(), name: try columns.next(), zone: try columns.next(),
            dayStart: try columns.timeOfDay() ?? .midnight, remindAt: try columns.timeOfDay() ?? .nine,
            quietHours: try columns.quietHours(), created: try columns.instant(), updated: try columns.instant(),
            version: try columns.next())
    }
}
