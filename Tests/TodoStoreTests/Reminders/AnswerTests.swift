import StructuredData
import Testing
import TodoModel

@testable import TodoStore

/// Repeating, putting off, acknowledging.
@Suite(.timeLimit(.minutes(10))) struct AnswerTests {
    private let time = Instant("2058-06-01T18:00:00Z") ?? .now()
    private func at(_ minutes: Int) -> Instant { time.advanced(by: .seconds(60 * minutes)) }

    private func repeating(_ all: Reminding) async throws -> TodoTask {
        let task = try await all.task("x", due: "2058-06-01 18:00")
        try await all.remind(task, repeating: 10)
        try await all.plan()
        return task
    }

    @Test func `one that repeats does so until the task is done, and makes up for no round that was missed`()
        async throws
    {
        try await Reminding.with { all in
            let task = try await repeating(all)
            for minutes in [0, 10, 20] {
                let claim = try await all.fire(at: at(minutes))
                #expect(claim.onTime == [at(minutes)] && claim.next == at(minutes + 10))
                try await all.plan()
            }
            // Nothing ran for an hour and three minutes: the fourth round is late, and the next is in seven.
            let late = try await all.fire(at: at(93))
            #expect(late.late == 1 && late.next == at(100))
            try await all.change(task) { $0.status = .done }
            try await all.plan()
            #expect(try await all.fire(at: at(100)).count == 0)
            #expect(try await all.list(.fired, of: all.stores.ada).count == 4)
        }
    }

    @Test func `an acknowledged one is not repeated, and says so once`() async throws {
        try await Reminding.with { all in
            _ = try await repeating(all)
            _ = try await all.fire(at: at(0))
            let ada = all.stores.ada
            let fired = try #require(try await all.list(.fired, of: ada).first)
            for _ in 0..<2 {
                #expect(try await all.database.reminders.acknowledge(fired.id, by: ada.id).acknowledged != nil)
            }
            try await all.plan()
            #expect(try await all.fire(at: at(10)).count == 0)
            #expect(try await all.events().map(\.kind) == [.fired, .acknowledged])
        }
    }

    @Test func `one that is put off comes back then, though the date moves, and repeats again`() async throws {
        try await Reminding.with { all in
            let (task, ada) = (try await repeating(all), all.stores.ada)
            _ = try await all.fire(at: at(0))
            let fired = try #require(try await all.list(.fired, of: ada).first)
            var again: [PlannedReminder] = []
            for _ in 0..<2 {
                again.append(try await all.database.reminders.snooze(fired.id, until: at(45), by: ada.id))
            }
            #expect(again[0] == again[1] && again[0].snoozedFrom == fired.id && again[0].fire == at(45))
            try await all.change(task) { $0.due = .some(try? .at("2058-06-09 18:00")) }
            try await all.plan(now: at(1))
            #expect(try await all.fire(at: at(44)).count == 0, "the repetition has ended")
            let claim = try await all.fire(at: at(45))
            #expect(claim.onTime == [at(45)] && claim.next == at(55))
            let kinds = try await all.events().map(\.kind)
            #expect(kinds == [.fired, .snoozed, .fired])
            try await all.change(task) { $0.status = .done }
            try await all.plan(now: at(46))
            #expect(try await all.list(.pending, of: ada).isEmpty)
        }
    }

    @Test func `one of a policy that is put off comes back though the policy is gone, and holds up no other`()
        async throws
    {
        try await Reminding.with { all in
            let ada = all.stores.ada
            _ = try await all.task("x", due: "2058-06-01 18:00")
            let policy = try await all.policy(.offsets([0]))
            try await all.plan()
            #expect(try await all.fire(at: at(0)).fired == 1)
            let fired = try #require(try await all.list(.fired, of: ada).first)
            _ = try await all.database.reminders.snooze(fired.id, until: at(30), by: ada.id)
            try await all.database.policies.delete(policy.id)
            try await all.plan(now: at(1))
            #expect(try await all.sql("SELECT count(*) FROM reminder_policies") == "0")
            try await all.remind(try await all.task("y", due: "2058-06-01 18:30"))
            try await all.plan(now: at(2))
            #expect(try await all.fire(at: at(30)).onTime == [at(30), at(30)])
        }
    }

    @Test func `one whose repetition is taken away does not repeat once more`() async throws {
        try await Reminding.with { all in
            let ada = all.stores.ada
            let reminder = try await all.remind(try await all.task("x", due: "2058-06-01 18:00"), repeating: 10)
            try await all.plan()
            _ = try await all.fire(at: at(0))
            var patch = Reminder.Patch()
            patch.repeatMinutes = .some(nil)
            _ = try await all.database.reminders.update(reminder.id, patch, by: ada.id)
            try await all.plan(now: at(1))
            let claim = try await all.fire(at: at(10))
            #expect(claim.fired == 0 && claim.cancelled == 1 && claim.next == nil)
        }
    }

    @Test func `put off again and again it goes on repeating`() async throws {
        try await Reminding.with { all in
            _ = try await repeating(all)
            let (ada, reminders) = (all.stores.ada, all.database.reminders)
            _ = try await all.fire(at: at(0))
            let fired = try #require(try await all.list(.fired, of: ada).first)
            for minutes in [45, 90] {
                _ = try await reminders.snooze(fired.id, until: at(minutes), by: ada.id)
                for later in [0, 10] {
                    let claim = try await all.fire(at: at(minutes + later))
                    #expect(claim.onTime == [at(minutes + later)] && claim.next == at(minutes + later + 10))
                }
            }
        }
    }

    @Test func `a task that was done by mistake goes on reminding when it is open again`() async throws {
        try await Reminding.with { all in
            let (task, ada, reminders) = (try await repeating(all), all.stores.ada, all.database.reminders)
            func doneAndUndone(until now: Int, then meanwhile: () async throws -> Void = {}) async throws {
                try await all.change(task) { $0.status = .done }
                try await all.plan(now: at(now))
                #expect(try await all.list(.pending, of: ada).isEmpty)
                try await meanwhile()
                try await all.change(task) { $0.status = .open }
                try await all.plan(now: at(now))
            }
            func pending() async throws -> [Instant] { try await all.list(.pending, of: ada).map(\.fire) }
            _ = try await all.fire(at: at(0))
            try await doneAndUndone(until: 3)
            #expect(try await pending() == [at(10)])
            try await doneAndUndone(until: 27)
            #expect(try await pending() == [at(30)], "the next step")
            #expect(try await all.fire(at: at(30)).onTime == [at(30)])
            let fired = try #require(try await all.list(.fired, of: ada).first)
            _ = try await reminders.snooze(fired.id, until: at(45), by: ada.id)
            try await doneAndUndone(until: 33)
            #expect(try await pending() == [at(45)], "the one that was put off, not its repetition")
            try await doneAndUndone(until: 34) { _ = try await reminders.acknowledge(fired.id, by: ada.id) }
            #expect(try await pending().isEmpty)
        }
    }

    @Test func `before it has fired it is neither acknowledged nor put off, nor by somebody else ever`() async throws {
        try await Reminding.with { all in
            _ = try await repeating(all)
            let (ada, ben, reminders) = (all.stores.ada, all.stores.ben, all.database.reminders)
            let pending = try #require(try await all.list(.pending, of: ada).first)
            let refusal = StoreError(problem: "unfired", version: 0)
            await #expect(throws: refusal) { try await reminders.acknowledge(pending.id, by: ada.id) }
            await #expect(throws: refusal) { try await reminders.snooze(pending.id, until: at(5), by: ada.id) }
            _ = try await all.fire(at: at(0))
            await #expect(throws: StoreError.notFound) { try await reminders.acknowledge(pending.id, by: ben.id) }
            await #expect(throws: StoreError.notFound) {
                try await reminders.snooze(pending.id, until: at(5), by: ben.id)
            }
        }
    }

    @Test func `each of those who share a task has reminders of their own, so long as they see it`() async throws {
        try await Reminding.with { all in
            let (ada, ben) = (all.stores.ada, all.stores.ben)
            let project = try await all.stores.shared(.viewer)
            let task = try await all.task("x", due: "2058-06-01 18:00") { $0.project = project.id }
            for user in [ada, ben] {
                _ = try await all.database.reminders.create(
                    .init(when: .before(.due, minutes: 0)), of: task.id, by: user.id)
            }
            #expect(try await all.database.reminders.all(of: task.id, for: ben.id).map(\.user) == [ben.id])
            try await all.plan()
            #expect(try await all.list(.pending, of: ben).map(\.title) == ["x"])
            try await all.database.projects.remove(ben.id, from: project.id, by: ada.id)
            let claim = try await all.fire(at: at(0))
            #expect(claim.fired == 1 && claim.cancelled == 1)
            #expect(try await all.events().map(\.user) == [ada.id])
            await #expect(throws: StoreError.notFound) {
                try await all.database.reminders.create(.init(when: .at(at(9))), of: task.id, by: ben.id)
            }
        }
    }

    @Test func `who comes back to a project is reminded again of its tasks`() async throws {
        try await Reminding.with { all in
            let (ada, ben, projects) = (all.stores.ada, all.stores.ben, all.database.projects)
            let project = try await all.stores.shared(.viewer)
            let task = try await all.task("x", due: "2058-06-01 18:00") { $0.project = project.id }
            _ = try await all.database.reminders.create(
                .init(when: .before(.due, minutes: 0)), of: task.id, by: ben.id)
            try await all.plan()
            try await projects.remove(ben.id, from: project.id, by: ada.id)
            try await all.change(task) { $0.title = "y" }
            #expect(try await all.plan().cancelled == 1)
            _ = try await projects.share(project.id, with: ben.email, as: .viewer, by: ada.id)
            #expect(try await all.plan().planned == 1)
            #expect(try await all.fire(at: at(0)).fired == 1)
        }
    }

    @Test func `a reminder in the past, or of a date that the task lacks, is refused; a changed one is planned anew`()
        async throws
    {
        try await Reminding.with { all in
            let (ada, reminders) = (all.stores.ada, all.database.reminders)
            let task = try await all.stores.create("x", by: ada)
            for (when, problem) in [
                (Reminder.When.at(.now()), "past"), (.before(.due, minutes: 0), "due"),
                (.before(.start, minutes: 0), "start"),
            ] {
                await #expect(throws: StoreError(problem: problem, version: 0)) {
                    try await reminders.create(.init(when: when), of: task.id, by: ada.id)
                }
            }
            let made = try await reminders.create(.init(when: .at(at(0))), of: task.id, by: ada.id)
            try await all.plan()
            var patch = Reminder.Patch()
            patch.when = .at(at(5))
            await #expect(throws: StoreError.versionMismatch(current: 1)) {
                try await reminders.update(made.id, patch, ifVersion: [7], by: ada.id)
            }
            #expect(try await reminders.update(made.id, patch, ifVersion: [1], by: ada.id).version == 2)
            try await all.plan()
            #expect(try await all.list(.pending, of: ada).map(\.fire) == [at(5)])
            try await reminders.delete(made.id, by: ada.id)
            try await all.plan()
            #expect(try await all.list(.pending, of: ada).isEmpty)
        }
    }

    @Test func `what is long over is thrown away, and what is to come stays`() async throws {
        try await Reminding.with { all in
            _ = try await repeating(all)
            _ = try await all.fire(at: at(0))
            _ = try await all.sql("UPDATE planned_reminders SET fire_at = now() - interval '91 days'")
            try await all.database.maintenance.run()
            #expect(try await all.sql("SELECT string_agg(state, ' ') FROM planned_reminders") == "pending")
        }
    }
}
