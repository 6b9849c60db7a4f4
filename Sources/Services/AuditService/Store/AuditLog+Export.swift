internal import FoundationEssentials
internal import Postgres
internal import TodoModel

extension AuditLog {
    private static let pageSize = 500

    /// Hands out the whole log, some lines at a time: all checkpoints, then the entries that the newest covers, by shard
    /// and index. A new checkpoint is made first, so nothing that was in the log before the call is left out.
    ///
    /// Entries and checkpoints never change, so pages read one after the other fit together.
    public func export(_ write: ([UInt8]) async throws -> Void) async throws {
        let newest = try await makeCheckpoint().checkpoint
        var index = 0
        while index < newest.index {
            let rows = try await pool.query(
                """
                SELECT index, body FROM audit.checkpoints WHERE index > \(index) AND index <= \(newest.index)
                ORDER BY index LIMIT \(Self.pageSize)
                """)
            guard let last = rows.last else { break }
            index = try last.decode(Int.self)
            try await write(rows.flatMap { try Array($0.decode("body", as: String.self).utf8) + [UInt8(ascii: "\n")] })
        }
        for (shard, head) in newest.heads.enumerated() {
            try await export(shard, upTo: head.count, write)
        }
    }

    private func export(_ shard: Int, upTo count: Int, _ write: ([UInt8]) async throws -> Void) async throws {
        var index = 0
        while index < count {
            let query: PostgresQuery = """
                SELECT \(raw: Self.columns), hash FROM audit.entries AS e
                WHERE shard = \(Int16(shard)) AND index > \(index) AND index <= \(count) ORDER BY index LIMIT \(Self.pageSize)
                """
            let rows = try await pool.batch([.asLog, query.named("audit.export")])[1]
            var lines: [UInt8] = []
            for row in rows {
                let entry = try AuditEntry(row)
                let hash = ChainHash(try row.decode("hash", as: [UInt8].self)) ?? .zero
                ExportRow.write(entry, hash: hash, into: &lines)
                index = entry.index
            }
            // Somebody removed rows: the export says so, by what is missing in it.
            guard !rows.isEmpty else { return }
            try await write(lines)
        }
    }

    /// What `AuditEntry.init` reads.
    static let columns = """
        e.shard, e.index, e.event_id, e.type, e.time, e.recorded_at, e.user_id, e.actor_id, e.subject_id, e.content
        """
}

extension AuditEntry {
    /// From `AuditLog.columns`.
    init(_ row: PostgresRow) throws(PostgresError) {
        let (shard, index, event, type, time, recorded, user, actor, subject, content) = try row.decode(
            Int.self, Int.self, UUID.self, String.self, PostgresTimestamp.self, PostgresTimestamp.self, UUID.self,
            UUID?.self, UUID?.self, [UInt8]?.self)
        self.init(
            shard: shard, index: index, event: event, type: type, time: Instant(time), recorded: Instant(recorded),
            user: user, actor: actor, subject: subject, content: content)
    }
}

extension Instant {
    init(_ timestamp: PostgresTimestamp) { self.init(microsecondsSince1970: timestamp.microsecondsSince1970) }
}
