import FoundationEssentials
import StructuredData
import Testing
import TodoModel

@testable import TodoStore

@Suite(.timeLimit(.minutes(10))) struct ReminderTests {
    @Test func `a reminder fires once, at its time, with an event for the person alone`() async throws {
        try await Reminding.with { all in
            let ada = all.stores.ada
            let task = try await all.stores.create("Water the plants", by: ada) {
                $0.due = try? .at("2058-06-01 18:00", zone: "Europe/Berlin")
            }
            let draft = Reminder.Draft(when: .before(.due, minutes: 30), channels: [.email])
            let reminder = try await all.database.reminders.create(draft, of: task.id, by: ada.id)
            #expect(try await all.database.reminders.all(of: task.id, for: ada.id) == [reminder])
            #expect(try await all.plan().planned == 1)
            let due = try Instant.at("2058-06-01T15:30:00Z")
            let planned = try #require(try await all.list(.pending, of: ada).first)
            #expect(planned.due == due && planned.fire == due && planned.title == "Water the plants")
            let early = try await all.fire(at: due.advanced(by: .milliseconds(-1)))
            #expect(early.count == 0 && early.next == due)
            #expect(try await all.fire(at: due).onTime == [due])
            #expect(try await all.fire(at: due).count == 0)
            let event = try #require(try await all.events().first)
            #expect(try await all.events().count == 1)
            #expect(event.kind == .fired && event.user == ada.id && event.reminder == planned.id)
            #expect(event.channels == [.email] && event.time == due && event.body["late"] == false)
            #expect(event.task == task.json)
            let fired = try #require(try await all.list(.fired, of: ada).first)
            #expect(fired.id == planned.id && fired.fired == due && !fired.isLate)
            var body = event.body
            (body["channels"], body["digest"]) = (Optional.none, Optional.none)
            var expected = fired.json
            expected["title"] = Optional.none
            #expect(body == expected, "SQL and Swift write the same form")
        }
    }

    @Test func `a claim that comes after its deadline does nothing`() async throws {
        try await Reminding.with { all in
            let task = try await all.stores.create("x", by: all.stores.ada) { $0.due = try? .at("2058-06-01 18:00") }
            _ = try await all.database.reminders.create(
                .init(when: .before(.due, minutes: 0)), of: task.id, by: all.stores.ada.id)
            try await all.plan()
            let (due, now) = (try Instant.at("2058-06-01T18:00:00Z"), try await all.database.firing.time())
            let late = try await all.database.firing.claim(.at(due, until: now))
            #expect(!late.isInTime && late.count == 0 && late.databaseTime >= now)
            #expect(try await all.fire(at: due).fired == 1)
        }
    }

    @Test func `what is no longer asked for does not fire`() async throws {
        try await Reminding.with { all in
            let (ada, database) = (all.stores.ada, all.database)
            let due = try Instant.at("2058-06-01T18:00:00Z")
            var tasks: [TodoTask] = []
            var reminders: [Reminder] = []
            for title in ["done", "deleted", "moved", "taken back", "kept"] {
                let task = try await all.stores.create(title, by: ada) { $0.due = try? .at("2058-06-01 18:00") }
                tasks.append(task)
                reminders.append(
                    try await database.reminders.create(.init(when: .before(.due, minutes: 0)), of: task.id, by: ada.id)
                )
            }
            try await all.plan()
            func change(_ index: Int, _ patch: TodoTask.Patch) async throws {
                _ = try await database.tasks.update(tasks[index].id, patch, by: all.stores.operation(by: ada))
            }
            try await change(0, .with { $0.status = .done })
            _ = try await database.tasks.delete(tasks[1].id, by: all.stores.operation(by: ada))
            try await change(2, .with { $0.due = try? .at("2058-06-02 18:00") })
            try await database.reminders.delete(reminders[3].id, by: ada.id)
            // Nothing has been planned anew: the claim itself sees it.
            let claim = try await all.fire(at: due)
            #expect(claim.fired == 1 && claim.cancelled == 4)
            #expect(try await all.events().map { $0.task?["title"] } == ["kept"])
            try await all.plan()
            let pending = try await all.list(.pending, of: ada)
            #expect(pending.map(\.title) == ["moved"] && pending.first?.due == due.advanced(by: .seconds(86_400)))
        }
    }

    @Test func `planning again changes nothing, and cancels what a write has made void`() async throws {
        try await Reminding.with { all in
            let ada = all.stores.ada
            let task = try await all.stores.create("x", by: ada) { $0.due = try? .at("2058-06-01 18:00") }
            for minutes in [0, 60, 1440] {
                _ = try await all.database.reminders.create(
                    .init(when: .before(.due, minutes: minutes)), of: task.id, by: ada.id)
            }
            #expect(try await all.plan().planned == 3)
            let before = try await all.list(.pending, of: ada)
            _ = try await all.database.tasks.update(
                task.id, .with { $0.title = "y" }, by: all.stores.operation(by: ada))
            let again = try await all.plan()
            #expect(again.tasks == 1 && again.planned == 0 && again.cancelled == 0)
            #expect(try await all.list(.pending, of: ada).map(\.id) == before.map(\.id))
            for (status, count) in [(TodoTask.Status.done, 0), (.open, 3)] {
                _ = try await all.database.tasks.update(
                    task.id, .with { $0.status = status }, by: all.stores.operation(by: ada))
                try await all.plan()
                #expect(try await all.list(.pending, of: ada).count == count)
            }
            #expect(try await all.list(.pending, of: ada).map(\.id) == before.map(\.id))
        }
    }

    @Test func `a write that concerns no reminder leaves nothing to plan`() async throws {
        try await Reminding.with { all in
            let ada = all.stores.ada
            let plain = try await all.stores.create("x", by: ada)
            let dated = try await all.stores.create("y", by: ada) { $0.due = try? .at("2058-06-01") }
            try await all.plan()
            for (task, patch) in [
                (plain, TodoTask.Patch.with { $0.title = "z" }), (dated, .with { $0.position = "z" }),
            ] {
                _ = try await all.database.tasks.update(task.id, patch, by: all.stores.operation(by: ada))
            }
            #expect(try await all.database.plan.step(now: .now(), until: .farFuture) == .idle)
        }
    }
}
