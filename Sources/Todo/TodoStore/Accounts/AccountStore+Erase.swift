public import FoundationEssentials
internal import Postgres
public import StructuredData
internal import TodoModel

extension AccountStore {
    /// All that is kept of a person and of what they own, and in which projects of others they take part. Not what
    /// others own.
    public func export(_ id: UUID) async throws -> JSON {
        let parts: [(name: String, statement: SQLFragment)] = [
            ("projects", "SELECT project_json(x) FROM projects x WHERE x.user_id = \(id) ORDER BY x.id"),
            ("tasks", "SELECT task_json(x) FROM tasks x WHERE x.user_id = \(id) ORDER BY x.id"),
            ("filters", "SELECT filter_json(x) FROM filters x WHERE x.user_id = \(id) ORDER BY x.id"),
            (
                "reminders",
                """
                SELECT json_build_object('id', x.id, 'task', x.task_id, 'at', rfc3339(x.at), 'offset', x.offset_minutes,
                    'before', x.moment, 'repeat', x.repeat_minutes, 'channels', x.channels,
                    'createdAt', rfc3339(x.created_at), 'updatedAt', rfc3339(x.updated_at), 'version', x.version)
                FROM reminders x WHERE x.user_id = \(id) ORDER BY x.id
                """
            ),
            (
                "remindersPlanned",
                """
                SELECT reminder_json(x, NULL, NULL) FROM planned_reminders x WHERE x.user_id = \(id)
                ORDER BY x.fire_at, x.id
                """
            ),
            (
                "memberships",
                """
                SELECT json_build_object('owner', m.owner_id, 'project', m.project_id, 'role', m.role,
                    'since', rfc3339(m.created_at))
                FROM project_members m WHERE m.member_id = \(id) ORDER BY m.owner_id, m.project_id
                """
            ),
            (
                "tokens",
                """
                SELECT json_build_object('id', k.id, 'kind', k.kind, 'name', k.name, 'scopes', k.scopes,
                    'createdAt', rfc3339(k.created_at), 'expiresAt', rfc3339(k.expires_at),
                    'lastUsedAt', rfc3339(k.last_used_at))
                FROM tokens k WHERE k.user_id = \(id) ORDER BY k.id
                """
            ),
            (
                "channels",
                """
                SELECT json_build_object('id', c.id, 'kind', c.kind, 'target', c.target,
                    'createdAt', rfc3339(c.created_at), 'verifiedAt', rfc3339(c.verified_at))
                FROM notification_channels c WHERE c.user_id = \(id) ORDER BY c.id
                """
            ),
            (
                "deliveries",
                """
                SELECT json_build_object('id', d.id, 'reminder', d.reminder_id, 'firedAt', rfc3339(d.fired_at),
                    'kind', d.kind, 'target', d.target, 'state', d.state, 'attempts', d.attempts)
                FROM deliveries d WHERE d.user_id = \(id) ORDER BY d.id
                """
            ),
            (
                "logins",
                """
                SELECT json_build_object('issuer', i.issuer, 'subject', i.subject) FROM identities i
                WHERE i.user_id = \(id) ORDER BY i.issuer
                """
            ),
        ]
        let person: SQLFragment = "SELECT \(raw: User.columns(of: "u")) FROM users u WHERE u.id = \(id)"
        let event = database.accountEvent(.exported, of: id)
        let results = try await database.read(
            as: .user(id),
            [person.query(named: "export.user"), event.query(named: "export.event")]
                + parts.map { $0.statement.query(named: "export.\($0.name)") })
        guard let row = results[0].first else { throw StoreError.notFound }
        var export: JSONObject = ["user": try Self.user(row).json]
        for (part, rows) in zip(parts, results.dropFirst(2)) {
            export[part.name] = .array(
                try rows.map { try JSON(parsing: try $0.decode(PostgresJSON.self).bytes) })
        }
        return .object(export)
    }

    /// Removes a person and all that they own, for good. Members of their projects learn that those are gone; projects
    /// of others that they take part in go on without them. What is left is the event that says so.
    public func erase(_ id: UUID) async throws {
        try await database.transaction { database in
            let accounts = AccountStore(database: database)
            guard try await accounts.user(id) != nil else { throw StoreError.notFound }
            try await accounts.leaveAll(id)
            let statements: [SQLFragment] = [
                "DELETE FROM deliveries WHERE user_id = \(id)",
                "DELETE FROM notification_channels WHERE user_id = \(id)",
                "DELETE FROM operations WHERE user_id = \(id) OR owner_id = \(id)",
                "DELETE FROM idempotency_keys WHERE user_id = \(id)",
                "DELETE FROM tombstones WHERE user_id = \(id)",
                "DELETE FROM filters WHERE user_id = \(id)",
                "DELETE FROM reminders WHERE user_id = \(id) OR owner_id = \(id)",
                "DELETE FROM planned_reminders WHERE user_id = \(id) OR owner_id = \(id)",
                "DELETE FROM task_signatures WHERE user_id = \(id)",
                "DELETE FROM tasks WHERE user_id = \(id)",
                "DELETE FROM project_members WHERE owner_id = \(id)",
                "DELETE FROM projects WHERE user_id = \(id)",
                "DELETE FROM tokens WHERE user_id = \(id)",
                "DELETE FROM identities WHERE user_id = \(id)",
                "DELETE FROM streams WHERE user_id = \(id)",
                "DELETE FROM users WHERE id = \(id)",
                database.accountEvent(.erased, of: id),
            ]
            _ = try await database.write(as: .system, statements.map { $0.query(named: "account.erase") })
        }
    }

    /// Ends every share that the person has a part in, on either side.
    private func leaveAll(_ id: UUID) async throws {
        let shares = try await database.rows(
            as: .system, "account.shares",
            """
            SELECT m.owner_id, m.project_id, m.member_id, p.deleted_at IS NOT NULL FROM project_members m
            JOIN projects p ON p.user_id = m.owner_id AND p.id = m.project_id
            WHERE m.owner_id = \(id) OR m.member_id = \(id) ORDER BY m.owner_id, m.project_id, m.member_id
            """)
        for share in shares {
            let (owner, project, member, isDeleted) = try share.decode(UUID.self, UUID.self, UUID.self, Bool.self)
            if isDeleted {
                // Nobody sees it any more: there is nobody to be told.
                _ = try await database.rows(
                    as: .system, "account.unshare",
                    """
                    DELETE FROM project_members
                    WHERE owner_id = \(owner) AND project_id = \(project) AND member_id = \(member)
                    """)
            } else {
                try await ProjectStore(database: database).remove(member, from: project, by: id)
            }
        }
    }
}
