import FoundationEssentials
import Postgres
import PostgresServer
import StructuredData
import Testing
import TodoModel

@testable import TodoStore

@Suite(.timeLimit(.minutes(10))) struct SeriesTests {
    func due(_ days: Int, _ time: String? = "09:30", _ zone: String? = "Europe/Berlin") -> Due {
        let now = Int(Instant.now().microsecondsSince1970 / 86_400_000_000)
        return Due(date: CivilDate(daysSince1970: now + days), time: time.flatMap { TimeOfDay($0) }, zone: zone)
    }

    func make(
        _ stores: Stores, _ rule: String, _ due: Due, _ configure: (inout TodoTask.Draft) -> Void = { _ in }
    ) async throws -> TodoTask {
        let rule = try RecurrenceRule(rule)
        return try await stores.create("water the plants") {
            $0.due = due
            $0.recurrence = Series.Draft(rule: rule)
            configure(&$0)
        }
    }

    /// The tasks of a series, in the order of their instances; those in the bin too.
    func instances(_ stores: Stores, _ series: UUID?) async throws -> [TodoTask] {
        let statement: SQLFragment = """
            SELECT \(raw: TodoTask.columns(of: "t")) FROM tasks t WHERE t.series_id = \(series) ORDER BY t.occurrence
            """
        return try await stores.database.rows(as: .user(stores.ada.id), "test.instances", statement)
            .map { try TodoTask($0) }
    }

    func set(_ stores: Stores, _ id: UUID, _ change: (inout TodoTask.Patch) -> Void) async throws -> TodoTask {
        var patch = TodoTask.Patch()
        change(&patch)
        return try await stores.database.tasks.update(id, patch, by: stores.operation(by: stores.ada))
    }

    @Test func `everybody's reminders before a date are of the next instance too, and one at a moment is not`()
        async throws
    {
        try await Stores.with { stores in
            let reminders = stores.database.reminders
            let project = try await stores.shared(.viewer)
            let (ada, ben, projects) = (stores.ada, stores.ben, stores.database.projects)
            let eve = try await stores.database.accounts.create(
                .init(email: "eve@example.com", name: "Eve"), password: "x")
            _ = try await projects.share(project.id, with: eve.email, as: .viewer, by: ada.id)
            let task = try await make(stores, "FREQ=DAILY", due(1)) {
                $0.start = due(0).date
                $0.project = project.id
            }
            let whens: [Reminder.When] = [.before(.due, minutes: 60), .before(.start, minutes: 0)]
            for when in whens + [.at(.now().advanced(by: .seconds(7200)))] {
                _ = try await reminders.create(
                    .init(when: when, repeatMinutes: 30, channels: [.email]), of: task.id, by: ada.id)
            }
            for person in [ben, eve] {
                _ = try await reminders.create(.init(when: .before(.due, minutes: 5)), of: task.id, by: person.id)
            }
            try await projects.remove(eve.id, from: project.id, by: ada.id)
            _ = try await set(stores, task.id) { $0.status = .done }
            let next = try #require(try await instances(stores, task.recurrence?.id).last)
            let hers = try await reminders.all(of: next.id, for: ada.id)
            #expect(
                Set(hers.map(\.when)) == Set(whens)
                    && hers.allSatisfy { $0.repeatMinutes == 30 && $0.channels == [.email] })
            #expect(try await reminders.all(of: next.id, for: ben.id).map(\.when) == [.before(.due, minutes: 5)])
            #expect(try await reminders.all(of: task.id, for: ada.id).count == 3, "the finished one keeps its own")
            let count: SQLFragment = "SELECT count(*) FROM reminders WHERE task_id = \(next.id)"
            let counts = try await stores.database.rows(as: .system, "test.reminders", count).map {
                try $0.decode(Int.self)
            }
            #expect(counts == [3])
        }
    }

    @Test func `fifty completions at once make one next instance`() async throws {
        try await Stores.with { stores in
            let task = try await make(stores, "FREQ=DAILY", due(1)) {
                $0.tags = ["home"]
                $0.start = due(0).date
                $0.estimate = 15
            }
            // As many at a time as there are connections, so that none waits for one longer than it may.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        for _ in stride(from: worker, to: 50, by: 8) {
                            let done = try await set(stores, task.id) { $0.status = .done }
                            #expect(done.status == .done)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let all = try await instances(stores, task.recurrence?.id)
            #expect(all.map(\.status) == [.done, .open] && all[0].id == task.id)
            let next = all[1]
            #expect(next.due == due(2) && next.recurrence?.number == 2 && next.start == due(1).date)
            #expect(next.tags == ["home"] && next.estimate == 15 && next.title == task.title)
            #expect(next.project == task.project && next.position == task.position)
            // The finished one stays as it was.
            #expect(all[0].due == task.due && all[0].recurrence == task.recurrence)
        }
    }

    @Test func `done, taken back and done again keeps one`() async throws {
        try await Stores.with { stores in
            let task = try await make(stores, "FREQ=WEEKLY", due(0))
            let operation = stores.operation(by: stores.ada)
            var patch = TodoTask.Patch()
            patch.status = .done
            _ = try await stores.database.tasks.update(task.id, patch, by: operation)
            _ = try await stores.database.tasks.undo(operation.id, by: stores.operation(by: stores.ada))
            var all = try await instances(stores, task.recurrence?.id)
            #expect(all.map(\.status) == [.open, .open] && all.map { $0.deleted == nil } == [true, false])
            // The next one is as all have become meanwhile.
            _ = try await set(stores, task.id) {
                $0.title = "feed the cat"
                $0.priority = .high
                $0.scope = .all
            }
            let when = Reminder.When.before(.due, minutes: 30)
            let reminders = stores.database.reminders
            _ = try await reminders.create(.init(when: when), of: task.id, by: stores.ada.id)
            _ = try await set(stores, task.id) { $0.status = .done }
            all = try await instances(stores, task.recurrence?.id)
            #expect(all.map(\.status) == [.done, .open] && all.allSatisfy { $0.deleted == nil })
            #expect(all[1].title == "feed the cat" && all[1].priority == .high)
            #expect(try await reminders.all(of: all[1].id, for: stores.ada.id).map(\.when) == [when])
            _ = try await set(stores, task.id) { $0.status = .open }
            _ = try await set(stores, task.id) { $0.status = .done }
            #expect(try await instances(stores, task.recurrence?.id).count == 2)
            // Who ended the series by deleting the next one does not get it back by what is done already.
            _ = try await stores.database.tasks.delete(all[1].id, by: stores.operation(by: stores.ada))
            _ = try await set(stores, task.id) { $0.status = .done }
            _ = try await set(stores, task.id) { $0.status = .open }
            _ = try await set(stores, task.id) { $0.status = .done }
            #expect(try await instances(stores, task.recurrence?.id).filter { $0.deleted == nil }.count == 1)
        }
    }

    @Test func `a task of every second from 1970 costs ten milliseconds more than one of every day, at most`()
        async throws
    {
        try await Stores.with { stores in
            let start = Due(date: CivilDate(daysSince1970: 0), time: .midnight, zone: "America/New_York")
            var open = [
                try await make(stores, "FREQ=SECONDLY", start), try await make(stores, "FREQ=DAILY", due(-1)),
            ]
            let person = try #require(ZoneTable.named("Europe/Berlin"))
            var spent: [[Duration]] = [[], []]
            for _ in 0..<9 {
                for rule in [0, 1] {
                    let done = open[rule]
                    let recurrence = try #require(done.recurrence)
                    let begin = processorTime()
                    let following = recurrence.next(at: .now(), zone: person)
                    spent[rule].append(processorTime() - begin)
                    #expect(following != nil)
                    _ = try await set(stores, done.id) { $0.status = .done }
                    open[rule] = try #require(try await instances(stores, done.recurrence?.id).last)
                    #expect(open[rule].id != done.id)
                }
            }
            let least = spent.map { $0.min() ?? .zero }
            #expect(least[0] - least[1] < .milliseconds(10), "\(least)")
            let (series, next) = (try #require(open[0].recurrence), try #require(open[0].due))
            let zone = try #require(series.start.zone.flatMap(ZoneTable.named))
            #expect(abs(zone.instant(of: next.wall) - Int(Instant.now().microsecondsSince1970 / 1_000_000)) < 120)
        }
    }

    @Test func `an edit of this instance is not passed on, one of all is`() async throws {
        try await Stores.with { stores in
            let task = try await make(stores, "FREQ=DAILY", due(0)) { $0.tags = ["a"] }
            _ = try await set(stores, task.id) {
                $0.title = "water them twice"
                $0.tags = ["b"]
                $0.due = .some(due(0, "20:00"))
            }
            _ = try await set(stores, task.id) { $0.title = "water them thrice" }
            _ = try await set(stores, task.id) {
                $0.priority = .high
                $0.scope = .all
            }
            _ = try await set(stores, task.id) { $0.status = .done }
            var next = try #require(try await instances(stores, task.recurrence?.id).last)
            #expect(next.title == "water the plants" && next.tags == ["a"] && next.priority == .high)
            #expect(next.due == due(1))
            _ = try await set(stores, next.id) {
                $0.title = "feed the cat"
                $0.due = .some(due(3, "18:00"))
                $0.scope = .following
            }
            let moved = try await stores.database.tasks.get(next.id, for: stores.ada.id)
            #expect(moved.recurrence?.id != task.recurrence?.id)
            _ = try await set(stores, next.id) { $0.status = .done }
            next = try #require(try await instances(stores, moved.recurrence?.id).last)
            #expect(next.title == "feed the cat" && next.due == due(4, "18:00"))
        }
    }

    @Test func `a skipped instance is followed by the next, a deleted one by none`() async throws {
        try await Stores.with { stores in
            let task = try await make(stores, "FREQ=DAILY;COUNT=3", due(0))
            let operation = stores.operation(by: stores.ada)
            _ = try await stores.database.tasks.delete(task.id, scope: .this, by: operation)
            var all = try await instances(stores, task.recurrence?.id)
            #expect(all.map { $0.deleted == nil } == [false, true] && all[1].due == due(1))
            _ = try await set(stores, all[1].id) { $0.status = .cancelled }
            all = try await instances(stores, task.recurrence?.id)
            #expect(all.count == 3 && all[2].due == due(2))
            _ = try await set(stores, all[2].id) { $0.status = .done }
            #expect(try await instances(stores, task.recurrence?.id).count == 3, "COUNT is used up")
            let other = try await make(stores, "FREQ=DAILY", due(0))
            _ = try await stores.database.tasks.delete(other.id, by: stores.operation(by: stores.ada))
            #expect(try await instances(stores, other.recurrence?.id).count == 1)
        }
    }

    @Test func `what something else closed is followed by its next instance`() async throws {
        try await Stores.with { stores in
            let task = try await make(stores, "FREQ=DAILY", due(0))
            let plain = try await stores.create("once")
            let close: SQLFragment =
                "UPDATE tasks SET status = 'done', completed_at = now() WHERE id IN (\(task.id), \(plain.id))"
            _ = try await stores.database.write(as: .user(stores.ada.id), [close.query(named: "test.close")])
            #expect(try await stores.database.series.repair().count == 1)
            #expect(try await instances(stores, task.recurrence?.id).map(\.status) == [.done, .open])
            #expect(try await stores.database.series.repair().count == 0)
        }
    }

    @Test func `from completion, what is done twice on a day goes on`() async throws {
        try await Stores.with { stores in
            let task = try await make(stores, "FREQ=DAILY", due(0, nil, nil)) { $0.recurrence?.basis = .completion }
            var open = task
            for day in 1...3 {
                _ = try await set(stores, open.id) { $0.status = .done }
                open = try #require(try await instances(stores, task.recurrence?.id).last)
                #expect(open.status == .open && open.due == due(day, nil, nil))
            }
        }
    }

    @Test func `a series that is moved back goes on after what is done`() async throws {
        try await Stores.with { stores in
            let task = try await make(stores, "FREQ=DAILY", due(0))
            _ = try await set(stores, task.id) { $0.status = .done }
            let second = try #require(try await instances(stores, task.recurrence?.id).last)
            _ = try await set(stores, second.id) { $0.status = .done }
            // One that is done and in the bin is not to come back, either.
            _ = try await stores.database.tasks.delete(second.id, by: stores.operation(by: stores.ada))
            let third = try #require(try await instances(stores, task.recurrence?.id).last)
            let moved = try await set(stores, third.id) {
                $0.due = .some(due(0))
                $0.scope = .all
            }
            #expect(moved.recurrence?.id == task.recurrence?.id)
            _ = try await set(stores, third.id) { $0.status = .done }
            let open = try await instances(stores, task.recurrence?.id).filter { $0.status == .open }
            #expect(open.map(\.due) == [due(3)])
            #expect(try await stores.database.tasks.get(second.id, for: stores.ada.id).deleted != nil)
        }
    }

    @Test func `a series that is moved ends with as many as it had`() async throws {
        try await Stores.with { stores in
            let task = try await make(stores, "FREQ=DAILY;COUNT=3", due(0))
            _ = try await set(stores, task.id) { $0.status = .done }
            var next = try #require(try await instances(stores, task.recurrence?.id).last)
            _ = try await set(stores, next.id) {
                $0.due = .some(due(4))
                $0.scope = .all
            }
            _ = try await set(stores, next.id) { $0.status = .done }
            next = try #require(try await instances(stores, task.recurrence?.id).last)
            #expect(next.due == due(5))
            _ = try await set(stores, next.id) { $0.status = .done }
            #expect(try await instances(stores, task.recurrence?.id).map(\.status) == [.done, .done, .done])
        }
    }

    /// A task that repeats, out of the bin, though its project is in there: as an undo of a former release could leave it.
    private func stranded(_ stores: Stores) async throws -> TodoTask {
        let project = try await stores.database.projects.create(.init(name: "Garden"), by: stores.ada.id)
        let task = try await make(stores, "FREQ=DAILY", due(0)) { $0.project = project.id }
        _ = try await stores.database.projects.delete(project.id, by: stores.ada.id)
        try await stores.home.server.psql(
            "UPDATE tasks SET deleted_at = NULL WHERE id = '\(task.id)'", database: stores.home.name)
        return task
    }

    @Test func `in a project in the bin an instance can be closed, and none follows`() async throws {
        try await Stores.with { stores in
            let (one, other) = (try await stranded(stores), try await stranded(stores))
            let healthy = try await make(stores, "FREQ=DAILY", due(0))
            #expect(try await set(stores, one.id) { $0.status = .done }.status == .done)
            var patch = TodoTask.Patch()
            patch.status = .done
            let results = try await stores.database.tasks.bulk(
                [other, healthy].map { .update($0.id, patch, ifVersion: nil) }, isAtomic: false,
                by: stores.operation(by: stores.ada))
            #expect(try results.map { try $0.get().status } == [.done, .done])
            for task in [one, other] {
                #expect(try await instances(stores, task.recurrence?.id).map(\.status) == [.done])
            }
            #expect(try await instances(stores, healthy.recurrence?.id).map(\.status) == [.done, .open])
        }
    }

    @Test func `one that cannot be followed keeps no other from it`() async throws {
        try await Stores.with { stores in
            let stranded = try await stranded(stores)
            let (broken, healthy) = (
                try await make(stores, "FREQ=DAILY", due(0)), try await make(stores, "FREQ=DAILY", due(0))
            )
            let close: SQLFragment = """
                UPDATE tasks SET status = 'done', completed_at = now(),
                    recurrence = CASE WHEN id = \(broken.id) THEN '{"rule": "FREQ=NEVER"}' ELSE recurrence END
                WHERE id IN (\(stranded.id), \(broken.id), \(healthy.id))
                """
            _ = try await stores.database.write(as: .user(stores.ada.id), [close.query(named: "test.close")])
            let repairs = try await stores.database.series.repair(batch: 1)
            #expect(repairs.count == 1 && repairs.failures.map(\.task) == [broken.id])
            #expect(try await instances(stores, healthy.recurrence?.id).map(\.status) == [.done, .open])
        }
    }

    @Test func `a rule is changed, taken away, and needs a due date`() async throws {
        try await Stores.with { stores in
            let task = try await make(stores, "FREQ=DAILY", due(0))
            let weekly = Series.Draft(rule: try RecurrenceRule("FREQ=WEEKLY"))
            let changed = try await set(stores, task.id) { $0.recurrence = .some(weekly) }
            #expect(changed.recurrence?.rule.text == "FREQ=WEEKLY" && changed.recurrence?.id != task.recurrence?.id)
            let same = try await set(stores, task.id) { $0.recurrence = .some(weekly) }
            #expect(same.recurrence == changed.recurrence && same.version == changed.version)
            await #expect(throws: StoreError.self) { try await set(stores, task.id) { $0.due = .some(nil) } }
            let none = try await set(stores, task.id) {
                $0.recurrence = .some(nil)
                $0.due = .some(nil)
            }
            #expect(none.recurrence == nil && none.due == nil)
            await #expect(throws: StoreError.self) {
                try await set(stores, task.id) { $0.recurrence = .some(weekly) }
            }
            _ = try await set(stores, task.id) { $0.status = .done }
        }
    }

    @Test func `the instances of a shared project are made by whoever closes them, and in bulk`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.editor)
            let tasks = try await [
                make(stores, "FREQ=DAILY", due(0)) { $0.project = project.id },
                make(stores, "FREQ=WEEKLY", due(0)) { $0.project = project.id },
            ]
            var patch = TodoTask.Patch()
            patch.status = .done
            let results = try await stores.database.tasks.bulk(
                tasks.map { .update($0.id, patch, ifVersion: nil) }, isAtomic: true,
                by: stores.operation(by: stores.ben))
            #expect(results.count == 2)
            for task in tasks {
                #expect(try await instances(stores, task.recurrence?.id).map(\.status) == [.done, .open])
            }
        }
    }

    @Test func `the database has the form of the API`() async throws {
        try await Stores.with { stores in
            let task = try await make(stores, "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD", due(0, nil, nil))
            let statement: SQLFragment = "SELECT task_json(t) FROM tasks t WHERE t.id = \(task.id)"
            let row = try #require(
                try await stores.database.rows(as: .user(stores.ada.id), "test.json", statement).first)
            #expect(try JSON(parsing: row.decode(PostgresJSON.self).bytes) == task.json)
            #expect(task.json.at("recurrence", "monthEnd") == "clamp")
        }
    }
}
