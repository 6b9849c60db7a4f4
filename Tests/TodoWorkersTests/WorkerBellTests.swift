import Concurrency
import Foundation
import Logging
import Postgres
import PostgresServer
import Telemetry
import Testing
import TodoModel
import TodoStore

@testable import TodoWorkers

/// Workers that sleep while there is nothing to do, on a real database. One after the other, on a server of their own:
/// they sleep when every write that the server had under way has ended, in whichever database.
@Suite(.serialized, .timeLimit(.minutes(10))) struct WorkerBellTests {
    private static let server = Task { try await PostgresServer.start() }

    private static func with(_ body: (Working) async throws -> Void) async throws {
        try await Working.with(on: server.value, body)
    }

    /// Sleeps as soon as nothing was done for a moment, and looks by itself no earlier than after the test.
    private struct Sleepy {
        let working: Working
        let bell: WorkerBell
        let workers: TodoWorkers

        init(_ working: Working, writing database: TodoDatabase? = nil) throws {
            self.working = working
            var pace = WorkerBell.Pace()
            // What is not heard in time is tried again no earlier than after the test.
            (pace.look, pace.trial) = (.seconds(3600), database == nil ? .seconds(60) : .seconds(1))
            bell = WorkerBell(
                address: try PostgresConfiguration(working.uri), database: database ?? working.database,
                clock: SystemClock(), pace: pace, logger: Working.logger)
            workers = TodoWorkers(
                database: working.database, bell: bell, stillness: .init(idle: .milliseconds(300)), leaseCheck: {},
                clock: SystemClock(), logger: Working.logger, metrics: PrometheusRegistry(), labels: [])
        }

        func with(_ body: () async throws -> Void) async throws {
            let (listening, working) = (Task { await bell.run() }, Task { try await workers.run() })
            defer {
                listening.cancel()
                working.cancel()
            }
            try await body()
        }

        /// Awake they ask something every second.
        func asksNothing(for time: Duration) async throws -> Bool {
            // When any connection but this one ended a statement.
            let ended = """
                SELECT max(state_change) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                """
            let last = try await working.sql(ended)
            try await Task.sleep(for: time)
            return try await working.sql(ended) == last
        }

        func fallAsleep() async throws -> Bool {
            try await working.until {
                guard bell.sleeping > 0 else { return false }
                return try await asksNothing(for: .milliseconds(1500))
            }
        }
    }

    private func remind(_ working: Working, in time: Duration) async throws -> Instant {
        let task = try await working.database.tasks.create(
            .init(title: "x"), by: working.database.operation(by: working.ada.id))
        let at = Instant.now().advanced(by: time)
        _ = try await working.database.reminders.create(.init(when: .at(at)), of: task.id, by: working.ada.id)
        return at
    }

    @Test func `asleep they ask the database nothing, and a write wakes them in time for its reminder`() async throws {
        try await Self.with { working in
            let sleepy = try Sleepy(working)
            try await sleepy.with {
                #expect(try await sleepy.fallAsleep())
                _ = try await remind(working, in: .seconds(2))
                #expect(try await working.until { try await working.count("fired") == 1 })
                let lateness = try await working.sql(
                    "SELECT extract(epoch FROM fired_at - due_at) * 1000 FROM planned_reminders")
                #expect(try #require(Double(lateness)) < 60_000, "not at the next look, an hour later")
                #expect(try await sleepy.fallAsleep())
            }
        }
    }

    @Test func `those of two processes that look do not keep each other awake`() async throws {
        try await Self.with { working in
            let (one, other) = (try Sleepy(working), working.workers())
            try await one.with {
                let looking = Task { try await other.run() }
                #expect(
                    try await working.until {
                        // The first that the other does is writes, which wake this one.
                        guard one.bell.sleeping > 0 else { return false }
                        return try await !one.asksNothing(for: .milliseconds(1500)) && one.bell.sleeping > 0
                    }, "the other looks, and this one sleeps")
                let begin = ContinuousClock.now
                while ContinuousClock.now - begin < .seconds(3) {
                    #expect(one.bell.sleeping > 0)
                    try await Task.sleep(for: .milliseconds(50))
                }
                looking.cancel()
            }
        }
    }

    @Test func `what a person puts off wakes them`() async throws {
        try await Self.with { working in
            let sleepy = try Sleepy(working)
            try await sleepy.with {
                _ = try await remind(working, in: .seconds(1))
                #expect(try await working.until { try await working.count("fired") == 1 })
                #expect(try await sleepy.fallAsleep())
                let id = try #require(UUID(uuidString: try await working.sql("SELECT id FROM planned_reminders")))
                _ = try await working.database.reminders.snooze(
                    id, until: Instant.now().advanced(by: .milliseconds(500)), by: working.ada.id)
                #expect(try await working.until { try await working.count("fired") == 2 })
            }
        }
    }

    @Test func `quiet hours of a policy that are lifted wake them for what was held`() async throws {
        try await Self.with { working in
            let sleepy = try Sleepy(working)
            let (from, to) = (try #require(TimeOfDay("17:00")), try #require(TimeOfDay("23:00")))
            let policy = ReminderPolicy(
                id: UUID(), namespace: "todo", name: "p", schedule: .offsets([0]),
                quietHours: QuietHours(from: from, to: to))
            try await working.database.policies.upsert(policy)
            var draft = TodoTask.Draft(title: "x")
            draft.due = Due(date: try #require(CivilDate("2040-01-01")))
            _ = try await working.database.tasks.create(draft, by: working.database.operation(by: working.ada.id))
            try await sleepy.with {
                #expect(try await working.until { try await working.count("pending") == 1 })
                _ = try await working.sql("UPDATE planned_reminders SET state = 'held'")
                #expect(try await sleepy.fallAsleep())
                var lifted = policy
                lifted.quietHours = nil
                try await working.database.policies.upsert(lifted)
                #expect(try await working.until { try await working.count("fired") == 1 })
            }
        }
    }

    @Test func `told to stop they end without an error, awake or asleep`() async throws {
        try await Self.with { working in
            let sleepy = try Sleepy(working)
            let listening = Task { await sleepy.bell.run() }
            for isAsleep in [false, true] {
                let workers = Task { try await sleepy.workers.run() }
                if isAsleep {
                    #expect(try await sleepy.fallAsleep())
                } else {
                    try await Task.sleep(for: .milliseconds(200))
                }
                workers.cancel()
                try await workers.value
            }
            listening.cancel()
        }
    }

    @Test func `they wake up by themselves before what is planned is due`() async throws {
        try await Self.with { working in
            let sleepy = try Sleepy(working)
            _ = try await remind(working, in: .seconds(5))
            try await sleepy.with {
                #expect(try await sleepy.fallAsleep())
                #expect(try await working.until { try await working.count("fired") == 1 })
                let lateness = try await working.sql(
                    "SELECT extract(epoch FROM fired_at - due_at) * 1000 FROM planned_reminders")
                #expect(try #require(Double(lateness)) < 60_000, "not at the next look, an hour later")
            }
        }
    }

    @Test func `what a write under way brings that began before they slept is not overlooked`() async throws {
        try await Self.with { working in
            let sleepy = try Sleepy(working)
            var draft = TodoTask.Draft(title: "x")
            draft.due = Due(date: try #require(CivilDate("2040-01-01")))
            _ = try await working.database.tasks.create(draft, by: working.database.operation(by: working.ada.id))
            let slow = try await PostgresConnection.connect(try PostgresConfiguration(working.uri))
            try await slow.execute(
                script: "SELECT set_config('app.system', 'on', false); BEGIN; UPDATE tasks SET title = 'y'")
            try await sleepy.with {
                // They do not sleep while it lasts; by then it has told nobody.
                try await Task.sleep(for: .milliseconds(2500))
                try await slow.execute(script: "COMMIT")
                #expect(
                    try await working.until {
                        try await working.sql("SELECT count(*) FROM replan") == "0"
                    })
                #expect(try await sleepy.fallAsleep())
            }
            await slow.close()
        }
    }

    @Test func `a write that began after the mark and before it was seen is waited for`() async throws {
        try await Self.with { working in
            let configuration = try PostgresConfiguration(working.uri)
            // The mark has its number and is not committed until the test lets go of a lock.
            _ = try await working.sql(
                """
                CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END $$;
                CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON sleeping_workers DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION hold()
                """)
            let (gate, write) = (
                try await PostgresConnection.connect(configuration), try await PostgresConnection.connect(configuration)
            )
            try await gate.execute(script: "SELECT pg_advisory_lock(7)")
            let store = working.database.sleeping
            let marking = Task { try await store.sleep(UUID(), for: .seconds(60)) }
            #expect(
                try await working.until {
                    try await working.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                        == "1"
                })
            try await write.execute(script: "BEGIN; INSERT INTO replan_scopes (kind, subject) VALUES ('zone', 'UTC')")
            try await gate.execute(script: "SELECT pg_advisory_unlock(7)")
            let unknowing = try await marking.value
            #expect(try await !store.haveEnded(unknowing))
            try await write.execute(script: "COMMIT")
            // Other writes of the server may have to end, too.
            #expect(try await working.until { try await store.haveEnded(unknowing) })
            for connection in [gate, write] { await connection.close() }
        }
    }

    @Test func `a lost connection wakes them, and they sleep again when it is back`() async throws {
        try await Self.with { working in
            let sleepy = try Sleepy(working)
            try await sleepy.with {
                #expect(try await sleepy.fallAsleep())
                let bell = sleepy.bell
                // On a thread of its own: they may be awake for less long than a busy machine keeps a task waiting.
                async let waking = runBlocking {
                    for _ in 0..<120_000 {
                        if bell.sleeping == 0 { return true }
                        usleep(1000)
                    }
                    return false
                }
                _ = try await working.sql(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%is_series_head%'
                    """)
                let haveWoken = await waking
                #expect(haveWoken)
                _ = try await remind(working, in: .seconds(2))
                #expect(try await working.until { try await working.count("fired") == 1 })
                #expect(try await sleepy.fallAsleep())
            }
        }
    }

    @Test func `where notifications do not arrive they go on looking`() async throws {
        try await Self.with { working in
            // As through a pooler: what is sent there is not heard here.
            let elsewhere = PostgresPool(
                try PostgresConfiguration(working.server.socketURI()), limits: .init(size: 1))
            let sleepy = try Sleepy(working, writing: TodoDatabase(pool: elsewhere))
            try await sleepy.with {
                try await Task.sleep(for: .milliseconds(2500))
                #expect(!sleepy.bell.isHeard)
                _ = try await remind(working, in: .seconds(2))
                #expect(try await working.until { try await working.count("fired") == 1 })
            }
            await elsewhere.close()
        }
    }
}
