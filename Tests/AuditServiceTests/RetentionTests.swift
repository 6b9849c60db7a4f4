import Crypto
import FoundationEssentials
import HTTPTypes
import Postgres
import StructuredData
import Testing
import TodoModel

@testable import AuditService

/// The log drops what is older than it keeps, and what is left verifies from a signed place on.
@Suite(.timeLimit(.minutes(10))) struct RetentionTests {
    private func fault(_ log: AuditLog) async throws -> ExportFault? {
        do {
            _ = try await log.verified()
            return nil
        } catch let fault as ExportFault {
            return fault
        }
    }

    @Test func `what is older goes with its checkpoints, and the rest verifies from the checkpoint that is kept`()
        async throws
    {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            let users = (0..<20).map { _ in events.id() }
            func append() async throws -> Checkpoint {
                _ = try await EventDelivery(log: log).statuses(users.map { events.task(of: $0) })
                return try await log.makeCheckpoint().checkpoint
            }
            let (first, second) = (try await append(), try await append())
            #expect(try await log.dropEntries(before: first.time) == 20)
            let third = try await append()
            let summary = try await log.verified()
            #expect(summary.rows == 40 && summary.checkpoints == 3)
            #expect(summary.since == first && summary.newest == third)
            // Nothing is left to do, and the dropped ones are gone.
            #expect(try await log.dropEntries(before: first.time) == 0)
            #expect(try await database.psql("SELECT count(*) FROM audit.entries") == "40")
            // An event that comes late goes to the end of its chain, as ever.
            #expect(try await log.dropEntries(before: second.time) == 20)
            #expect(try await log.dropEntries(before: .now()) == 20)
            let empty = try await log.verified()
            #expect(empty.rows == 0 && empty.checkpoints == 1 && empty.since == third)
            _ = try await append()
            #expect(try await log.verified().rows == 20)
        }
    }

    /// After any sequence of appends, checkpoints and purges the log verifies, and a row that somebody touches is named.
    @Test(arguments: 0..<8)
    func `a log that was shortened any number of times verifies, and names what was touched`(_ seed: UInt64)
        async throws
    {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var (random, events) = (SeededRandom(seed: seed), Events())
            let users = (0..<6).map { _ in events.id() }
            var times = [Instant.now()]
            for _ in 0..<25 {
                switch Int.random(in: 0..<6, using: &random) {
                case 0..<3:
                    let count = Int.random(in: 1...9, using: &random)
                    let bulk = (0..<count).map { _ in events.task(of: users.randomElement(using: &random) ?? users[0]) }
                    _ = try await EventDelivery(log: log).statuses(bulk)
                case 3: try await log.makeCheckpoint()
                case 4: times.append(.now())
                default:
                    try await log.dropEntries(before: times.randomElement(using: &random) ?? .now())
                    #expect(try await fault(log) == nil)
                }
            }
            _ = try await EventDelivery(log: log).statuses(users.map { events.task(of: $0) })
            try await log.dropEntries(before: times.randomElement(using: &random) ?? .now())
            #expect(try await fault(log) == nil)
            let rows = try await database.psql("SELECT shard || ' ' || index FROM audit.entries ORDER BY shard, index")
                .split(separator: "\n").map { $0.split(separator: " ").compactMap { Int($0) } }
            let row = try #require(rows.randomElement(using: &random))
            try await database.psql(
                "UPDATE audit.entries SET type = 'x' WHERE shard = \(row[0]) AND index = \(row[1])")
            #expect(try await fault(log)?.place == .row(shard: row[0], index: row[1]))
            // Nobody could tell afterwards, so nothing is dropped either.
            _ = try await log.makeCheckpoint()
            await #expect(throws: ExportFault.self) { try await log.dropEntries(before: .now()) }
            #expect(try await fault(log)?.place == .row(shard: row[0], index: row[1]))
        }
    }

    /// Somebody with the superuser at hand, on a log that was shortened.
    @Test(arguments: [
        "UPDATE audit.retention SET body = replace(body, '\"checkpoint\":2', '\"checkpoint\":3')",
        "DELETE FROM audit.retention",
        "DELETE FROM audit.checkpoints WHERE index = 2",
        "DELETE FROM audit.checkpoints WHERE index = 3",
        "DELETE FROM audit.checkpoints WHERE index = 2; UPDATE audit.retention SET checkpoint = 3",
        "DELETE FROM audit.entries WHERE index = 3",
        "DELETE FROM audit.entries WHERE index = 5",
        """
        INSERT INTO audit.entries SELECT user_id, shard, 2, gen_random_uuid(), type, time, recorded_at, actor_id,
            subject_id, content, hash FROM audit.entries WHERE index = 3;
        UPDATE audit.entries SET index = 9 WHERE index = 3
        """,
    ])
    func `a log that somebody else shortens does not verify`(_ sql: String) async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            let user = events.id()
            var kept: [Checkpoint] = []
            for _ in 0..<5 {
                _ = try await EventDelivery(log: log).statuses([events.task(of: user)])
                kept.append(try await log.makeCheckpoint().checkpoint)
            }
            #expect(try await log.dropEntries(before: kept[1].time) == 2)
            #expect(try await fault(log) == nil)
            try await database.psql(sql)
            await #expect(throws: (any Error).self) { try await log.verified() }
        }
    }

    @Test func `the service's own login deletes no entry that no anchor speaks of`() async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            let user = events.id()
            for _ in 0..<3 { _ = try await EventDelivery(log: log).statuses([events.task(of: user)]) }
            try await log.makeCheckpoint()
            #expect(try await log.dropEntries(before: .now()) == 3)
            for _ in 0..<2 { _ = try await EventDelivery(log: log).statuses([events.task(of: user)]) }
            let deleted = try await log.pool.withTransaction { connection in
                try await connection.query(.asLog)
                return try await connection.query("DELETE FROM audit.entries").affected
            }
            #expect(deleted == 0)
            #expect(try await log.verified().rows == 2)
        }
    }

    @Test func `two replicas that are called at once drop each entry once`() async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { first in
            try await database.withLog { second in
                var events = Events()
                let users = (0..<30).map { _ in events.id() }
                for _ in 0..<4 {
                    _ = try await EventDelivery(log: first).statuses(
                        users.flatMap { user in (0..<20).map { _ in events.task(of: user) } })
                }
                try await first.makeCheckpoint()
                let cutoff = Instant.now()
                async let one = first.dropEntries(before: cutoff)
                async let other = second.dropEntries(before: cutoff)
                #expect(try await one + other == 2400)
                #expect(try await first.verified().rows == 0)
            }
        }
    }

    @Test func `an export during which the log is shortened breaks off`() async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            let user = events.id()
            _ = try await EventDelivery(log: log).statuses((0..<1200).map { _ in events.task(of: user) })
            try await log.makeCheckpoint()
            var writes = 0
            await #expect(throws: LogShortened.self) {
                try await log.export { _ in
                    writes += 1
                    if writes == 2 { try await log.dropEntries(before: .now()) }
                }
            }
            #expect(try await log.verified().rows == 0)
        }
    }

    @Test func `the sidecar's daily call drops what is older, and nobody else's does`() async throws {
        let database = try await AuditDatabase.make()
        try await RunningAudit.with(database: database, ["TODO_AUDIT_RETENTION_DAYS": "30"]) { one in
            var events = Events()
            let user = events.id()
            try await one.deliver([events.task(of: user)])
            try await database.withLog { _ = try await $0.makeCheckpoint() }
            let path = try #require(EventFlow.dailyJobs(of: "audit").first?.path)
            func call(_ token: String?) async throws -> Int {
                try await one.send(.post, path, nil, RunningAudit.sidecar(token)).status
            }
            #expect(try await call(nil) == 401)
            #expect(try await call(RunningAudit.sidecarToken) == 200)
            #expect(try await database.psql("SELECT count(*) FROM audit.entries") == "1", "it is not old")
            // Another date beside what was signed drops nothing.
            try await database.psql("UPDATE audit.checkpoints SET time = time - interval '31 days'")
            #expect(try await call(RunningAudit.sidecarToken) == 500)
            // A month goes by.
            try await database.withLog { log in
                var old = try #require(try await log.checkpoints(below: 2, limit: 1).first).checkpoint
                old.time = Instant(microsecondsSince1970: old.time.microsecondsSince1970 - 31 * 86_400_000_000)
                let signed = try Checkpoint.signed(
                    index: 1, time: old.time, heads: old.heads, previous: .zero, by: log.secrets.signing)
                try await database.psql("UPDATE audit.checkpoints SET body = '\(signed.line)'")
            }
            #expect(try await call(RunningAudit.sidecarToken) == 200)
            #expect(try await database.psql("SELECT count(*) FROM audit.entries") == "0")
        }
    }
}
