import ChildProcess
import Concurrency
import Foundation
import Postgres
import PostgresServer
import Telemetry
import Testing
import TodoModel
import TodoStore

@testable import TodoWorkers

/// The workers on a real database and by the real clock.
@Suite(.serialized, .timeLimit(.minutes(10))) struct TodoWorkersTests {
    @Test func `a reminder that somebody asks for fires at its time, and the metrics say so`() async throws {
        try await Working.with { here in
            let registry = PrometheusRegistry()
            let running = Task { try await here.workers(metrics: registry).run() }
            try await here.plant(1, first: "now()", apart: 0)
            #expect(try await here.until { try await here.told() == "1 1" }, "it is at work")
            let task = try await here.database.tasks.create(
                .init(title: "x"), by: here.database.operation(by: here.ada.id))
            let due = Instant.now().advanced(by: .seconds(5))
            _ = try await here.database.reminders.create(.init(when: .at(due)), of: task.id, by: here.ada.id)
            #expect(try await here.until { try await here.told() == "2 2" })
            let fired = try await here.database.reminders.page(.fired, limit: 1, of: here.ada.id).reminders.first
            let lateness = try #require(fired?.fired.map { due.duration(to: $0) })
            #expect(lateness >= .zero && lateness < .seconds(60), "\(lateness)")
            #expect(
                try await here.until {
                    let metrics = registry.render()
                    return metrics.contains("todo_reminders_fired_total{late=\"false\"} 2")
                        && metrics.contains("todo_reminder_lateness_seconds_count 2")
                })
            running.cancel()
            try? await running.value
        }
    }

    /// Whoever publishes asks whether that lock is free: here it is never, and what fires in a rush waits for it.
    @Test func `what a first claim leaves over is a rush, and says so`() async throws {
        try await Working.with { here in
            try await here.plant(1500, first: "now()", apart: 0)
            try await here.pool.withTransaction { connection in
                try await connection.execute(script: "SELECT pg_advisory_xact_lock(\(0x6669_7265))")
                let running = Task { try await here.workers().run() }
                defer { running.cancel() }
                #expect(try await here.until { try await here.count("fired") == 250 })
                // Looked for in each second, and before: a claim that does not wait comes by then.
                try await Task.sleep(for: .milliseconds(1500))
                #expect(try await here.count("fired") == 250)
            }
            let running = Task { try await here.workers().run() }
            #expect(try await here.until { try await here.count("fired") == 1500 })
            running.cancel()
            try? await running.value
        }
    }

    @Test func `a digest is planned for everybody and again when it has fired, and a policy that is changed moves it`()
        async throws
    {
        try await Working.with { here in
            _ = try await here.database.tasks.create(
                .init(title: "x"), by: here.database.operation(by: here.ada.id))
            let running = Task { try await here.workers().run() }
            func pending() async throws -> String {
                try await here.sql(
                    "SELECT anchor::time FROM planned_reminders WHERE task_id IS NULL AND state = 'pending'")
            }
            var policy = ReminderPolicy(
                id: UUID(), namespace: "todo", name: "digest", schedule: .digest("0 8 * * *", zone: nil))
            try await here.database.policies.upsert(policy)
            #expect(try await here.until { try await pending() == "08:00:00" })
            policy.schedule = .digest("FREQ=DAILY;BYHOUR=9", zone: "Europe/Berlin")
            try await here.database.policies.upsert(policy)
            #expect(try await here.until { try await pending() == "09:00:00" })
            _ = try await here.sql(
                "UPDATE planned_reminders SET fire_at = now(), id = gen_random_uuid() WHERE state = 'pending'")
            #expect(try await here.until { try await here.told() == "1 1" })
            #expect(try await here.until { try await here.count("pending") == 1 }, "the next one")
            try await here.database.policies.delete(policy.id)
            #expect(try await here.until { try await here.count("pending") == 0 })
            running.cancel()
            try? await running.value
        }
    }

    @Test func `a digest that cannot be read keeps back no other, and what was planned of it waits`() async throws {
        try await Working.with { here in
            _ = try await here.database.tasks.create(
                .init(title: "x"), by: here.database.operation(by: here.ada.id))
            let registry = PrometheusRegistry()
            let running = Task { try await here.workers(metrics: registry).run() }
            func failures() -> Int {
                let line = registry.render().split(separator: "\n")
                    .first { $0.hasPrefix("todo_reminders_failed_total ") }
                return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
            }
            let ids = [UUID(uuidString: "00000000-0000-0000-0000-000000000001") ?? UUID(), UUID()]
            for id in ids {
                try await here.database.policies.upsert(
                    ReminderPolicy(
                        id: id, namespace: "todo", name: "\(id)", schedule: .digest("0 8 * * *", zone: nil)))
            }
            #expect(try await here.until { try await here.count("pending") == 2 })
            _ = try await here.sql("UPDATE reminder_policies SET selector = 'tag:a (' WHERE id = '\(ids[0])'")
            let begin = ContinuousClock.now
            _ = try await here.sql("UPDATE planned_reminders SET fire_at = now(), id = gen_random_uuid()")
            #expect(try await here.until { try await here.told() == "1 1" })
            #expect(try await here.until { failures() > 0 })
            #expect(try await here.until { try await here.count("pending") == 2 })
            let failed = failures()
            let elapsed: Duration = ContinuousClock.now - begin
            #expect(failed <= 1 + Int(elapsed / Duration.seconds(5)), "it is not tried all the time")
            running.cancel()
            try? await running.value
        }
    }

    @Test func `three at once fire each reminder once`() async throws {
        try await Working.with { here in
            try await here.plant(5000, first: "now()", apart: 0.2)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { try? await here.workers().run() } }
                group.addTask { _ = try? await here.until { try await here.count("pending") == 0 } }
                await group.next()
                group.cancelAll()
            }
            #expect(try await here.told() == "5000 5000")
        }
    }

    @Test func `without its lease a worker writes nothing and ends`() async throws {
        struct Lost: Error {}
        try await Working.with { here in
            try await here.plant(10, first: "now() - interval '1 second'", apart: 0)
            await #expect(throws: LeaseLost.self) { try await here.workers(lease: { throw Lost() }).run() }
            #expect(try await here.count("pending") == 10)
        }
    }

    @Test func `a database that goes away and comes back is waited for`() async throws {
        let server = try await PostgresServerOfItsOwn.start()
        let here = server.working
        let running = Task { try await here.workers().run() }
        try await here.plant(1, first: "now()", apart: 0)
        #expect(try await here.until { try await here.count("fired") == 1 })
        try await here.plant(200, first: "now() + interval '1 second'", apart: 1)
        try await here.server.kill()
        try await here.server.restart()
        #expect(try await here.until { try await here.count("fired") == 201 })
        #expect(try await here.told() == "201 201")
        running.cancel()
        try? await running.value
        try await server.end()
    }
}
