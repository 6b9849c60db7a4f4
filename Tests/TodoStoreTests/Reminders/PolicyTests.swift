import Postgres
import StructuredData
import Testing
import TodoModel

@testable import TodoStore

@Suite(.timeLimit(.minutes(10))) struct PolicyTests {
    private let time = Instant("2058-06-01T18:00:00Z") ?? .now()

    @Test func `a policy plans for the tasks that there are and those to come, for their owners, as it selects`()
        async throws
    {
        try await Reminding.with { all in
            let (ada, ben) = (all.stores.ada, all.stores.ben)
            func task(_ title: String, of user: User, _ priority: TodoTask.Priority) async throws -> TodoTask {
                try await all.task(title, due: "2058-06-01 18:00", of: user) { $0.priority = priority }
            }
            _ = try await task("a", of: ada, .high)
            let plain = try await task("b", of: ada, .none)
            try await all.plan()
            let policy = try await all.policy(.offsets([0, 120])) { $0.selector = "priority>=high" }
            #expect(try await all.plan().planned == 2)
            _ = try await task("c", of: ben, .urgent)
            try await all.change(plain) { $0.priority = .urgent }
            #expect(try await all.plan().planned == 4)
            #expect(Set(try await all.list(.pending, of: ada).map(\.title)) == ["a", "b"])
            #expect(try await all.list(.pending, of: ben).map(\.offset) == [120, 0])
            try await all.change(plain) { $0.priority = .low }
            #expect(try await all.plan().cancelled == 2)
            let status = try #require(try await all.database.policies.status(policy.id))
            #expect(status.planned == 4 && status.nextFire == time.advanced(by: .seconds(-7200)) && !status.isPlanning)
        }
    }

    @Test func `a policy walks through all tasks in portions, and goes on where it was`() async throws {
        try await Reminding.with { all in
            for number in 0..<23 { _ = try await all.task("\(number)", due: "2058-06-01 18:00") }
            try await all.plan()
            _ = try await all.policy(.offsets([0]))
            var counts: [Int] = []
            while case .planned(let step) = try await all.database.plan.step(limit: 1, now: .now(), until: .farFuture) {
                counts.append(step.planned)
            }
            #expect(counts == [5, 5, 5, 5, 3])
        }
    }

    @Test func `a change plans anew only what it changes`() async throws {
        try await Reminding.with { all in
            for number in 0..<4 {
                _ = try await all.task("\(number)", due: "2058-06-01 18:00") { $0.tags = number < 2 ? ["a"] : ["b"] }
            }
            var policy = try await all.policy(.offsets([0, 60])) { $0.selector = "tag:a" }
            #expect(try await all.plan().planned == 4)
            let kept = try await all.list(.pending, of: all.stores.ada).filter { $0.offset == 0 }.map(\.id)
            policy.schedule = .offsets([0, 30])
            try await all.database.policies.upsert(policy)
            let step = try await all.plan()
            #expect(step.planned == 2 && step.cancelled == 2)
            #expect(try await all.list(.pending, of: all.stores.ada).filter { $0.offset == 0 }.map(\.id) == kept)
            policy.channels = [.email]
            try await all.database.policies.upsert(policy)
            #expect(try await all.database.plan.step(now: .now(), until: .farFuture) == .idle)
            policy.selector = "tag:b"
            try await all.database.policies.upsert(policy)
            let moved = try await all.plan()
            #expect(moved.planned == 4 && moved.cancelled == 4)
            #expect(try await all.fire(at: time).fired == 4)
            #expect(try await all.events().allSatisfy { $0.channels == [.email] })
        }
    }

    @Test func `suspended or deleted, nothing of it fires from that moment on, and what was planned is cancelled`()
        async throws
    {
        try await Reminding.with { all in
            let policies = all.database.policies
            _ = try await all.task("x", due: "2058-06-01 18:00")
            var policy = try await all.policy(.offsets([0, 60, 120]))
            try await all.plan()
            policy.isSuspended = true
            try await policies.upsert(policy)
            let claim = try await all.fire(at: time.advanced(by: .seconds(-7200)))
            #expect(claim.fired == 0 && claim.cancelled == 1)
            #expect(try await all.plan().cancelled == 2)
            policy.isSuspended = false
            try await policies.upsert(policy)
            #expect(try await all.plan().planned == 3)
            try await policies.delete(policy.id)
            #expect(try await all.fire(at: time.advanced(by: .seconds(-7200))).cancelled == 1)
            #expect(try await policies.status(policy.id) == nil)
            #expect(try await policies.all().isEmpty)
            #expect(try await all.plan().cancelled == 2)
            #expect(try await all.sql("SELECT count(*) FROM reminder_policies") == "0")
        }
    }

    @Test func `a bad policy is refused with the place, and the last good one goes on`() async throws {
        try await Reminding.with { all in
            let good = try await all.policy(.offsets([0])) { $0.selector = "tag:a" }
            for (field, text, spoil) in [
                ("selector", "at character 7", { $0.selector = "tag:a (due" }),
                ("selector", "priority", { $0.selector = "priority:huge" }),
                ("selector", "today", { $0.selector = "due<=today" }),
                ("selector", "today", { $0.selector = "-due:overdue" }),
                ("schedule", "1 to 20", { $0.schedule = .offsets([]) }),
                ("schedule", "525600", { $0.schedule = .offsets([0, 1_000_000]) }),
                ("schedule", "at character 3", { $0.schedule = .digest("0 25 * * *", zone: nil) }),
                ("schedule", "at character", { $0.schedule = .digest("FREQ=HOURLYISH", zone: nil) }),
                ("schedule", "once a minute", { $0.schedule = .digest("*/30 * * * * *", zone: nil) }),
                ("schedule", "Mars", { $0.schedule = .digest("0 8 * * *", zone: "Mars/Olympus") }),
                ("catchUp", "one minute", { $0.catchUp.window = .seconds(5) }),
            ] as [(String, String, (inout ReminderPolicy) -> Void)] {
                var bad = good
                spoil(&bad)
                do {
                    try await all.database.policies.upsert(bad)
                    Issue.record("\(bad) was taken")
                } catch StoreError.invalid(let error) {
                    #expect(error.fields.first?.field == field && "\(error)".contains(text), "\(error)")
                }
            }
            #expect(try await all.database.policies.all() == [good])
        }
    }

    @Test func `the status counts what fired and how late, and sums it up without losing any`() async throws {
        try await Reminding.with { all in
            for number in 0..<10 { _ = try await all.task("\(number)", due: "2058-06-01 18:00") }
            let policy = try await all.policy(.offsets([0]))
            try await all.plan()
            for number in 0..<10 {
                let now = time.advanced(by: .milliseconds(number < 9 ? 3 : 700))
                #expect(try await all.fire(at: now, limit: 1).fired == 1)
            }
            try await all.database.policies.count(delivered: 7, failed: 2, of: policy.id)
            let before = try #require(try await all.database.policies.status(policy.id))
            #expect(before.fired == 10 && before.delivered == 7 && before.failed == 2 && before.late == 0)
            #expect(before.lastFire == time.advanced(by: .milliseconds(700)) && before.latenessP99 == .seconds(1))
            _ = try await all.sql(
                """
                INSERT INTO reminder_tallies (policy_id) SELECT '\(policy.id)' FROM generate_series(1, 50)
                """)
            try await all.database.policies.sumUp()
            #expect(try await all.sql("SELECT count(*) FROM reminder_tallies") == "11", "those that did not fire")
            _ = try await all.sql(
                """
                INSERT INTO reminder_tallies (policy_id, last_fired_at, lateness)
                SELECT policy_id, last_fired_at, array_fill(0, ARRAY[13]) FROM reminder_tallies, generate_series(1, 50)
                WHERE last_fired_at IS NOT NULL
                """)
            try await all.database.policies.sumUp()
            #expect(try await all.sql("SELECT count(*) FROM reminder_tallies") == "2", "and those of one minute")
            #expect(try await all.database.policies.status(policy.id) == before)
        }
    }

    @Test func `the lateness is that of the last hour, and what waits is counted no farther than is useful`()
        async throws
    {
        try await Reminding.with { all in
            let policy = try await all.policy(.offsets([0]))
            for (minutes, column) in [(61, 10), (59, 3)] {
                _ = try await all.sql(
                    """
                    INSERT INTO reminder_tallies (policy_id, fired, last_fired_at, lateness)
                    SELECT '\(policy.id)', 1, now() - interval '\(minutes) minutes',
                        array_agg(CASE n WHEN \(column) THEN 1 ELSE 0 END) FROM generate_series(1, 13) n
                    """)
            }
            _ = try await all.sql(
                """
                INSERT INTO planned_reminders (user_id, id, base_id, owner_id, task_id, source, source_id, due_at, fire_at,
                    state)
                SELECT u, i, i, u, i, 'policy', '\(policy.id)', now(), now(), 'pending'
                FROM (SELECT gen_random_uuid() AS i, '\(all.stores.ada.id)'::uuid AS u FROM generate_series(1, 100100)) x
                """)
            let status = try #require(try await all.database.policies.status(policy.id))
            #expect(status.latenessP99 == .milliseconds(5) && status.fired == 2)
            #expect(status.planned == 100_001)
        }
    }

    @Test func `one made again under its name takes the place of the one before`() async throws {
        try await Reminding.with { all in
            _ = try await all.task("x", due: "2058-06-01 18:00")
            let first = try await all.policy(.offsets([0]))
            _ = try await all.policy(.offsets([0])) { $0.namespace = "elsewhere" }
            try await all.plan()
            let second = try await all.policy(.offsets([0]))
            #expect(try await all.database.policies.status(first.id) == nil)
            let step = try await all.plan()
            #expect(step.planned == 1 && step.cancelled == 1)
            #expect(try await all.database.policies.status(second.id)?.planned == 1)
            #expect(try await all.fire(at: time).fired == 2)
            #expect(try await all.sql("SELECT count(*) FROM reminder_policies") == "2")
        }
    }

    @Test func `a policy that selects by a project goes by the name that it has now`() async throws {
        try await Reminding.with { all in
            let (ada, projects) = (all.stores.ada, all.database.projects)
            func rename(_ project: Project, _ name: String) async throws {
                var patch = Project.Patch()
                patch.name = name
                _ = try await projects.update(project.id, patch, by: ada.id)
            }
            var made: [Project] = []
            for (name, title) in [("Work", "a"), ("Foo", "b")] {
                let project = try await projects.create(.init(name: name), by: ada.id)
                _ = try await all.task(title, due: "2058-06-01 18:00") { $0.project = project.id }
                made.append(project)
            }
            _ = try await all.policy(.offsets([60])) { $0.selector = "project:Work" }
            #expect(try await all.plan().planned == 1)
            for (project, name) in zip(made, ["Office", "Work"]) { try await rename(project, name) }
            let step = try await all.plan()
            #expect(step.tasks == 2 && step.planned == 1 && step.cancelled == 1)
            #expect(try await all.list(.pending, of: ada).map(\.title) == ["b"])
            try await rename(made[1], "WORK")
            #expect(try await all.sql("SELECT count(*) FROM replan") == "0")
        }
    }

    @Test func `one that cannot be read keeps what it has planned, and keeps back nobody else's`() async throws {
        try await Reminding.with { all in
            let task = try await all.task("x", due: "2058-06-01 18:00")
            let bad = try await all.policy(.offsets([60]))
            try await all.plan()
            _ = try await all.sql("UPDATE reminder_policies SET selector = 'tag:a (' WHERE id = '\(bad.id)'")
            _ = try await all.policy(.offsets([30])) { $0.name = "good" }
            try await all.remind(task)
            let step = try await all.plan()
            #expect(step.planned == 2 && step.cancelled == 0 && step.unreadable == [bad.id])
            _ = try await all.sql("INSERT INTO replan_scopes (kind, subject) VALUES ('policy', '\(bad.id)')")
            #expect(try await all.plan().cancelled == 0)
            #expect(try await all.list(.pending, of: all.stores.ada).map(\.offset) == [60, 30, 0])
        }
    }

    @Test func `a digest tells everybody of their own tasks, once, and nobody of none`() async throws {
        try await Reminding.with { all in
            let (ada, ben) = (all.stores.ada, all.stores.ben)
            for title in ["a", "b"] { _ = try await all.task(title, due: "2058-05-31 18:00") }
            _ = try await all.task("later", due: "2059-01-01")
            let done = try await all.task("done", due: "2058-05-31")
            try await all.change(done) { $0.status = .done }
            try await all.move(ada, to: "Europe/Berlin")
            let policy = try await all.policy(.digest("0 8 * * *", zone: nil)) {
                $0.selector = "due<=today"
                $0.channels = [.email]
            }
            try await all.plan()
            let now = try Instant.at("2058-06-01T00:00:00Z")
            let walls = try DigestSchedule("0 8 * * *").times(around: now)
            let plan = all.database.plan
            let eight = try Instant.at("2058-06-01T06:00:00Z")
            #expect(
                try await plan.digest(policy, walls: walls, now: now, until: .farFuture)
                    == .planned(.init(earliest: eight)))
            #expect(try await plan.digest(policy, walls: walls, now: now, until: .farFuture) == .idle)
            let past = Instant(microsecondsSince1970: 0)
            #expect(try await plan.digest(policy, walls: walls, now: now, until: past) == .tooLate)
            #expect(try await all.fire(at: eight).nextDigest == eight)
            #expect(try await all.database.firing.dueDigests(eight) == [policy.id])
            let claim = try await all.database.firing.claimDigests(of: policy, .at(eight))
            #expect(claim.fired == 1)
            let event = try #require(try await all.events().first)
            #expect(event.user == ada.id && event.task == nil && event.channels == [.email])
            #expect(event.body["digest"]?.array?.map { $0["title"] } == ["a", "b"])
            // Ben is in UTC, and has nothing to do.
            let claims = try await all.database.firing.claimDigests(of: policy, .at(eight.advanced(by: .seconds(7200))))
            #expect(claims.fired == 0 && claims.cancelled == 1)
            #expect(try await all.events().count == 1)
            let next = try await plan.digest(
                policy, walls: walls, now: eight.advanced(by: .seconds(7200)), until: .farFuture)
            #expect(next == .planned(.init(earliest: eight.advanced(by: .seconds(86_400)))))
            #expect(try await all.list(.pending, of: ben).count == 1)
        }
    }

    @Test func `the digests of a policy that is changed are cancelled a portion at a time`() async throws {
        try await Reminding.with { all in
            for n in 0..<5 {
                _ = try await all.database.accounts.create(
                    .init(email: "p\(n)@example.com", name: "P"), password: nil)
            }
            var policy = try await all.policy(.digest("0 8 * * *", zone: "UTC"))
            try await all.plan()
            let now = try Instant.at("2058-06-01T00:00:00Z")
            let walls = try DigestSchedule("0 8 * * *").times(around: now)
            let plan = all.database.plan
            _ = try await plan.digest(policy, walls: walls, now: now, until: .farFuture)
            policy.schedule = .digest("0 9 * * *", zone: "UTC")
            try await all.database.policies.upsert(policy)
            var steps: [PlanStore.Step] = []
            while case .planned(let step) = try await plan.step(limit: 1, now: now, until: .farFuture) {
                steps.append(step)
            }
            #expect(steps == [.init(cancelled: 5), .init(cancelled: 2, scopes: 1)])
            #expect(try await all.sql("SELECT count(*) FROM planned_reminders WHERE state = 'cancelled'") == "7")
        }
    }

    /// Its digest is held by quiet hours while the policy goes.
    @Test(arguments: [true, false])
    func `a digest that is judged while its policy has none any more is cancelled all the same`(
        isDeleted: Bool
    ) async throws {
        try await Reminding.with { all in
            var policy = try await all.policy(.digest("0 8 * * *", zone: "UTC"))
            try await all.plan()
            let now = try Instant.at("2058-06-01T00:00:00Z")
            let walls = try DigestSchedule("0 8 * * *").times(around: now)
            _ = try await all.database.plan.digest(policy, walls: walls, now: now, until: .farFuture)
            policy.schedule = .offsets([0])
            let changed = policy
            let firer = try await all.stores.home.connect()
            let planning = try await firer.withTransaction { firer in
                try await firer.query("UPDATE planned_reminders SET state = 'held', fire_at = fire_at + interval '1h'")
                if isDeleted {
                    try await all.database.policies.delete(changed.id)
                } else {
                    try await all.database.policies.upsert(changed)
                }
                let planning = Task { try await all.plan(now: now) }
                var isWaiting = false
                while !isWaiting {
                    isWaiting =
                        try await all.sql(
                            """
                            SELECT EXISTS (SELECT FROM pg_stat_activity
                                WHERE datname = current_database() AND wait_event_type = 'Lock')
                                OR NOT EXISTS (SELECT FROM replan_scopes)
                            """) == "t"
                }
                return planning
            }
            await firer.close()
            _ = try await planning.value
            #expect(try await all.sql("SELECT DISTINCT state FROM planned_reminders") == "cancelled")
            #expect(try await all.sql("SELECT count(*) FROM reminder_policies") == (isDeleted ? "0" : "1"))
        }
    }

    @Test(arguments: [(1, 100), (50, nil)])
    func `a digest shows the beginning of descriptions, and as many tasks as a broker takes`(
        tags: Int, shown: Int?
    ) async throws {
        try await Reminding.with { all in
            let text = String(repeating: "\u{1}", count: TodoTask.Limits.description)
            let names = (0..<tags).map { n in
                String(n) + String(repeating: "\u{10FFFD}", count: TodoTask.Limits.tag - 2)
            }
            for n in 0..<101 {
                _ = try await all.task("\(n)", due: "2058-05-31 18:00") {
                    $0.description = text
                    $0.tags = names
                }
            }
            let policy = try await all.policy(.digest("0 8 * * *", zone: nil)) { $0.selector = "due<=today" }
            let now = try Instant.at("2058-06-01T00:00:00Z")
            let walls = try DigestSchedule("0 8 * * *").times(around: now)
            _ = try await all.database.plan.digest(policy, walls: walls, now: now, until: .farFuture)
            let eight = try Instant.at("2058-06-01T08:00:00Z")
            #expect(try await all.database.firing.claimDigests(of: policy, .at(eight)).fired == 1)
            let event = try #require(try await all.events().first)
            let tasks = try #require(event.body["digest"]?.array)
            #expect(tasks.count == shown ?? tasks.count && tasks.count > 5)
            #expect(tasks.map { $0["title"] } == tasks.indices.map { .string("\($0)") }, "the first ones")
            #expect(tasks[0]["description"]?.string == String(text.prefix(100)))
            let size = event.body.encoded().count
            #expect(size < EventFlow.largestEvent, "\(size)")
        }
    }
}
