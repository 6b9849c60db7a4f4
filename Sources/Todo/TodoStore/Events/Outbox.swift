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
    /// Rows are read by the index, in its order.
    private static let reader = Identity.system.readingInOrder(true)
    /// So long reminders wait at most while many others are being fired (`FireStore.Order.isRush`).
    private static let longestRush: Duration = .milliseconds(500)

    public struct Entry: Sendable, Hashable, Identifiable {
        /// Of each kind, changes and reminders, in the order of publication; per person also that of their changes.
        public let id: Int64
        /// Of the event, which its consumers know it by.
        public let event: UUID
        /// Order is kept among entries of one person.
        public let user: UUID
        public let topic: String
        /// The CloudEvent in JSON.
        public let body: [UInt8]

        var isReminder: Bool { topic == ReminderEvent.topic }

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
        /// There are only reminders, and they wait for those that are due as well and have yet to be fired. Also told by
        /// a process that would not have been the one to publish them.
        case firing
        /// So many were published and are gone from the table. `held` were not taken, or come after one of the same
        /// person that was not: they go out again, all of them, so that the last time they are in order.
        case published(Int, held: Int = 0)
    }

    /// Hands the oldest entries of each kind to `publish`, about `limit` and some megabytes at a time, and removes those
    /// whose ids it returns; the next ones are read while it is at work. Who has an entry that was not taken waits with
    /// all that comes after it, and nobody else does. Ends with a portion that is not full. Only one process at a time
    /// does so (a lock of the transaction, so that a pooler is no obstacle). When the process dies in between, the entries
    /// of a few portions are published again: at least once.
    ///
    /// Changes go before reminders: somebody sees at once when they are late, and reminders come thousands at a time. As
    /// much as a fifth of a portion is added for those all the same, in number and in bytes, however many or large the
    /// changes are. While thousands are being fired they wait, so that publishing the first ones does not make the last
    /// ones late: until the oldest is half a second old, and the changes of a run that began before that are out.
    public func drain(
        limit: Int, _ publish: @Sendable ([Entry]) async throws -> Set<Int64>
    ) async throws -> Outcome {
        let waiting = try await waiting()
        guard waiting.hasChanges || waiting.hasReminders && !waiting.isRush else {
            return waiting.hasReminders ? .firing : .empty
        }
        return try await database.transaction { database in
            let lock = try await database.rows(
                as: Self.reader, "outbox.lock",
                """
                SELECT pg_try_advisory_xact_lock(\(Self.lockKey)), set_config('enable_seqscan', 'off', true),
                    pg_current_snapshot()::text
                """)
            guard let (isMine, _, snapshot) = try lock.first?.decode(Bool.self, String.self, String.self), isMine else {
                return .busy
            }
            let start = Place(snapshot: snapshot, reminders: waiting.isRush ? nil : 0)
            return try await database.outbox.drain(limit, from: start, publish)
        }
    }

    private func waiting() async throws -> (hasChanges: Bool, hasReminders: Bool, isRush: Bool) {
        let patience = "\(Self.longestRush / .milliseconds(1)) milliseconds"
        let rows = try await database.rows(
            as: Self.reader, "outbox.waiting",
            """
            SELECT (SELECT id FROM outbox WHERE NOT is_reminder ORDER BY id LIMIT 1) IS NOT NULL, r.oldest IS NOT NULL, CASE
                WHEN r.oldest > clock_timestamp() - interval '\(raw: patience)'
                THEN NOT pg_try_advisory_xact_lock(\(FireStore.rushKey)) ELSE false END
            FROM (SELECT (SELECT created_at FROM outbox WHERE is_reminder ORDER BY id LIMIT 1) AS oldest) r
            """)
        return try rows.first?.decode(Bool.self, Bool.self, Bool.self) ?? (false, false, false)
    }

    private func drain(
        _ limit: Int, from start: Place, _ publish: @Sendable ([Entry]) async throws -> Set<Int64>
    ) async throws -> Outcome {
        var place = start
        var portion = try await step(removing: [], after: place, limit)
        guard !portion.isEmpty else { return .empty }
        var lanes = Lanes()
        var done: [Entry] = []
        var (count, held) = (0, 0)
        var turn = 0
        while true {
            let isFull = portion.count >= limit || Self.bytes(portion) >= Self.portionBytes
            place.pass(portion)
            let open = portion.filter(lanes.isOpen)
            // What only waits is passed by, however much it is: others come after it.
            if !open.isEmpty { turn += 1 }
            let (last, gone) = (turn < Self.longestRun && isFull ? place : nil, done)
            async let following = step(removing: gone, after: last, limit)
            var isDown = false
            do {
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

    /// The last entries that were read.
    private struct Place {
        var changes: Int64 = 0
        /// No change is read that was committed later: one before it of the same person, even of the same transaction, may
        /// have belonged into a portion that was read by then. A snapshot does not name subtransactions: nothing is
        /// written in one.
        let snapshot: String
        /// Nil: reminders are left where they are.
        var reminders: Int64?

        mutating func pass(_ portion: [Entry]) {
            changes = portion.last { !$0.isReminder }?.id ?? changes
            reminders = reminders.map { before in portion.last { $0.isReminder }?.id ?? before }
        }
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
        mutating func settle(_ entries: [Entry], taken: Set<Int64>) -> [Entry] {
            var settled: [Entry] = []
            for entry in entries where isOpen(entry) {
                if taken.contains(entry.id) { settled.append(entry) } else { closed.insert(Lane(entry)) }
            }
            return settled
        }
    }

    /// Removes what was published, and reads what comes after a place unless that is nil, in one round trip.
    private func step(removing done: [Entry], after place: Place?, _ limit: Int) async throws -> [Entry] {
        // By the range, however it is planned: of a table that is empty most of the time PostgreSQL believes that it always
        // is, and may look at all rows of a kind for those in a list.
        var queries = [false, true].compactMap { isReminder -> PostgresQuery? in
            let ids = done.lazy.filter { $0.isReminder == isReminder }.map(\.id).sorted()
            guard let first = ids.first, let last = ids.last else { return nil }
            let remove: SQLFragment = """
                DELETE FROM outbox WHERE \(raw: isReminder ? "is_reminder" : "NOT is_reminder")
                AND id BETWEEN \(first) AND \(last) AND id = ANY (\(ids))
                """
            return remove.query(named: "outbox.remove.\(isReminder ? "reminders" : "changes")")
        }
        guard let place else {
            if !queries.isEmpty { _ = try await database.read(as: Self.reader, queries) }
            return []
        }
        let take: SQLFragment = """
            WITH start AS MATERIALIZED (SELECT \(place.snapshot)::text::pg_snapshot AS snapshot),
            changes AS MATERIALIZED (
                SELECT * FROM outbox WHERE NOT is_reminder AND id > \(place.changes)
                    AND age(xmin) > age((SELECT pg_snapshot_xmax(snapshot)::xid FROM start))
                    AND xmin <> ALL (ARRAY(SELECT pg_snapshot_xip(snapshot)::xid FROM start))
                ORDER BY id LIMIT \(limit))
            SELECT b.id, b.event_id, b.user_id, b.topic, b.body FROM (
                SELECT o.*, sum(octet_length(o.body::text)) OVER (
                    ORDER BY o.is_reminder, o.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes
                FROM (
                    SELECT * FROM changes UNION ALL (
                        SELECT * FROM outbox WHERE is_reminder AND id > \(place.reminders ?? .max) ORDER BY id
                        LIMIT (SELECT GREATEST(\(limit) - count(*), \(limit) / 5) FROM changes))) o) b
            WHERE b.bytes IS NULL OR b.bytes < \(Self.portionBytes) OR b.is_reminder AND b.bytes < \(Self.portionBytes / 5)
                + (SELECT sum(octet_length(c.body::text)) FROM changes c)
            ORDER BY b.is_reminder, b.id
            """
        queries.append(take.query(named: "outbox.take"))
        return try await database.read(as: Self.reader, queries).last.map { rows in
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
