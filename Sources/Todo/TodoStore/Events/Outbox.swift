public import FoundationEssentials
internal import Postgres
public import TodoModel

/// Events that were written and have yet to be published.
public struct Outbox: Sendable {
    let database: TodoDatabase

    /// How many portions one transaction takes: so much is published again at worst.
    private static let longestRun = 8
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

        /// What may go out at the same time: entries of one topic, those of one person together and in order.
        public static func calls(for entries: [Entry]) -> [(topic: String, entries: [Entry])] {
            Dictionary(grouping: entries, by: \.topic).flatMap { topic, entries in
                guard entries.count > worthSplitting else { return [(topic, entries)] }
                let halves = Dictionary(grouping: entries) { $0.user.uuid.15 & 1 }
                return halves.values.map { (topic, $0) }
            }
        }

        /// One call takes about as long as fewer entries.
        private static let worthSplitting = 100
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

    /// Hands the oldest entries to `publish`, up to `limit` at a time, and removes those whose ids it returns; the next ones
    /// are read while it is at work. Ends with a portion that is not full or was not published whole. Only one process at
    /// a time does so (a lock of the transaction, so that a pooler is no obstacle). When the process dies in between, the
    /// entries of a few portions are published again: at least once.
    public func drain(
        limit: Int, _ publish: @Sendable ([Entry]) async throws -> Set<Int64>
    ) async throws -> Outcome {
        let any = try await database.rows(as: .system, "outbox.any", "SELECT EXISTS (SELECT FROM outbox)")
        guard let row = any.first, try row.decode(Bool.self) else { return .empty }
        return try await database.transaction { database in
            let lock = try await database.rows(
                as: .system, "outbox.lock", "SELECT pg_try_advisory_xact_lock(\(Self.lockKey))")
            guard let row = lock.first, try row.decode(Bool.self) else { return .busy }
            return try await database.outbox.drain(limit, publish)
        }
    }

    private func drain(_ limit: Int, _ publish: @Sendable ([Entry]) async throws -> Set<Int64>) async throws -> Outcome
    {
        var portion = try await step(removing: [], after: 0, limit)
        guard !portion.isEmpty else { return .empty }
        var done: Set<Int64> = []
        var count = 0
        for turn in 1...Self.longestRun {
            let (last, gone) = (turn < Self.longestRun && portion.count == limit ? portion.last?.id : nil, done)
            async let following = step(removing: gone, after: last, limit)
            do {
                done = try await publish(portion)
            } catch  where count > 0 {
                // What went out must leave the table; the rest is tried again, and then throws first.
                done = []
            }
            count += done.count
            let next = try await following
            guard done.count == portion.count, !next.isEmpty else { break }
            portion = next
        }
        _ = try await step(removing: done, after: nil, limit)
        return .published(count)
    }

    /// Removes what was published, and reads what comes after an entry unless that is nil, in one round trip.
    private func step(removing done: Set<Int64>, after last: Int64?, _ limit: Int) async throws -> [Entry] {
        let remove: SQLFragment = "DELETE FROM outbox WHERE id = ANY (\(done.sorted()))"
        var queries = done.isEmpty ? [] : [remove.query(named: "outbox.remove")]
        guard let last else {
            if !queries.isEmpty { _ = try await database.read(as: .system, queries) }
            return []
        }
        let take: SQLFragment = """
            SELECT o.id, o.event_id, o.user_id, o.topic, o.body FROM outbox o WHERE o.id > \(last)
            ORDER BY o.id LIMIT \(limit)
            """
        queries.append(take.query(named: "outbox.take"))
        return try await database.read(as: .system, queries).last.map { rows in
            try rows.map { row in
                let (id, event, user, topic, body) = try row.decode(
                    Int64.self, UUID.self, UUID.self, String.self, PostgresJSON.self)
                return Entry(id: id, event: event, user: user, topic: topic, body: body.bytes)
            }
        } ?? []
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
