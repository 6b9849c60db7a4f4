import FoundationEssentials
import StructuredData
import Testing
import TodoModel

@testable import TodoStore

/// What becomes of reminders that were due while nothing ran.
@Suite(.timeLimit(.minutes(10))) struct CatchUpTests {
    private static let due = "2058-06-01 18:00"
    private let time = Instant("2058-06-01T18:00:00Z") ?? .now()

    @Test(arguments: [1200.0, 86_400, 259_200]) func `a person's own fires once on return, marked late`(
        _ downtime: Double
    ) async throws {
        try await Reminding.with { all in
            try await all.remind(try await all.task("x", due: Self.due))
            try await all.plan()
            let claim = try await all.fire(at: time.advanced(by: .seconds(downtime)))
            #expect(claim.late == 1 && claim.onTime.isEmpty && claim.expired == 0)
            #expect(try await all.fire(at: time.advanced(by: .seconds(downtime + 60))).count == 0)
            let events = try await all.events()
            #expect(events.count == 1 && events.first?.kind == .fired && events.first?.body["late"] == true)
        }
    }

    @Test func `after more than a week it is listed as expired`() async throws {
        try await Reminding.with { all in
            try await all.remind(try await all.task("x", due: Self.due))
            try await all.plan()
            #expect(try await all.fire(at: time.advanced(by: .seconds(8 * 86_400))).expired == 1)
            #expect(try await all.list(.expired, of: all.stores.ada).map(\.reason) == ["late"])
            #expect(try await all.events().map(\.kind) == [.expired])
        }
    }

    /// Of offsets of a day, an hour and none, due within a day; by downtime until an hour after the last.
    @Test(arguments: [
        (CatchUp(window: .seconds(2 * 86_400), policy: .all), 3, 0), (CatchUp(policy: .all), 2, 1),
        (CatchUp(policy: .latest), 1, 2), (CatchUp(policy: .none), 0, 3),
        (CatchUp(window: .seconds(1800), policy: .all), 0, 3),
    ]) func `a policy's fire or expire as it says, and none is silent`(
        _ catchUp: CatchUp, _ late: Int, _ expired: Int
    ) async throws {
        try await Reminding.with { all in
            _ = try await all.task("x", due: Self.due)
            let policy = try await all.policy(.offsets([0, 60, 1440])) { $0.catchUp = catchUp }
            #expect(try await all.plan().planned == 3)
            let claim = try await all.fire(at: time.advanced(by: .seconds(3600)))
            #expect(claim.late == late && claim.expired == expired)
            #expect(try await all.events().count == 3)
            if late == 1 {
                #expect(try await all.list(.fired, of: all.stores.ada).map(\.offset) == [0], "the last one")
            }
            let status = try #require(try await all.database.policies.status(policy.id))
            #expect(status.late == late && status.expired == expired && status.planned == 0)
        }
    }

    @Test func `of those missed the latest is enough, when it has fired on time too`() async throws {
        try await Reminding.with { all in
            _ = try await all.task("x", due: Self.due)
            _ = try await all.policy(.offsets([0, 60])) { $0.catchUp = CatchUp(policy: .latest) }
            try await all.plan()
            // It is back half a minute after the last: what is due now goes first, then what was missed.
            let now = time.advanced(by: .seconds(30))
            let recent = FireStore.Order(
                after: now.advanced(by: .seconds(-60)), through: now, now: now,
                missedBefore: now.advanced(by: .seconds(-60)), deadline: .farFuture)
            #expect(try await all.database.firing.claim(recent).onTime == [time])
            let missed = try await all.fire(at: now)
            #expect(missed.late == 0 && missed.expired == 1)
            #expect(try await all.list(.expired, of: all.stores.ada).map(\.reason) == ["superseded"])
        }
    }

    private func planDigests(of policy: ReminderPolicy, at now: Instant, in all: Reminding) async throws {
        guard case .digest(let text, _) = policy.schedule else { return }
        let walls = try DigestSchedule(text).times(around: now, and: policy.catchUp.digestWindow)
        _ = try await all.database.plan.digest(policy, walls: walls, now: now, until: .farFuture)
    }

    @Test func `digests that were missed for too long are listed as expired, each of them`() async throws {
        try await Reminding.with { all in
            _ = try await all.task("x", due: Self.due)
            let policy = try await all.policy(.digest("0 18 * * *", zone: "UTC"))
            try await planDigests(of: policy, at: time.advanced(by: .seconds(-3600)), in: all)
            let now = time.advanced(by: .seconds(5 * 86_400 + 1800))
            #expect(try await all.database.firing.claimDigests(of: policy, .at(now)).expired == 2, "Ada's and Ben's")
            try await planDigests(of: policy, at: now, in: all)
            let rest = try await all.database.firing.claimDigests(of: policy, .at(now))
            // Ben has nothing to do.
            #expect(rest.late == 1 && rest.expired == 8 && rest.cancelled == 1)
            let expired = try await all.list(.expired, of: all.stores.ada)
            #expect(expired.map(\.due) == (0...4).reversed().map { time.advanced(by: .seconds($0 * 86_400)) })
            #expect(expired.allSatisfy { $0.reason == "late" })
        }
    }

    @Test func `of the digests that were missed the latest is enough, though one was planned alone`() async throws {
        try await Reminding.with { all in
            _ = try await all.task("x", due: Self.due)
            let policy = try await all.policy(.digest("0 * * * *", zone: "UTC")) {
                $0.catchUp = CatchUp(policy: .latest)
            }
            try await planDigests(of: policy, at: time, in: all)
            let now = time.advanced(by: .seconds(5 * 3600 + 1800))
            let first = try await all.database.firing.claimDigests(of: policy, .at(now))
            #expect(first.fired == 0 && first.expired == 2, "Ada's and Ben's")
            try await planDigests(of: policy, at: now, in: all)
            let rest = try await all.database.firing.claimDigests(of: policy, .at(now))
            // Ben has nothing to do.
            #expect(rest.late == 1 && rest.onTime.isEmpty && rest.expired == 6 && rest.cancelled == 1)
            let fired = try await all.list(.fired, of: all.stores.ada).map(\.due)
            #expect(fired == [time.advanced(by: .seconds(5 * 3600))])
        }
    }

    @Test func `what many missed is planned a portion at a time, all of one person at once`() async throws {
        try await Reminding.with { all in
            for n in 0..<3 {
                _ = try await all.database.accounts.create(
                    .init(email: "p\(n)@example.com", name: "P"), password: nil)
            }
            let policy = try await all.policy(.digest("0 * * * *", zone: "UTC"))
            try await planDigests(of: policy, at: time, in: all)
            let now = time.advanced(by: .seconds(7 * 86_400 + 1800))
            #expect(try await all.database.firing.claimDigests(of: policy, .at(now)).count == 5)
            let walls = try DigestSchedule("0 * * * *").times(around: now, and: policy.catchUp.digestWindow)
            var (first, planned): (UUID?, [String]) = (nil, [])
            repeat {
                let outcome = try await all.database.plan.digest(
                    policy, walls: walls, from: first, limit: 200, now: now, until: .farFuture)
                guard case .planned(let step) = outcome else { break }
                planned.append(try await all.sql("SELECT count(*) FROM planned_reminders WHERE state = 'pending'"))
                first = step.rest
            } while first != nil
            #expect(planned == ["336", "672", "840"], "a week of each, but for the first, and the next")
            let people = try await all.sql(
                "SELECT count(DISTINCT user_id) FROM planned_reminders WHERE fire_at > '\(now.text)'")
            #expect(people == "5")
            #expect(try await all.database.firing.dueDigests(now) == [policy.id])
        }
    }

    @Test func `a policy that was changed since it was read plans no digest`() async throws {
        try await Reminding.with { all in
            let policy = try await all.policy(.digest("0 * * * *", zone: "UTC"))
            var changed = policy
            changed.schedule = .digest("0 * * * *", zone: nil)
            try await all.database.policies.upsert(changed)
            let walls = try DigestSchedule("0 * * * *").times(around: time)
            let plan = all.database.plan
            #expect(try await plan.digest(policy, walls: walls, now: time, until: .farFuture) == .idle)
            #expect(try await plan.digest(changed, walls: walls, now: time, until: .farFuture) != .idle)
        }
    }

    @Test func `digests that were missed are planned though the policy selects and sends otherwise by then`()
        async throws
    {
        try await Reminding.with { all in
            var policy = try await all.policy(.digest("0 * * * *", zone: "UTC"))
            _ = try await all.sql("UPDATE reminder_policies SET updated_at = '2020-01-01'")
            let noon = try Instant.at("2020-06-01T12:00:00Z")
            try await planDigests(of: policy, at: noon, in: all)
            let now = noon.advanced(by: .seconds(3 * 3600 + 1800))
            _ = try await all.database.firing.claimDigests(of: policy, .at(now))
            func planned(_ policy: ReminderPolicy) async throws -> [Instant] {
                try await all.database.policies.upsert(policy)
                try await all.plan(now: now)
                try await planDigests(of: policy, at: now, in: all)
                return try await all.list(.pending, of: all.stores.ada).map(\.due)
            }
            policy.channels = [.email]
            policy.selector = "tag:a"
            #expect(try await planned(policy) == (2...4).map { noon.advanced(by: .seconds($0 * 3600)) })
            policy.schedule = .digest("30 * * * *", zone: "UTC")
            #expect(try await planned(policy) == [noon.advanced(by: .seconds(4 * 3600 + 1800))])
        }
    }

    @Test func `of wall times that a gap makes one instant, one is planned`() async throws {
        try await Reminding.with { all in
            let policy = try await all.policy(.digest("0 * * * *", zone: "Europe/Berlin"))
            // The clocks go from two to three.
            let night = try Instant.at("2058-03-30T22:30:00Z")
            try await planDigests(of: policy, at: night, in: all)
            let now = night.advanced(by: .seconds(4 * 3600))
            _ = try await all.database.firing.claimDigests(of: policy, .at(now))
            try await planDigests(of: policy, at: now, in: all)
            #expect(
                try await all.list(.pending, of: all.stores.ada).map(\.due)
                    == (1...4).map { night.advanced(by: .seconds(1800 + $0 * 3600)) })
        }
    }

    @Test func `what was written while nothing planned is planned all the same, though it was due by then`()
        async throws
    {
        try await Reminding.with { all in
            let task = try await all.task("x", due: Self.due)
            try await all.remind(task)
            try await all.remind(task, minutes: 60)
            // Edited later, still without a worker.
            try await all.change(task) { $0.tags = ["a"] }
            try await all.plan(now: time.advanced(by: .seconds(7200)))
            #expect(try await all.fire(at: time.advanced(by: .seconds(7200))).late == 2)
        }
    }

    @Test func `what had passed when somebody asked for it is not planned`() async throws {
        try await Reminding.with { all in
            let task = try await all.task("x", due: "2020-06-01 18:00")
            try await all.remind(task)
            _ = try await all.policy(.offsets([0, 60]))
            #expect(try await all.plan().planned == 0)
        }
    }

    @Test func `quiet hours hold until they are over, or drop, as the person says`() async throws {
        try await Reminding.with { all in
            let (from, to) = (try #require(TimeOfDay("17:00")), try #require(TimeOfDay("19:00")))
            let night = try #require(QuietHours(from: from, to: to))
            let ada = all.stores.ada
            _ = try await all.database.accounts.update(ada.id, .with { $0.quietHours = .some(night) })
            let task = try await all.task("x", due: Self.due)
            try await all.remind(task)
            try await all.plan()
            let claim = try await all.fire(at: time)
            let end = time.advanced(by: .seconds(3600))
            #expect(claim.held == 1 && claim.next == end)
            #expect(try await all.list(.pending, of: ada).map(\.state) == [.held])
            try await all.plan()
            #expect(try await all.fire(at: end.advanced(by: .seconds(-1))).count == 0)
            let released = try await all.fire(at: end)
            #expect(released.onTime == [end] && released.late == 0)
            #expect(try await all.list(.fired, of: ada).map(\.due) == [time])

            let drop = QuietHours(from: night.from, to: night.to, policy: .drop)
            _ = try await all.database.accounts.update(ada.id, .with { $0.quietHours = .some(drop) })
            try await all.remind(try await all.task("y", due: Self.due))
            try await all.plan()
            #expect(try await all.fire(at: time).expired == 1)
            #expect(try await all.list(.expired, of: ada).map(\.reason) == ["quiet"])
        }
    }

    @Test func `held reminders are let go when the quiet hours are lifted, unless the task is done by then`()
        async throws
    {
        try await Reminding.with { all in
            let (from, to) = (try #require(TimeOfDay("17:00")), try #require(TimeOfDay("23:00")))
            let night = QuietHours(from: from, to: to)
            let ada = all.stores.ada
            _ = try await all.database.accounts.update(ada.id, .with { $0.quietHours = .some(night) })
            let (one, other) = (try await all.task("x", due: Self.due), try await all.task("y", due: Self.due))
            for task in [one, other] { try await all.remind(task) }
            try await all.plan()
            #expect(try await all.fire(at: time).held == 2)
            try await all.change(other) { $0.status = .done }
            _ = try await all.database.accounts.update(ada.id, .with { $0.quietHours = .some(nil) })
            let now = time.advanced(by: .seconds(60))
            try await all.plan(now: now)
            let claim = try await all.fire(at: now)
            #expect(claim.fired == 1 && claim.late == 0)
            #expect(try await all.events().map { $0.task?["title"] } == ["x"])
        }
    }

    @Test func `what the quiet hours of a policy hold is let go when they change, and by no other change`()
        async throws
    {
        try await Reminding.with { all in
            let (from, to) = (try #require(TimeOfDay("17:00")), try #require(TimeOfDay("23:00")))
            let sooner = try #require(TimeOfDay("18:30"))
            let (ada, policies) = (all.stores.ada, all.database.policies)
            func states() async throws -> [PlannedReminder.State] { try await all.list(.pending, of: ada).map(\.state) }
            _ = try await all.task("x", due: Self.due)
            var policy = try await all.policy(.offsets([0])) { $0.quietHours = QuietHours(from: from, to: to) }
            try await all.plan()
            #expect(try await all.fire(at: time).held == 1)
            policy.channels = [.email]
            try await policies.upsert(policy)
            #expect(try await states() == [.held])
            policy.quietHours = QuietHours(from: from, to: sooner)
            try await policies.upsert(policy)
            #expect(try await states() == [.pending])
            policy.quietHours = nil
            try await policies.upsert(policy)
            // They are let go by the database's clock.
            let claim = try await all.fire(at: .now())
            #expect(claim.fired == 1 && claim.late == 0)
        }
    }
}
