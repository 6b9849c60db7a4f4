import Foundation
import StructuredData
import Telemetry
import Testing
import TodoModel
import TodoStore

@testable import TodoWorkers

/// Workers by a clock that stands at noon of 2058-06-01 (UTC) until it is moved.
struct Downtime {
    let working: Working
    let clock: FakeClock
    /// Tells what is overdue by that clock.
    let database: TodoDatabase

    static func with(_ body: (Downtime) async throws -> Void) async throws {
        try await Working.with { working in
            let clock = FakeClock(try #require(Instant("2058-06-01T12:00:00Z")))
            let database = TodoDatabase(pool: working.pool, now: { clock.now })
            try await body(Downtime(working: working, clock: clock, database: database))
        }
    }

    func start() -> Task<Void, any Error> {
        let workers = TodoWorkers(
            database: database, clock: clock, logger: Working.logger, metrics: PrometheusRegistry())
        return Task { try await workers.run() }
    }

    func stop(_ running: Task<Void, any Error>) async {
        running.cancel()
        _ = await running.result
    }

    /// The firer and the recurrence worker have done all that there is to do now, and sleep.
    func isSettled() async throws -> Bool { try await working.until { clock.sleepers == 2 } }

    func task(
        _ title: String, due time: String, days: Int = 0, tag: String? = nil,
        _ configure: (inout TodoTask.Draft) throws -> Void = { _ in }
    ) async throws -> TodoTask {
        var draft = TodoTask.Draft(title: title)
        draft.due = Due(date: try #require(CivilDate("2058-06-0\(1 + days)")), time: TimeOfDay(time), zone: "UTC")
        draft.tags = tag.map { [$0] } ?? []
        try configure(&draft)
        return try await database.tasks.create(draft, by: database.operation(by: working.ada.id))
    }

    func remind(_ task: TodoTask) async throws {
        _ = try await database.reminders.create(.init(when: .before(.due, minutes: 0)), of: task.id, by: working.ada.id)
    }

    func policy(_ tag: String, offsets: [Int], _ catchUp: CatchUp) async throws {
        try await database.policies.upsert(
            ReminderPolicy(
                id: UUID(), namespace: "todo", name: tag, schedule: .offsets(offsets), selector: "tag:\(tag)",
                catchUp: catchUp))
    }

    struct Counts: Hashable {
        var fired: Int
        var late: Int
        var expired: Int
    }

    /// Of the events that were told about tasks with this title.
    func events(of title: String) async throws -> Counts {
        try await counts("body #>> '{data,task,title}' = '\(title)'")
    }

    func fired() async throws -> Counts { try await counts("true") }

    private func counts(_ condition: String) async throws -> Counts {
        let text = try await working.sql(
            """
            SELECT count(*) FILTER (WHERE type LIKE '%.fired') || ' '
                || count(*) FILTER (WHERE type LIKE '%.fired' AND (body #>> '{data,reminder,late}')::boolean) || ' '
                || count(*) FILTER (WHERE type LIKE '%.expired')
            FROM outbox WHERE topic = 'reminder-events' AND \(condition)
            """)
        let numbers = text.split(separator: " ").compactMap { Int($0) }
        return try #require(numbers.count == 3 ? Counts(fired: numbers[0], late: numbers[1], expired: numbers[2]) : nil)
    }

    /// When the open instances with this title are due.
    func open(_ title: String) async throws -> String {
        try await working.sql(
            """
            SELECT string_agg(due_date || ' ' || left(due_time::text, 5), ', ') FROM tasks
            WHERE title = '\(title)' AND status = 'open'
            """)
    }

    func day(after seconds: Double) -> String { "2058-06-0\(1 + Int(seconds / 86_400))" }
}
