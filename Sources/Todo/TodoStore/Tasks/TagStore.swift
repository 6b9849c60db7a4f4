public import FoundationEssentials
internal import Postgres
internal import TodoModel

/// The tags of the tasks that a person sees. A tag is there so long as a task bears it.
public struct TagStore: Sendable {
    let database: TodoDatabase

    public struct Tag: Sendable, Hashable {
        public let name: String
        /// How many open tasks bear it.
        public let open: Int
    }

    public func all(for actor: UUID) async throws -> [Tag] {
        let statement: SQLFragment = """
            SELECT tag, count(*) FILTER (WHERE t.status = 'open') FROM tasks t
            JOIN projects p ON p.user_id = t.user_id AND p.id = t.project_id AND \(.sees(actor, "p"))
            CROSS JOIN LATERAL unnest(t.tags) AS tag
            WHERE t.user_id = ANY (\(.owners(for: actor))) AND t.deleted_at IS NULL GROUP BY tag ORDER BY tag
            """
        return try await database.rows(as: .user(actor), "tag.list", statement).map {
            let (name, open) = try $0.decode(String.self, Int.self)
            return Tag(name: name, open: open)
        }
    }

    /// Renames a tag, or takes it away when `other` is nil, on every task that bears it and that the person may change.
    /// Returns how many those were, though the other name be the same; throws `notFound` when there is none.
    @discardableResult
    public func replace(_ name: String, by other: String?, operation: TodoOperation) async throws -> Int {
        let actor = operation.actor
        if name == other { return try await bearers(of: name, for: actor) }
        return try await database.transaction { database in
            let owners: SQLFragment = """
                SELECT o FROM unnest(\(SQLFragment.owners(for: actor))) AS o WHERE EXISTS (
                    SELECT FROM tasks t WHERE t.user_id = o AND t.deleted_at IS NULL AND \(name) = ANY (t.tags))
                GROUP BY o ORDER BY o
                """
            var count = 0
            for row in try await database.rows(as: .user(actor), "tag.owners", owners) {
                let write = TaskWrite.replaceTag(name, by: other, of: try row.decode(UUID.self), by: operation)
                count += try await database.write(as: .user(actor), write.queries).first?.decode(Int.self) ?? 0
            }
            guard count > 0 else { throw StoreError.notFound }
            return count
        }
    }

    /// How many tasks bear a tag that the person may change; throws `notFound` when there is none.
    private func bearers(of name: String, for actor: UUID) async throws -> Int {
        let statement: SQLFragment = """
            SELECT count(*) FROM tasks t
            JOIN projects p ON p.user_id = t.user_id AND p.id = t.project_id AND \(.mayWrite(actor, "p"))
            WHERE t.user_id = ANY (\(.owners(for: actor))) AND t.deleted_at IS NULL AND \(name) = ANY (t.tags)
            """
        let rows = try await database.rows(as: .user(actor), "tag.bearers", statement)
        guard let count = try rows.first?.decode(Int.self), count > 0 else { throw StoreError.notFound }
        return count
    }
}
