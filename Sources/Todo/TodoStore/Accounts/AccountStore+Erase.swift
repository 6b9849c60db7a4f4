public import FoundationEssentials
internal import Postgres
internal import TodoModel

extension AccountStore {
    /// Removes a person and all that they own, for good. Members of their projects learn that those are gone; projects
    /// of others that they take part in go on without them. What is left is the event that says so and, for a while, a hash
    /// of who they are at an identity provider.
    public func erase(_ id: UUID) async throws {
        try await database.transaction { database in
            let accounts = AccountStore(database: database)
            guard try await accounts.user(id) != nil else { throw StoreError.notFound }
            try await accounts.leaveAll(id)
            let statements: [SQLFragment] = [
                // Whoever writes something of the person's, as a delivery, is waited for, and nobody begins to.
                "SELECT FROM streams WHERE user_id = \(id) FOR UPDATE",
                "SELECT FROM users WHERE id = \(id) FOR UPDATE",
                "DELETE FROM deliveries WHERE user_id = \(id)",
                "DELETE FROM notification_channels WHERE user_id = \(id)",
                "DELETE FROM operations WHERE user_id = \(id) OR owner_id = \(id)",
                "DELETE FROM idempotency_keys WHERE user_id = \(id)",
                "DELETE FROM tombstones WHERE user_id = \(id)",
                "DELETE FROM filters WHERE user_id = \(id)",
                "DELETE FROM reminders WHERE user_id = \(id) OR owner_id = \(id)",
                "DELETE FROM planned_reminders WHERE user_id = \(id) OR owner_id = \(id)",
                "DELETE FROM task_signatures WHERE user_id = \(id)",
                "DELETE FROM task_tags WHERE user_id = \(id)",
                "DELETE FROM tasks WHERE user_id = \(id)",
                "DELETE FROM project_members WHERE owner_id = \(id)",
                "DELETE FROM projects WHERE user_id = \(id)",
                "DELETE FROM tokens WHERE user_id = \(id)",
                """
                INSERT INTO erased_identities (hash, erased_at)
                SELECT sha256(convert_to(i.issuer || ' ' || i.subject, 'UTF8')), now()
                FROM identities i WHERE i.user_id = \(id)
                ON CONFLICT (hash) DO UPDATE SET erased_at = excluded.erased_at
                """,
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
            SELECT m.owner_id, m.project_id, m.member_id FROM project_members m
            WHERE m.owner_id = \(id) OR m.member_id = \(id) ORDER BY m.owner_id, m.project_id, m.member_id
            """)
        for share in shares {
            let (owner, project, member) = try share.decode(UUID.self, UUID.self, UUID.self)
            try await ProjectStore(database: database).remove(member, from: project, of: owner, by: id)
        }
    }
}
