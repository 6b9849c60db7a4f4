public import FoundationEssentials
internal import Postgres
internal import StructuredData
internal import TodoModel

/// All that is kept of a person and of what they own, and in which projects of others they take part. Not what others
/// own.
///
/// It is read in portions, as fast as it is taken, each by itself: who takes it slowly keeps neither a connection nor old
/// rows. A key never changes, so what is there from the beginning to the end is in it, once.
public struct AccountExport: Sendable {
    let database: TodoDatabase
    let user: User
    /// A JSON array.
    let logins: [UInt8]

    /// Hands out a JSON object, some rows at a time.
    public func write(_ write: ([UInt8]) async throws -> Void) async throws {
        var head = Array(#"{"user":"#.utf8) + user.json.encoded()
        head += Array(#","logins":"#.utf8) + logins
        try await write(head)
        for part in Part.all { try await self.write(part, write) }
        try await write(Array("}".utf8))
    }

    private func write(_ part: Part, _ write: ([UInt8]) async throws -> Void) async throws {
        var bytes = Array(",\"\(part.name)\":[".utf8)
        var after = part.key.map { _ in UUID.belowAllKeys }
        var count = 0
        while true {
            let rows = try await database.rows(
                as: .user(user.id), "export.\(part.name)", part.statement(of: user.id, after: after))
            for (place, row) in rows.enumerated() {
                if count + place > 0 { bytes.append(UInt8(ascii: ",")) }
                if let json = try row.bytes(at: 0, as: .json) { bytes.append(contentsOf: json) }
            }
            count += rows.count
            let isLast = rows.count < part.limit
            if isLast { bytes.append(UInt8(ascii: "]")) }
            if let last = rows.last { after = try last.decode([UUID].self, at: 1) }
            try await write(bytes)
            if isLast { return }
            bytes = []
        }
    }
}

/// One member of the export: an array of objects, in the order of their keys.
private struct Part {
    let name: String
    /// JSON made of a row `x`.
    let object: String
    let table: String
    var owner = "user_id"
    /// What tells apart the rows of one person.
    var key = ["id"]
    /// How many rows a portion has.
    var limit = 200

    func statement(of user: UUID, after: [UUID]) -> SQLFragment {
        let columns = key.map { "x.\($0)" }.joined(separator: ", ")
        let place = SQLFragment.joined(after.map { id -> SQLFragment in "\(id)::uuid" }, by: ", ")
        return """
            SELECT \(raw: object), ARRAY[\(raw: columns)] FROM \(raw: table) x
            WHERE x.\(raw: owner) = \(user) AND (\(raw: columns)) > (\(place))
            ORDER BY \(raw: columns) LIMIT \(raw: "\(limit)")
            """
    }

    static let all = [
        Part(name: "projects", object: "project_json(x)", table: "projects"),
        // A description can have a hundred kilobytes.
        Part(name: "tasks", object: "task_json(x)", table: "tasks", limit: 20),
        Part(name: "filters", object: "filter_json(x)", table: "filters"),
        Part(
            name: "reminders",
            object: """
                json_build_object('id', x.id, 'task', x.task_id, 'at', rfc3339(x.at), 'offset', x.offset_minutes,
                    'before', x.moment, 'repeat', x.repeat_minutes, 'channels', x.channels,
                    'createdAt', rfc3339(x.created_at), 'updatedAt', rfc3339(x.updated_at), 'version', x.version)
                """,
            table: "reminders"),
        Part(name: "remindersPlanned", object: "reminder_json(x, NULL, NULL)", table: "planned_reminders"),
        Part(
            name: "memberships",
            object: """
                json_build_object('owner', x.owner_id, 'project', x.project_id, 'role', x.role,
                    'since', rfc3339(x.created_at))
                """,
            table: "project_members", owner: "member_id", key: ["owner_id", "project_id"]),
        Part(
            name: "tokens",
            object: """
                json_build_object('id', x.id, 'kind', x.kind, 'name', x.name, 'scopes', x.scopes,
                    'createdAt', rfc3339(x.created_at), 'expiresAt', rfc3339(x.expires_at),
                    'lastUsedAt', rfc3339(x.last_used_at))
                """,
            table: "tokens"),
        Part(
            name: "channels",
            object: """
                json_build_object('id', x.id, 'kind', x.kind, 'target', x.target,
                    'createdAt', rfc3339(x.created_at), 'verifiedAt', rfc3339(x.verified_at))
                """,
            table: "notification_channels"),
        Part(
            name: "deliveries",
            object: """
                json_build_object('id', x.id, 'reminder', x.reminder_id, 'firedAt', rfc3339(x.fired_at),
                    'kind', x.kind, 'target', x.target, 'state', x.state, 'attempts', x.attempts)
                """,
            table: "deliveries"),
    ]
}

extension AccountStore {
    /// What is kept of a person, to be written out; says so in an event.
    public func export(_ id: UUID) async throws -> AccountExport {
        let person: SQLFragment = "SELECT \(raw: User.columns(of: "u")) FROM users u WHERE u.id = \(id)"
        let event = database.accountEvent(.exported, of: id)
        let identities: SQLFragment = """
            SELECT COALESCE(json_agg(json_build_object('issuer', i.issuer, 'subject', i.subject)
                ORDER BY i.issuer, i.subject), '[]')
            FROM identities i WHERE i.user_id = \(id)
            """
        let results = try await database.read(
            as: .user(id),
            [
                person.query(named: "export.user"), event.query(named: "export.event"),
                identities.query(named: "export.logins"),
            ])
        guard let row = results[0].first, let logins = results[2].first else { throw StoreError.notFound }
        return AccountExport(
            database: database, user: try Self.user(row), logins: try logins.decode(PostgresJSON.self).bytes)
    }
}
