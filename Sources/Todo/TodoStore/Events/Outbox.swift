public import FoundationEssentials
internal import Postgres
public import TodoModel

/// Events that were written and have yet to be published.
public struct Outbox: Sendable {
    let database: TodoDatabase

    /// Any number will do, so long as nothing else in the database locks it: "outb" in ASCII.
    private static let lockKey: Int64 = 0x6f75_7462

    public struct Entry: Sendable, Hashable, Identifiable {
        /// In the order of publication; per person also that of their changes.
        public let id: Int64
        /// Of the event, which its consumers know it by.
        public let event: UUID
        /// Order is kept among entries of one person.
        public let user: UUID
        public let topic: String
        /// The CloudEvent in JSON.
        public let body: [UInt8]
    }

    /// What came of one attempt.
    public enum Outcome: Sendable, Hashable {
        /// There is nothing to publish.
        case empty
        /// Another process is publishing.
        case busy
        /// So many were published and are gone from the table.
        case published(Int)
    }

    /// Hands the oldest entries to `publish`, and removes those whose ids it returns. Only one process at a time does so
    /// (a lock of the transaction, so that a pooler is no obstacle). When the process dies in between, they are published
    /// again: at least once.
    public func drain(
        limit: Int, _ publish: @Sendable ([Entry]) async throws -> Set<Int64>
    ) async throws -> Outcome {
        let any = try await database.rows(as: .system, "outbox.any", "SELECT EXISTS (SELECT FROM outbox)")
        guard let row = any.first, try row.decode(Bool.self) else { return .empty }
        return try await database.transaction { database in
            let lock = try await database.rows(
                as: .system, "outbox.lock", "SELECT pg_try_advisory_xact_lock(\(Self.lockKey))")
            guard let row = lock.first, try row.decode(Bool.self) else { return .busy }
            let select: SQLFragment = """
                SELECT o.id, o.event_id, o.user_id, o.topic, o.body FROM outbox o ORDER BY o.id LIMIT \(limit)
                """
            let entries = try await database.rows(as: .system, "outbox.take", select).map { row in
                let (id, event, user, topic, body) = try row.decode(
                    Int64.self, UUID.self, UUID.self, String.self, PostgresJSON.self)
                return Entry(id: id, event: event, user: user, topic: topic, body: body.bytes)
            }
            guard !entries.isEmpty else { return .empty }
            let done = try await publish(entries)
            _ = try await database.rows(
                as: .system, "outbox.remove", "DELETE FROM outbox WHERE id = ANY (\(done.sorted()))")
            return .published(done.count)
        }
    }

    /// How many entries wait, and since when the oldest does.
    public func backlog() async throws -> (count: Int, oldest: Instant?) {
        let rows = try await database.rows(
            as: .system, "outbox.backlog", "SELECT count(*), min(created_at) FROM outbox")
        guard let row = rows.first else { return (0, nil) }
        let (count, oldest) = try row.decode(Int.self, PostgresTimestamp?.self)
        return (count, oldest.map { Instant($0) })
    }
}
