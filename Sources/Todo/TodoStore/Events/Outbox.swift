public import FoundationEssentials
internal import Postgres
public import TodoModel

/// Events that were written and have yet to be published.
public struct Outbox: Sendable {
    let database: TodoDatabase

    /// How many portions one transaction takes: so much is published again at worst.
    private static let longestRun = 8
    /// So many bytes end a portion: events differ in size by a hundred times, and two portions are in memory at once.
    private static let portionBytes = 4 << 20
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
        /// So many were published and are gone from the table. `held` were not taken, or come after one of the same
        /// person that was not: they go out again, all of them, so that the last time they are in order.
        case published(Int, held: Int = 0)
    }

    /// Hands the oldest entries to `publish`, up to `limit` and some megabytes at a time, and removes those whose ids it
    /// returns; the next ones are read while it is at work. Who has an entry that was not taken waits with all that comes
    /// after it, and nobody else does. Ends with a portion that is not full. Only one process at a time does so (a lock of
    /// the transaction, so that a pooler is no obstacle). When the process dies in between, the entries of a few portions
    /// are published again: at least once.
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
        var lanes = Lanes()
        var done: Set<Int64> = []
        var (count, held) = (0, 0)
        for turn in 1...Self.longestRun {
            let isFull = portion.count == limit || Self.bytes(portion) >= Self.portionBytes
            let (last, gone) = (turn < Self.longestRun && isFull ? portion.last?.id : nil, done)
            async let following = step(removing: gone, after: last, limit)
            var isDown = false
            do {
                let open = portion.filter(lanes.isOpen)
                done = open.isEmpty ? [] : lanes.settle(open, taken: try await publish(open))
            } catch  where count > 0 {
                // What went out must leave the table; the rest is tried again, and then throws first.
                (done, isDown) = ([], true)
            }
            count += done.count
            held += portion.count - done.count
            let next = try await following
            guard !isDown, !next.isEmpty else { break }
            portion = next
        }
        _ = try await step(removing: done, after: nil, limit)
        return .published(count, held: held)
    }

    private static func bytes(_ entries: [Entry]) -> Int { entries.reduce(0) { $0 + $1.body.count } }

    /// In which order is kept: what one person has in one topic.
    private struct Lanes {
        private struct Lane: Hashable {
            let user: UUID
            let topic: String

            init(_ entry: Entry) { (user, topic) = (entry.user, entry.topic) }
        }

        private var closed: Set<Lane> = []

        /// Whether all that came before was taken.
        func isOpen(_ entry: Entry) -> Bool { closed.isEmpty || !closed.contains(Lane(entry)) }

        /// Closes the lane of each entry that was not taken. Returns those that went out in order, and need not again.
        mutating func settle(_ entries: [Entry], taken: Set<Int64>) -> Set<Int64> {
            var settled: Set<Int64> = []
            for entry in entries where isOpen(entry) {
                if taken.contains(entry.id) { settled.insert(entry.id) } else { closed.insert(Lane(entry)) }
            }
            return settled
        }
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
            SELECT b.id, b.event_id, b.user_id, b.topic, b.body FROM (
                SELECT o.*, sum(octet_length(o.body::text)) OVER (
                    ORDER BY o.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes
                FROM (SELECT * FROM outbox WHERE id > \(last) ORDER BY id LIMIT \(limit)) o) b
            WHERE b.bytes IS NULL OR b.bytes < \(raw: "\(Self.portionBytes)") ORDER BY b.id
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
