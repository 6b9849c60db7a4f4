internal import Metrics
internal import Postgres
internal import StructuredData
internal import TodoModel

extension AuditLog {
    /// Two replicas take turns, and the second finds what the first made: "audit" in ASCII.
    private static let lockKey: Int64 = 0x61_7564_6974

    /// Signs where the chains are now, unless nothing was added since the newest checkpoint, or that one is younger than
    /// `age`. Returns the newest.
    ///
    /// Throws `ChainCutBack` when entries are missing that a checkpoint covers: that must not be signed.
    @discardableResult
    public func makeCheckpoint(unlessYoungerThan age: Duration = .zero) async throws -> SignedCheckpoint {
        let (newest, isNew) = try await pool.withTransaction { connection in
            let found = try await connection.batch([
                "SELECT 1::int4 FROM pg_advisory_xact_lock(\(Self.lockKey))",
                "SELECT body FROM audit.checkpoints ORDER BY index DESC LIMIT 1",
                "SELECT count, hash FROM audit.heads ORDER BY shard",
            ])
            let newest = try found[1].first.map { try Self.checkpoint($0) }
            let heads = try found[2].map { row in
                let (count, hash) = try row.decode(Int.self, [UInt8].self)
                return ChainHead(count: count, hash: ChainHash(hash) ?? .zero)
            }
            let now = Instant.now()
            if let newest {
                try Self.check(heads, extend: newest.checkpoint)
                // One from the future was signed by a clock that was wrong: nobody waits until its time has come.
                let distance = now.microsecondsSince1970 - newest.checkpoint.time.microsecondsSince1970
                let isYoung = Double(distance.magnitude) < age / .microseconds(1)
                if newest.checkpoint.heads == heads || isYoung { return (newest, false) }
            }
            let next = try Checkpoint.signed(
                index: (newest?.checkpoint.index ?? 0) + 1, time: now, heads: heads,
                previous: newest?.checkpoint.hash ?? .zero, by: secrets.signing)
            try await connection.query(
                """
                INSERT INTO audit.checkpoints (index, time, body)
                VALUES (\(next.checkpoint.index), \(PostgresTimestamp(now)), \(next.line))
                """)
            return (next, true)
        }
        if isNew { metrics.checkpoints.increment() }
        metrics.newestCheckpoint.record(Double(newest.checkpoint.time.microsecondsSince1970) / 1_000_000)
        return newest
    }

    /// Checkpoints below `index`, the newest first.
    func checkpoints(below index: Int, limit: Int) async throws -> [SignedCheckpoint] {
        try await pool.query(
            "SELECT body FROM audit.checkpoints WHERE index < \(index) ORDER BY index DESC LIMIT \(limit)"
        ).map { try Self.checkpoint($0) }
    }

    static func checkpoint(_ row: PostgresRow) throws -> SignedCheckpoint {
        guard let signed = SignedCheckpoint(try JSON(parsing: try row.decode("body", as: String.self))) else {
            throw ChainCutBack(description: "a checkpoint in the database is not one; restore it from a backup")
        }
        return signed
    }

    private static func check(_ heads: [ChainHead], extend newest: Checkpoint) throws(ChainCutBack) {
        guard heads.count == newest.heads.count else {
            throw ChainCutBack(description: "audit.heads lacks a shard; restore it from a backup")
        }
        for (shard, (head, signed)) in zip(heads, newest.heads).enumerated()
        where head.count < signed.count || (head.count == signed.count && head != signed) {
            throw ChainCutBack(
                description: "shard \(shard) has \(head.count) entries where checkpoint \(newest.index) signed "
                    + "\(signed.count), or other ones: somebody changed the log; restore it from a backup")
        }
    }
}

/// The chains in the database are not those that were signed.
public struct ChainCutBack: Error, Sendable, CustomStringConvertible {
    public let description: String
}

extension SignedCheckpoint {
    /// Its line in an export, without the line feed.
    var line: String { String(decoding: json.encoded(sortedKeys: true), as: UTF8.self) }
}
