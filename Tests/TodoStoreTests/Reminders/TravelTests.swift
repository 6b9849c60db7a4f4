import StructuredData
import Testing
import TodoModel

@testable import TodoStore

/// People and tasks in zones.
@Suite(.timeLimit(.minutes(10))) struct TravelTests {
    @Test func `a day is reminded of at the person's hour in the person's zone, from UTC-11 to UTC+14`() async throws {
        try await Reminding.with { all in
            let task = try await all.task("x", due: "2058-06-01")
            try await all.remind(task)
            for (zone, due) in [
                ("Pacific/Pago_Pago", "2058-06-01T20:00:00Z"), ("Pacific/Kiritimati", "2058-05-31T19:00:00Z"),
                ("Asia/Kolkata", "2058-06-01T03:30:00Z"), ("UTC", "2058-06-01T09:00:00Z"),
            ] {
                try await all.move(all.stores.ada, to: zone)
                try await all.plan()
                #expect(try await all.list(.pending, of: all.stores.ada).map(\.due) == [try .at(due)], "\(zone)")
            }
            _ = try await all.database.accounts.update(all.stores.ada.id, .with { $0.remindAt = TimeOfDay("18:30") })
            try await all.plan()
            #expect(
                try await all.list(.pending, of: all.stores.ada).map(\.due) == [try .at("2058-06-01T18:30:00Z")])
        }
    }

    @Test func `a move takes floating reminders along, leaves fixed ones, and fires nothing again`() async throws {
        try await Reminding.with { all in
            let ada = all.stores.ada
            try await all.move(ada, to: "America/New_York")
            for (title, due, zone) in [
                ("yesterday", "2058-06-01 09:00", nil), ("floating", "2058-06-02 09:00", nil),
                ("fixed", "2058-06-02 09:00", "America/New_York"),
            ] as [(String, String, String?)] {
                try await all.remind(try await all.task(title, due: due, zone: zone))
            }
            try await all.plan()
            #expect(try await all.fire(at: try .at("2058-06-01T13:00:00Z")).fired == 1)
            try await all.move(ada, to: "Pacific/Honolulu")
            try await all.plan(now: try .at("2058-06-01T14:00:00Z"))
            let pending = try await all.list(.pending, of: ada)
            #expect(pending.map(\.title) == ["fixed", "floating"])
            #expect(pending.map(\.due.text) == ["2058-06-02T13:00:00.000000Z", "2058-06-02T19:00:00.000000Z"])
            #expect(try await all.fire(at: try .at("2058-06-01T23:00:00Z")).count == 0)
            #expect(try await all.list(.fired, of: ada).map(\.title) == ["yesterday"])
            try await all.move(ada, to: "America/New_York")
            try await all.plan(now: try .at("2058-06-01T14:00:00Z"))
            #expect(try await all.fire(at: try .at("2058-06-02T13:00:00Z")).fired == 2)
            #expect(try await all.events().count == 3)
        }
    }

    @Test(arguments: [
        "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca",
    ])
    func `a daily nine o'clock stays at nine across the changes of the clock`(_ name: String) async throws {
        let zone = try #require(ZoneTable.named(name))
        // The day before, of and after each of the next two changes, as this machine's tables have them.
        let year = 2_777_068_800  // 2058
        let first = zone.interval(at: year).end
        let second = zone.interval(at: first).end
        let changesClocks = name != "Asia/Kolkata"
        #expect((second < year + 2 * 366 * 86_400) == changesClocks)
        let days = (changesClocks ? [first, second] : [year]).flatMap { change in
            (-1...1).map { CivilDate(daysSince1970: zone.local(at: change).date.daysSince1970 + $0) }
        }
        try await Reminding.with { all in
            for day in days { try await all.remind(try await all.task(day.text, due: "\(day.text) 09:00", zone: name)) }
            #expect(try await all.plan().planned == days.count)
            let nine = try #require(TimeOfDay("09:00"))
            let expected = days.map { zone.instant(of: LocalDateTime(date: $0, time: nine)) }
            let offsets = Set(expected.map { zone.offset(at: $0) })
            #expect(offsets.count == (changesClocks ? 2 : 1), "a change lies between these days")
            let pending = try await all.list(.pending, of: all.stores.ada)
            #expect(pending.map { Int($0.due.microsecondsSince1970 / 1_000_000) } == expected)
            // PostgreSQL's tables say so, too.
            let times = try await all.sql(
                """
                SELECT DISTINCT timezone(t.due_zone, p.due_at)::time FROM planned_reminders p JOIN tasks t ON t.id = p.task_id
                """)
            #expect(times == "09:00:00")
        }
    }

    @Test func `who moves again and again is planned once, and keeps nobody waiting`() async throws {
        try await Reminding.with { all in
            let (ada, ben) = (all.stores.ada, all.stores.ben)
            _ = try await all.policy(.offsets([0])) { $0.selector = "tag:a" }
            _ = try await all.task("0", due: "2058-06-01")
            _ = try await all.sql(
                """
                INSERT INTO tasks (user_id, id, project_id, title, description, status, priority, due_date, tags, position,
                    created_at, updated_at, seq)
                SELECT t.user_id, gen_random_uuid(), t.project_id, n::text, '', 'open', 0, t.due_date, '{}', t.position,
                    now(), now(), t.seq
                FROM tasks t, generate_series(1, 999) n
                """)
            try await all.plan()
            for turn in 1...50 {
                for zone in ["Asia/Kolkata", "Europe/Berlin"] { try await all.move(ada, to: zone) }
                #expect(try await all.sql("SELECT count(*) FROM replan_scopes") == "\(2 * turn)")
            }
            func step() async throws -> PlanStore.Outcome {
                try await all.database.plan.step(now: .now(), until: .farFuture)
            }
            #expect(try await step() == .planned(.init(scopes: 1)))
            #expect(try await all.sql("SELECT count(*) FROM replan_scopes") == "0")
            _ = try await all.task("ben's", due: "2058-06-01 09:00", of: ben) { $0.tags = ["a"] }
            #expect(try await step() == .planned(.init(tasks: 1000)), "all of Ada's, and no other scope")
            let nine = try Instant.at("2058-06-01T09:00:00Z")
            #expect(try await step() == .planned(.init(tasks: 1, planned: 1, earliest: nine)))
            #expect(try await step() == .idle)
        }
    }

    @Test func `one that comes while a policy walks through all tasks has it walk once more, from the start`()
        async throws
    {
        try await Reminding.with { all in
            for number in 0..<8 { _ = try await all.task("\(number)", due: "2058-06-01 18:00") }
            try await all.plan()
            let policy = try await all.policy(.offsets([0]))
            func step() async throws -> PlanStore.Outcome {
                try await all.database.plan.step(limit: 1, now: .now(), until: .farFuture)
            }
            guard case .planned(let first) = try await step() else { throw StoreError.notFound }
            #expect(first.tasks == 5 && first.scopes == 1)
            let note = "INSERT INTO replan_scopes (kind, subject) VALUES ('policy', '\(policy.id)');"
            _ = try await all.sql(note + note)
            let rest = try await all.plan()
            #expect(rest.tasks == 3 + 8 && rest.planned == 3 && rest.scopes == 1)
        }
    }

    @Test func `a zone that the server does not know keeps nobody else's reminders from being planned`() async throws {
        try await Reminding.with { all in
            try await all.remind(try await all.task("x", due: "2058-06-01 09:00", zone: "Europe/Berlin"))
            let odd = try await all.task("odd", due: "2058-06-01 09:00", zone: "Europe/Berlin")
            try await all.remind(odd)
            _ = try await all.sql("UPDATE tasks SET due_zone = 'Mars/Olympus' WHERE id = '\(odd.id)'")
            try await all.plan()
            #expect(
                try await all.list(.pending, of: all.stores.ada).map(\.due.text)
                    == ["2058-06-01T07:00:00.000000Z", "2058-06-01T09:00:00.000000Z"])
        }
    }

    @Test func `a zone that the server does not know is the person's in lists, policies and digests`() async throws {
        try await Reminding.with { all in
            let ada = all.stores.ada
            try await all.move(ada, to: "Asia/Kolkata")
            let odd = try await all.task("odd", due: "2058-06-01 09:00", zone: "Europe/Berlin")
            _ = try await all.sql("UPDATE tasks SET due_zone = 'Mars/Olympus' WHERE id = '\(odd.id)'")
            for (query, titles) in [
                ("due:today", []), ("due>=today", ["odd"]), ("due:2058-06-01", ["odd"]), ("due>2058-06-01", []),
            ] as [(String, [String])] {
                #expect(try await all.stores.titles(query, for: ada) == titles, "\(query)")
            }
            let dated = "due>2026-01-01 due<=2058-06-01"
            _ = try await all.policy(.offsets([0])) { $0.selector = dated }
            try await all.plan()
            #expect(try await all.list(.pending, of: ada).map(\.due) == [try .at("2058-06-01T03:30:00Z")])
            let digest = try await all.policy(.digest("0 8 * * *", zone: nil)) {
                $0.name = "digest"
                $0.selector = dated
            }
            let now = try Instant.at("2058-06-01T00:00:00Z")
            let walls = try DigestSchedule("0 8 * * *").times(around: now)
            _ = try await all.database.plan.digest(digest, walls: walls, now: now, until: .farFuture)
            let eight = try Instant.at("2058-06-01T02:30:00Z")
            #expect(try await all.database.firing.claimDigests(of: digest, .at(eight)).fired == 1)
            let event = try #require(try await all.events().first)
            #expect(event.body["digest"]?.array?.map { $0["title"] } == ["odd"])
        }
    }

    @Test func `whose own zone the server does not know has lists by UTC`() async throws {
        try await Reminding.with { all in
            _ = try await all.task("x", due: "2058-06-01 09:00", zone: "Asia/Kolkata")
            _ = try await all.sql("UPDATE users SET zone = 'Mars/Olympus' WHERE id = '\(all.stores.ada.id)'")
            for query in ["due>=today", "due:2058-06-01", "created>2026-01-01 created<=today"] {
                #expect(try await all.stores.titles(query, for: all.stores.ada) == ["x"], "\(query)")
            }
        }
    }

    @Test func `when the rules of a zone change, reminders to come in it are planned anew, and no others`() async throws
    {
        try await Reminding.with { all in
            try await all.remind(try await all.task("berlin", due: "2058-06-01 09:00", zone: "Europe/Berlin"))
            try await all.remind(try await all.task("fired", due: "2058-01-01 09:00", zone: "Europe/Berlin"))
            try await all.remind(try await all.task("kolkata", due: "2058-06-01 09:00", zone: "Asia/Kolkata"))
            try await all.plan()
            #expect(try await all.fire(at: try .at("2058-01-01T09:00:00Z")).fired == 1)
            #expect(try await all.database.plan.checkZones() == 0)
            // As if the server had known another Berlin when these were planned.
            _ = try await all.sql(
                """
                UPDATE reminder_zones SET checked_at = now() - interval '2 days',
                    fingerprint = CASE name WHEN 'Europe/Berlin' THEN 'other' ELSE fingerprint END;
                UPDATE planned_reminders SET due_at = due_at + interval '1 hour', fire_at = fire_at + interval '1 hour'
                    WHERE state = 'pending'
                """)
            #expect(try await all.database.plan.checkZones() == 1)
            let step = try await all.plan(now: try .at("2058-01-01T09:00:00Z"))
            #expect(step.tasks == 2 && step.planned == 1)
            #expect(
                try await all.list(.pending, of: all.stores.ada).map(\.due.text)
                    == ["2058-06-01T04:30:00.000000Z", "2058-06-01T07:00:00.000000Z"])
        }
    }
}
