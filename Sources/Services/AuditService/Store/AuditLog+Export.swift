internal import FoundationEssentials
internal import Postgres
internal import TodoModel

extension AuditLog {
    private static let pageSize = 500

    /// Hands out the whole log, some lines at a time: where it was shortened first the anchor; then all checkpoints, then
    /// the entries that the newest covers, by shard and index. A new checkpoint is made first, so nothing that was in the
    /// log before the call is left out.
    ///
    /// Entries and checkpoints never change, so pages read one after the other fit together. They may be dropped: then
    /// `LogShortened` is thrown.
    public func export(_ write: ([UInt8]) async throws -> Void) async throws {
        try await export(upTo: try await makeCheckpoint().checkpoint, write)
    }

    /// The same, of what `newest` covers.
    func export(upTo newest: Checkpoint, _ write: ([UInt8]) async throws -> Void) async throws {
        let anchor = try await anchor()
        if let anchor { try await write(Array("\(anchor.line)\n".utf8)) }
        let start = anchor?.anchor.checkpoint
        var first = (start ?? 1) - 1
        var heads: [ChainHead]?
        while first < newest.index {
            let rows = try await page(
                """
                SELECT index, body FROM audit.checkpoints WHERE index > \(first) AND index <= \(newest.index)
                ORDER BY index LIMIT \(Self.pageSize)
                """, of: start)
            guard let last = rows.last else { break }
            if start != nil, heads == nil { heads = try rows.first.map { try Self.checkpoint($0).checkpoint.heads } }
            first = try last.decode(Int.self)
            try await write(rows.flatMap { try Array($0.decode("body", as: String.self).utf8) + [UInt8(ascii: "\n")] })
        }
        for (shard, head) in newest.heads.enumerated() {
            try await export(shard, from: heads?[shard].count ?? 0, upTo: head.count, of: start, write)
        }
    }

    private func export(
        _ shard: Int, from start: Int, upTo count: Int, of anchor: Int?, _ write: ([UInt8]) async throws -> Void
    ) async throws {
        var index = start
        while index < count {
            let query: PostgresQuery = """
                SELECT \(raw: Self.columns), hash FROM audit.entries AS e
                WHERE shard = \(Int16(shard)) AND index > \(index) AND index <= \(count) ORDER BY index LIMIT \(Self.pageSize)
                """
            let rows = try await page(query.named("audit.export"), of: anchor)
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

    /// The rows of `query`, while the log still begins at the checkpoint `anchor`. Rows go after the anchor has moved, so
    /// it is asked for after them.
    private func page(_ query: PostgresQuery, of anchor: Int?) async throws -> PostgresRows {
        let found = try await pool.batch([.asLog, query, "SELECT checkpoint FROM audit.retention"])
        guard try found[2].first?.decode(Int.self) == anchor else { throw LogShortened() }
        return found[1]
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
