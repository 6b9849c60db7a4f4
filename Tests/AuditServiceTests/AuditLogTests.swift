import FoundationEssentials
import Postgres
import PostgresServer
import StructuredData
import Testing
import TodoModel
import TodoStore

@testable import AuditService

@Suite(.timeLimit(.minutes(10))) struct AuditLogTests {
    @Test func `events become entries that verify`() async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            let users = (0..<40).map { _ in events.id() }
            let delivery = EventDelivery(log: log)
            for _ in 0..<5 {
                let bulk = users.flatMap { user in (0..<5).map { _ in events.task(of: user) } }
                #expect(try await delivery.statuses(bulk).allSatisfy { $0 == "SUCCESS" })
                try await log.makeCheckpoint()
            }
            let summary = try await log.verified()
            #expect(summary.rows == 1000 && summary.checkpoints == 5)
            #expect(summary.newest.heads.filter { $0.count > 0 }.count > 8)
        }
    }

    @Test func `a checkpoint that a clock ahead of its time signed holds up no other`() async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            let user = events.id()
            func next() async throws -> Checkpoint {
                _ = try await EventDelivery(log: log).statuses([events.task(of: user)])
                return try await log.makeCheckpoint(unlessYoungerThan: .seconds(3600)).checkpoint
            }
            let first = [try await next(), try await next()]
            #expect(first.map(\.index) == [1, 1])
            let tomorrow = Instant(microsecondsSince1970: first[0].time.microsecondsSince1970 + 86_400_000_000)
            let ahead = try Checkpoint.signed(
                index: 2, time: tomorrow, heads: first[0].heads, previous: first[0].hash, by: log.secrets.signing)
            try await database.psql(
                "INSERT INTO audit.checkpoints (index, time, body) VALUES (2, '\(tomorrow.text)', '\(ahead.line)')")
            let later = [try await next(), try await next()]
            #expect(later.map(\.index) == [3, 3], "the one that is signed now is young")
            #expect(try await log.verified().rows == 4)
        }
    }

    @Test func `an event that comes again, in the same delivery or another, is one entry`() async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            let user = events.id()
            let event = events.task(of: user)
            let delivery = EventDelivery(log: log)
            let statuses = try await delivery.statuses([event, event, event])
            #expect(statuses == ["SUCCESS", "SUCCESS", "SUCCESS"])
            #expect(try await delivery.statuses([events.task(of: user), event]) == ["SUCCESS", "SUCCESS"])
            #expect(try await log.verified().rows == 2)
        }
    }

    /// Ten deliveries of overlapping events at the same time to each of three replicas.
    @Test func `concurrent deliveries to several replicas make one entry of each event`() async throws {
        let database = try await AuditDatabase.make()
        var events = Events()
        let users = (0..<20).map { _ in events.id() }
        let all = (0..<600).map { events.task(of: users[$0 % users.count]) }
        try await database.withLog { first in
            try await database.withLog { second in
                try await database.withLog { third in
                    try await withThrowingTaskGroup(of: [String].self) { group in
                        for (replica, log) in [first, second, third].enumerated() {
                            for start in 0..<10 {
                                let part = (0..<200).map { all[(start * 60 + replica * 20 + $0) % all.count] }
                                group.addTask {
                                    let delivery = EventDelivery(log: log)
                                    var statuses = try await delivery.statuses(part)
                                    // The sidecar brings again what could not be recorded in time.
                                    for _ in 0..<20 where statuses.contains("RETRY") {
                                        statuses = try await delivery.statuses(part)
                                    }
                                    return statuses
                                }
                            }
                        }
                        for try await statuses in group {
                            #expect(statuses.count == 200 && statuses.allSatisfy { $0 == "SUCCESS" })
                        }
                    }
                }
            }
            #expect(try await first.verified().rows == 600)
        }
        #expect(try await database.psql("SELECT count(DISTINCT event_id) FROM audit.entries") == "600")
    }

    @Test func `what cannot be recorded goes to the dead letters, and takes nothing along`() async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            var unknown = events.task(of: events.id())
            unknown["type"] = "org.example.unheard-of"
            var broken = events.task(of: events.id())
            broken["id"] = "7"
            let statuses = try await EventDelivery(log: log).statuses([broken, unknown, .null, "x"])
            #expect(statuses == ["DROP", "SUCCESS", "DROP", "DROP"])
            #expect(try await log.verified().rows == 1)
        }
    }

    @Test func `a database that dies costs a second delivery, never an entry`() async throws {
        let server = try await PostgresServer.start(settings: ["synchronous_commit": "on"])
        let database = try await AuditDatabase.make(on: server)
        try await database.withLog(patience: .seconds(5)) { log in
            var events = Events()
            let user = events.id()
            let delivery = EventDelivery(log: log)
            let (first, second) = (events.task(of: user), events.task(of: user))
            #expect(try await delivery.statuses([first]) == ["SUCCESS"])
            try await server.kill()
            #expect(try await delivery.statuses([second, first]) == ["RETRY", "RETRY"])
            try await server.restart()
            // The sidecar comes again until it is told of success; connections of before may cost a try each.
            var statuses: [String] = []
            for _ in 0..<40 where statuses != ["SUCCESS", "SUCCESS"] {
                statuses = try await delivery.statuses([second, first])
            }
            #expect(statuses == ["SUCCESS", "SUCCESS"])
            #expect(try await log.verified().rows == 2)
        }
        try await server.stop()
    }

    @Test func `content is stored sealed, and opens for its person only`() async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            let (anna, bert, carl) = (events.id(), events.id(), events.id())
            let bulk = [
                events.task(of: anna, title: "buy a ring"), events.task(of: anna, by: bert, title: "shared"),
                events.task(of: bert, title: "mow"),
            ]
            _ = try await EventDelivery(log: log).statuses(bulk)
            let stored = try await database.psql("SELECT string_agg(encode(content, 'escape'), '') FROM audit.entries")
            #expect(!stored.contains("ring") && !stored.isEmpty)
            func titles(_ person: UUID) async throws -> [String] {
                try await log.page(AuditQuery(person: person)).items.compactMap {
                    $0["content"]?.at("data", "task", "title")?.string
                }
            }
            #expect(try await Set(titles(anna)) == ["buy a ring", "shared"])
            #expect(try await Set(titles(bert)) == ["shared", "mow"])
            #expect(try await titles(carl).isEmpty)
        }
    }

    @Test func `erasing a person drops the key, keeps the chain, and holds for what comes late`() async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            let (anna, bert) = (events.id(), events.id())
            let delivery = EventDelivery(log: log)
            let erasure = events.erasure(of: anna)
            _ = try await delivery.statuses([
                events.task(of: anna), events.task(of: bert), events.task(of: anna, by: bert),
            ])
            try await database.withLog { other in
                // Another replica, which has the key in memory.
                _ = try await EventDelivery(log: other).statuses([events.task(of: anna)])
                #expect(try await delivery.statuses([erasure]) == ["SUCCESS"])
                #expect(try await delivery.statuses([erasure]) == ["SUCCESS"])
                _ = try await EventDelivery(log: other).statuses([events.task(of: anna)])
                _ = try await delivery.statuses([events.task(of: anna)])
                for replica in [log, other] {
                    let items = try await replica.page(AuditQuery(person: anna)).items
                    #expect(items.count == 6 && items.allSatisfy { $0["content"] == .null })
                    let ofBert = try await replica.page(AuditQuery(person: bert)).items
                    #expect(ofBert.count == 2 && ofBert.filter { $0["content"] != .null }.count == 1)
                }
            }
            #expect(try await database.psql("SELECT count(*) FROM audit.keys WHERE wrapped IS NULL") == "1")
            #expect(try await log.verified().rows == 7)
            #expect(try await database.psql("SELECT count(*) FROM audit.entries WHERE content IS NULL") == "1")
        }
    }

    @Test func `another master key is refused, not used`() async throws {
        let database = try await AuditDatabase.make()
        var events = Events()
        let event = events.task(of: events.id())
        try await database.withLog { log in
            try await log.keys.checkMasterKey()
            _ = try await EventDelivery(log: log).statuses([event])
        }
        try await database.withLog(master: [UInt8](repeating: 9, count: 32)) { log in
            await #expect(throws: WrongMasterKey.self) { try await log.keys.checkMasterKey() }
            let statuses = try await EventDelivery(log: log).statuses([events.task(of: AuditEvent.nobody)])
            #expect(statuses == ["RETRY"])
        }
    }

    @Test func `a stopped replica does not hold a chain for ever`() async throws {
        let database = try await AuditDatabase.make()
        try await database.withLog { log in
            var events = Events()
            let user = events.id()
            let holder = try await PostgresConnection.connect(PostgresConfiguration(database.uri))
            let event = events.task(of: user)
            try await holder.withTransaction { connection in
                try await connection.query(
                    "SELECT 1::int4 FROM audit.heads WHERE shard = \(Int16(AuditShard.of(user))) FOR UPDATE")
                #expect(try await EventDelivery(log: log).statuses([event]) == ["RETRY"])
            }
            #expect(try await EventDelivery(log: log).statuses([event]) == ["SUCCESS"])
            await holder.close()
        }
    }
}
