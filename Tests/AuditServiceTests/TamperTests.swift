import FoundationEssentials
import Postgres
import StructuredData
import Testing
import TodoModel

@testable import AuditService

/// Somebody with the database's superuser at hand.
@Suite(.timeLimit(.minutes(10))) struct TamperTests {
    /// A log with five entries of one person, then whatever `sql` does to it; returns the shard and the first fault.
    private func fault(after sql: (_ shard: Int) -> String) async throws -> (shard: Int, fault: ExportFault?) {
        let database = try await AuditDatabase.make()
        return try await database.withLog { log in
            var events = Events()
            let user = events.id()
            for _ in 0..<5 { _ = try await EventDelivery(log: log).statuses([events.task(of: user)]) }
            try await log.makeCheckpoint()
            let shard = AuditShard.of(user)
            try await database.psql(sql(shard))
            do {
                _ = try await log.verified()
                return (shard, nil)
            } catch let fault as ExportFault {
                return (shard, fault)
            }
        }
    }

    @Test func `an untouched database exports an intact log`() async throws {
        #expect(try await fault { _ in "SELECT 1" }.fault == nil)
    }

    @Test(arguments: [
        ("UPDATE audit.entries SET type = 'x' WHERE index = 3", 3),
        ("UPDATE audit.entries SET content = content || '\\x00' WHERE index = 3", 3),
        ("UPDATE audit.entries SET time = time + interval '1 microsecond' WHERE index = 3", 3),
        ("UPDATE audit.entries SET actor_id = NULL WHERE index = 1", 1),
        ("UPDATE audit.entries SET hash = sha256(hash) WHERE index = 3", 3),
        ("DELETE FROM audit.entries WHERE index = 3", 3),
        ("DELETE FROM audit.entries WHERE index = 5", 5),
        ("DELETE FROM audit.entries", 1),
        (
            """
            UPDATE audit.entries SET index = index + 100 WHERE index IN (2, 3);
            UPDATE audit.entries SET index = 105 - index WHERE index > 100
            """, 2
        ),
        (
            """
            UPDATE audit.entries SET index = index + 100 WHERE index > 2;
            UPDATE audit.entries SET index = index - 99 WHERE index > 100;
            INSERT INTO audit.entries SELECT user_id, shard, 3, gen_random_uuid(), type, time, recorded_at, actor_id,
                subject_id, content, hash FROM audit.entries WHERE index = 2
            """, 3
        ),
    ])
    func `a row that somebody touched is named`(_ sql: String, _ index: Int) async throws {
        let (shard, fault) = try await fault { _ in sql }
        #expect(fault?.place == .row(shard: shard, index: index), "\(fault?.description ?? "nothing")")
    }

    @Test func `a checkpoint that somebody touched is named`() async throws {
        let changed = "UPDATE audit.checkpoints SET body = replace(body, '\"index\":1', '\"index\":2')"
        #expect(try await fault { _ in changed }.fault != nil)
    }

    @Test func `a chain that was cut back in the database is not signed again`() async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            let user = events.id()
            for _ in 0..<3 { _ = try await EventDelivery(log: log).statuses([events.task(of: user)]) }
            try await log.makeCheckpoint()
            try await database.psql(
                """
                DELETE FROM audit.entries WHERE index = 3;
                UPDATE audit.heads SET count = 2, hash = e.hash FROM audit.entries AS e
                WHERE e.index = 2 AND heads.shard = e.shard
                """)
            await #expect(throws: ChainCutBack.self) { try await log.makeCheckpoint() }
            // Nor when it has grown past the place again, with other entries.
            for _ in 0..<2 { _ = try await EventDelivery(log: log).statuses([events.task(of: user)]) }
            await #expect(throws: ExportFault.self) { try await log.verified() }
        }
    }
}
