internal import Logging
internal import Metrics
internal import Postgres
internal import StructuredData
public import TodoModel

extension AuditLog {
    /// One replica drops entries at a time: "retain" in ASCII.
    private static let retentionLock: Int64 = 0x72_6574_6169_6e
    /// So many rows at a time, so that nobody waits for long.
    private static let portion = 1000

    /// Drops what was written down before `cutoff`, up to the newest checkpoint that was signed by then, which stays: the
    /// rest of the chains follows from it. Returns how many entries went.
    ///
    /// What is to go is verified before, since nobody could afterwards: an `ExportFault` names what somebody touched, and
    /// nothing is dropped. Then an anchor is signed, at which every later export begins; only then rows go, in portions.
    /// Whenever that is interrupted the log can be verified, and the next call goes on. A call while another one is at it
    /// does nothing.
    @discardableResult
    public func dropEntries(before cutoff: Instant) async throws -> Int {
        try await makeCheckpoint()
        var dropped = 0
        do {
            if let next = try await checkpointToKeep(at: cutoff) {
                try await verify(upTo: next)
                try await anchor(at: next)
            }
            guard let anchor = try await anchor()?.anchor else { return 0 }
            for shard in 0..<AuditShard.count {
                dropped += try await deleteAll(
                    """
                    DELETE FROM audit.entries WHERE shard = \(Int16(shard)) AND index = ANY (ARRAY(
                        SELECT e.index FROM audit.entries AS e JOIN audit.heads AS h ON h.shard = e.shard
                        WHERE e.shard = \(Int16(shard)) AND e.index <= h.dropped ORDER BY e.index LIMIT \(Self.portion)))
                    """)
            }
            _ = try await deleteAll(
                """
                DELETE FROM audit.checkpoints WHERE index = ANY (ARRAY(
                    SELECT index FROM audit.checkpoints WHERE index < \(anchor.checkpoint) ORDER BY index
                    LIMIT \(Self.portion)))
                """)
        } catch  where error is OtherAtWork || error is LogShortened {
            logger.info("another replica is dropping entries")
        }
        metrics.dropped.increment(by: dropped)
        return dropped
    }

    /// Where the log begins; nil when it begins with its first entry.
    func anchor() async throws -> SignedAnchor? {
        try await pool.query("SELECT body FROM audit.retention").first.map { row in
            guard let anchor = SignedAnchor(try JSON(parsing: try row.decode("body", as: String.self))) else {
                throw ChainCutBack(description: "audit.retention holds no anchor; restore it from a backup")
            }
            return anchor
        }
    }

    /// The newest checkpoint of that time; nil when the log begins there or later already.
    private func checkpointToKeep(at cutoff: Instant) async throws -> Checkpoint? {
        let query: PostgresQuery = """
            SELECT body FROM audit.checkpoints
            WHERE time <= \(PostgresTimestamp(cutoff))
                AND index > COALESCE((SELECT checkpoint FROM audit.retention), 0)
            ORDER BY time DESC, index DESC LIMIT 1
            """
        guard let row = try await pool.query(query).first else { return nil }
        let checkpoint = try Self.checkpoint(row).checkpoint
        // The column is not signed: by another date there more would go than is old.
        guard checkpoint.time <= cutoff else {
            throw ChainCutBack(
                description: "audit.checkpoints has another time for checkpoint \(checkpoint.index) than was signed; "
                    + "restore it from a backup")
        }
        return checkpoint
    }

    private func verify(upTo checkpoint: Checkpoint) async throws {
        var check = ExportCheck()
        try await export(upTo: checkpoint) { try check.take($0) }
        try check.finish()
    }

    private func anchor(at checkpoint: Checkpoint) async throws {
        let anchor = try RetentionAnchor.signed(at: checkpoint, time: .now(), by: secrets.signing)
        let counts = checkpoint.heads.map(\.count)
        try await alone { connection in
            let moved = try await connection.query(
                """
                INSERT INTO audit.retention AS r (checkpoint, body) VALUES (\(checkpoint.index), \(anchor.line))
                ON CONFLICT (one) DO UPDATE SET checkpoint = EXCLUDED.checkpoint, body = EXCLUDED.body
                WHERE r.checkpoint < EXCLUDED.checkpoint
                """)
            // Another replica has moved it. This one, for which that one may just have given way, goes on with the rest.
            guard moved.affected > 0 else { return }
            try await connection.query(
                """
                UPDATE audit.heads AS h SET dropped = c.count
                FROM unnest(\(counts)) WITH ORDINALITY AS c (count, place) WHERE h.shard = c.place - 1
                """)
        }
    }

    /// Runs a statement that deletes a portion until there is nothing left. Returns how many rows went.
    private func deleteAll(_ statement: PostgresQuery) async throws -> Int {
        var total = 0
        while true {
            try Task.checkCancellation()
            let count = try await alone { try await $0.query(statement).affected }
            total += count
            if count == 0 { return total }
        }
    }

    private struct OtherAtWork: Error {}

    /// Runs `body` in a transaction while no other replica does; throws `OtherAtWork` when one does. Of those that begin
    /// together one goes on, as none gives way while it has its turn.
    private func alone<Value: Sendable>(
        _ body: @Sendable (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await pool.withTransaction { connection in
            let found = try await connection.batch([
                .asLog, "SELECT pg_try_advisory_xact_lock(\(Self.retentionLock))",
            ])
            guard let row = found[1].first, try row.decode(Bool.self) else { throw OtherAtWork() }
            return try await body(connection)
        }
    }
}

/// The log was shortened while somebody read it.
struct LogShortened: Error, CustomStringConvertible {
    let description = "entries that are older than the log keeps were dropped meanwhile; export it again"
}
