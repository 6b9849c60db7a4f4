import Foundation
import StructuredData
import Testing
import TodoModel
import TodoStore

@testable import TodoWorkers

/// The workers themselves on a real database, stopped for so many seconds by a clock that the test moves.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DowntimeTests {
    static let downtimes = [1200.0, 86_400, 259_200]

    /// What is missed of three offsets of one task that were due 5 to 15 minutes into the downtime.
    private struct Expected {
        let catchUp: CatchUp
        /// By downtime.
        let late: [Int]
        var expired: [Int] { late.map { 3 - $0 } }
    }

    private static let policies: [String: Expected] = [
        "fire-all": .init(catchUp: CatchUp(policy: .all), late: [3, 3, 0]),
        "fire-latest": .init(catchUp: CatchUp(policy: .latest), late: [1, 1, 0]),
        "fire-none": .init(catchUp: CatchUp(policy: .none), late: [0, 0, 0]),
        "patient": .init(catchUp: CatchUp(window: .seconds(4 * 86_400), policy: .all), late: [3, 3, 3]),
        "strict": .init(catchUp: CatchUp(window: .seconds(600), policy: .all), late: [2, 0, 0]),
    ]

    @Test(arguments: downtimes, [true, false])
    func `what was missed fires once marked late, or is listed as expired, as its policy says`(
        _ downtime: Double, _ isRestarted: Bool
    ) async throws {
        try await Downtime.with { here in
            for (name, expected) in Self.policies {
                try await here.policy(name, offsets: [0, 5, 10], expected.catchUp)
                _ = try await here.task(name, due: "12:15", tag: name)
            }
            try await here.remind(try await here.task("own", due: "12:10"))
            let done = try await here.task("done", due: "12:10")
            try await here.remind(done)
            let later = downtime == 1200 ? "12:40" : "12:20"
            try await here.remind(try await here.task("later", due: later, days: Int(downtime / 86_400)))
            var running = here.start()
            try #require(await here.working.until { try await here.working.count("pending") == 18 })
            #expect(try await here.isSettled())
            if isRestarted { await here.stop(running) }
            _ = try await here.working.sql("UPDATE tasks SET status = 'done' WHERE id = '\(done.id)'")
            here.clock.advance(by: .seconds(downtime))
            if isRestarted { running = here.start() }

            let place = try #require(Self.downtimes.firstIndex(of: downtime))
            let late = Self.policies.values.reduce(1) { $0 + $1.late[place] }
            let expired = Self.policies.values.reduce(0) { $0 + $1.expired[place] }
            let told = late + expired
            try #require(await here.working.until { try await here.working.told() == "\(told) \(told)" })
            #expect(try await here.isSettled())
            for (name, expected) in Self.policies {
                #expect(
                    try await here.events(of: name)
                        == .init(
                            fired: expected.late[place], late: expected.late[place], expired: expected.expired[place]),
                    "\(name)")
            }
            #expect(try await here.events(of: "own") == .init(fired: 1, late: 1, expired: 0))
            #expect(try await here.working.count("cancelled") == 1, "of the task that was done meanwhile")
            here.clock.advance(by: .seconds(20 * 60))
            #expect(try await here.working.until { try await here.events(of: "later").fired == 1 })
            #expect(try await here.isSettled())
            #expect(try await here.events(of: "later") == .init(fired: 1, late: 0, expired: 0))
            #expect(try await here.working.told() == "\(told + 1) \(told + 1)", "nothing fires twice")
            await here.stop(running)
        }
    }

    @Test(arguments: [true, false]) func `a digest that was missed comes late, though those before it have expired`(
        _ isRestarted: Bool
    ) async throws {
        try await Downtime.with { here in
            try await here.database.policies.upsert(
                ReminderPolicy(
                    id: UUID(), namespace: "todo", name: "digest", schedule: .digest("30 12 * * *", zone: "UTC")))
            _ = try await here.task("x", due: "12:00")
            var running = here.start()
            try #require(await here.working.until { try await here.working.count("pending") == 1 })
            if isRestarted { await here.stop(running) }
            here.clock.advance(by: .seconds(3 * 86_400 + 5400))
            if isRestarted { running = here.start() }
            #expect(
                try await here.working.until {
                    try await here.fired() == .init(fired: 1, late: 1, expired: 3)
                })
            #expect(try await here.working.until { try await here.working.count("pending") == 1 }, "the next one")
            here.clock.advance(by: .seconds(82_800))
            #expect(
                try await here.working.until {
                    try await here.fired() == .init(fired: 2, late: 1, expired: 3)
                })
            await here.stop(running)
        }
    }

    @Test func `a digest that is due now goes before all that were missed`() async throws {
        try await Downtime.with { here in
            try await here.database.policies.upsert(
                ReminderPolicy(
                    id: UUID(), namespace: "todo", name: "digest", schedule: .digest("0 * * * *", zone: "UTC")))
            _ = try await here.task("x", due: "12:00")
            let running = here.start()
            try #require(await here.working.until { try await here.working.count("pending") == 1 })
            // More than are fired at once.
            here.clock.advance(by: .seconds(5 * 86_400))
            #expect(
                try await here.working.until {
                    try await here.fired() == .init(fired: 25, late: 24, expired: 95)
                })
            let before = try await here.working.sql(
                """
                SELECT count(*) FROM outbox o WHERE o.topic = 'reminder-events' AND o.id < (
                    SELECT f.id FROM outbox f WHERE f.type LIKE '%.fired'
                    AND NOT (f.body #>> '{data,reminder,late}')::boolean)
                """)
            #expect(before == "1", "the one that was planned before")
            await here.stop(running)
        }
    }

    @Test(arguments: downtimes)
    func `what was missed goes out a thousand a second, and keeps nothing waiting that is due now`(
        _ downtime: Double
    ) async throws {
        try await Downtime.with { here in
            let running = here.start()
            #expect(try await here.isSettled())
            try await here.working.plant(3500, first: "timestamptz '2058-06-01T12:05:00Z'", apart: 1)
            let now = here.clock.now.advanced(by: .seconds(downtime + 0.25))
            try await here.working.plant(20, first: "timestamptz '\(now.text)'", apart: 0)
            here.clock.advance(by: .seconds(downtime))
            #expect(try await here.isSettled())
            #expect(try await here.fired() == .init(fired: 1000, late: 1000, expired: 0))
            here.clock.advance(by: .milliseconds(250))
            #expect(try await here.isSettled())
            #expect(try await here.fired() == .init(fired: 1020, late: 1000, expired: 0), "those due now, at once")
            for second in 2...4 {
                here.clock.advance(by: .seconds(1))
                #expect(try await here.isSettled())
                let late = min(3500, 1000 * second)
                #expect(try await here.fired() == .init(fired: late + 20, late: late, expired: 0))
            }
            #expect(try await here.working.told() == "3520 3520")
            await here.stop(running)
        }
    }

    /// Every ten minutes from 12:00 on; all that is overdue is made but for what lies before the latest three.
    @Test(arguments: zip(downtimes, [["12:10", "12:20"], ["11:40", "11:50", "12:00"], ["11:40", "11:50", "12:00"]]))
    func `a task that was closed meanwhile goes on as its series says of what is overdue`(
        _ downtime: Double, _ missed: [String]
    ) async throws {
        try await Downtime.with { here in
            var tasks: [Series.Overdue: TodoTask] = [:]
            for overdue in Series.Overdue.allCases {
                tasks[overdue] = try await here.task("\(overdue)", due: "12:00") {
                    $0.recurrence = Series.Draft(
                        rule: try RecurrenceRule("FREQ=MINUTELY;INTERVAL=10"), overdue: overdue, overdueLimit: 3)
                }
            }
            here.clock.advance(by: .seconds(300))
            let running = here.start()
            #expect(try await here.isSettled())
            // As an import does.
            _ = try await here.working.sql("UPDATE tasks SET status = 'done'")
            here.clock.advance(by: .seconds(downtime))
            let last = try #require(missed.last)
            let next = downtime == 1200 ? "12:30" : "12:10"
            for (overdue, times) in [(Series.Overdue.next, [next]), (.one, [last, next]), (.all, missed + [next])] {
                for time in times {
                    #expect(
                        try await here.working.until {
                            try await here.open("\(overdue)") == here.day(after: downtime) + " " + time
                        }, "\(overdue) \(time)")
                    _ = try await here.working.sql("UPDATE tasks SET status = 'done' WHERE title = '\(overdue)'")
                    #expect(try await here.isSettled())
                    here.clock.advance(by: .seconds(5))
                }
            }
            await here.stop(running)
        }
    }
}
