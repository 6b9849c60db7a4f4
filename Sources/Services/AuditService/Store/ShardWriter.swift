internal import FoundationEssentials
internal import Metrics
internal import Postgres
internal import TodoModel

/// An event whose content has been sealed, on its way into a chain.
struct SealedEvent: Sendable {
    let event: AuditEvent
    let content: [UInt8]?
}

/// Appends to one chain. What comes while a transaction is under way is gathered into the next one, so many small
/// deliveries cost few commits.
///
/// Other replicas may append to the same chain: the row of its head is locked while a transaction extends it, and only
/// then is looked up which events are in the log already.
actor ShardWriter {
    /// How many entries are written at a time, give or take one caller's.
    private static let batchSize = 1000

    private struct Waiting {
        let events: [SealedEvent]
        let continuation: CheckedContinuation<Void, any Error>
    }

    private let shard: Int
    private let pool: PostgresPool
    private let appended: Counter
    private var waiting: [Waiting] = []
    private var isWriting = false

    /// - Parameter appended: counts entries.
    init(shard: Int, pool: PostgresPool, appended: Counter) {
        self.shard = shard
        self.pool = pool
        self.appended = appended
    }

    /// Returns once the events are in the log, durable as the database is. Those that had been before stay as they are.
    /// When it throws, none of them is in it, unless the connection was lost at the commit.
    func append(_ events: [SealedEvent]) async throws {
        try await withCheckedThrowingContinuation { continuation in
            waiting.append(Waiting(events: events, continuation: continuation))
            guard !isWriting else { return }
            isWriting = true
            Task { await writeAll() }
        }
    }

    private func writeAll() async {
        while !waiting.isEmpty {
            let batch = takeBatch()
            do {
                appended.increment(by: try await write(batch.flatMap(\.events)))
                for caller in batch { caller.continuation.resume() }
            } catch {
                for caller in batch { caller.continuation.resume(throwing: error) }
            }
        }
        isWriting = false
    }

    private func takeBatch() -> [Waiting] {
        var count = 0
        let batch = waiting.prefix { caller in
            defer { count += caller.events.count }
            return count == 0 || count + caller.events.count <= Self.batchSize
        }
        waiting.removeFirst(batch.count)
        return Array(batch)
    }
}

extension ShardWriter {
    /// A replica that is stopped in the midst of a transaction must not hold the chain for long.
    private static let limits: PostgresQuery = """
        SELECT set_config('lock_timeout', '5s', true), set_config('idle_in_transaction_session_timeout', '10s', true)
        """

    /// Returns how many were not in the log.
    private func write(_ events: [SealedEvent]) async throws -> Int {
        try await pool.withTransaction(attempts: 3) { connection in
            let ids = events.map(\.event.id)
            let lock: PostgresQuery =
                "SELECT count, hash FROM audit.heads WHERE shard = \(Int16(shard)) FOR UPDATE"
            let lookUp: PostgresQuery =
                "SELECT event_id FROM audit.entries WHERE shard = \(Int16(shard)) AND event_id = ANY(\(ids))"
            let found = try await connection.batch([
                .asLog, Self.limits, lock.named("audit.lock-head"), lookUp.named("audit.known-events"),
            ])
            var head = try Self.head(found[2])
            var seen: Set<UUID> = []
            for row in found[3] { seen.insert(try row.decode(UUID.self)) }
            let fresh = events.filter { seen.insert($0.event.id).inserted }
            guard !fresh.isEmpty else { return 0 }
            try await connection.batch([insertion(of: fresh, after: &head), update(to: head)])
            return fresh.count
        }
    }

    private static func head(_ rows: PostgresRows) throws -> ChainHead {
        guard let row = rows.first, case let (count, bytes) = try row.decode(Int.self, [UInt8].self),
            let hash = ChainHash(bytes)
        else { throw PostgresError.misuse("audit.heads lacks a shard: restore it from a backup") }
        return ChainHead(count: count, hash: hash)
    }

    /// Extends `head`.
    private func insertion(of events: [SealedEvent], after head: inout ChainHead) -> PostgresQuery {
        let recorded = Instant.now()
        var entries: [AuditEntry] = []
        var hashes: [[UInt8]] = []
        for sealed in events {
            let event = sealed.event
            let entry = AuditEntry(
                shard: shard, index: head.count + 1, event: event.id, type: event.type,
                time: event.time ?? recorded, recorded: recorded, user: event.user, actor: event.actor,
                subject: event.subject, content: sealed.content)
            entries.append(entry)
            hashes.append(head.append(entry).bytes)
        }
        let query: PostgresQuery = """
            INSERT INTO audit.entries
                (user_id, index, event_id, type, time, actor_id, subject_id, content, hash, shard, recorded_at)
            SELECT row.*, \(Int16(shard)), \(PostgresTimestamp(recorded)) FROM unnest(
                \(entries.map(\.user)), \(entries.map(\.index)), \(entries.map(\.event)), \(entries.map(\.type)),
                \(entries.map { PostgresTimestamp($0.time) }), \(entries.map(\.actor)), \(entries.map(\.subject)),
                \(entries.map(\.content)), \(hashes)) AS row
            """
        return query.named("audit.append")
    }

    private func update(to head: ChainHead) -> PostgresQuery {
        let query: PostgresQuery =
            "UPDATE audit.heads SET count = \(head.count), hash = \(head.hash.bytes) WHERE shard = \(Int16(shard))"
        return query.named("audit.move-head")
    }
}

extension PostgresTimestamp {
    init(_ instant: Instant) { self.init(microsecondsSince1970: instant.microsecondsSince1970) }
}
