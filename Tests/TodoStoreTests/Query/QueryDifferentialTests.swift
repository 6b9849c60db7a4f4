import Foundation
import Testing
import TodoModel

@testable import TodoStore

/// PostgreSQL and a program that looks at one task after the other must find the same tasks in the same order.
@Suite struct QueryDifferentialTests {
    /// Around a change to summer time, one from it, and beside the date line with days that begin at midnight.
    enum Place: CaseIterable {
        case berlinInSpring, newYorkInAutumn, kiritimatiAtNewYear, berlinOnLeapDay

        var asker: Asker {
            let (now, zone, dayStart, weekStart): (String, String, String, TaskDate.Weekday) =
                switch self {
                case .berlinInSpring: ("2026-03-29T00:30:00.25Z", "Europe/Berlin", "04:00", .monday)
                case .newYorkInAutumn: ("2026-11-01T06:30:00Z", "America/New_York", "02:30", .sunday)
                case .kiritimatiAtNewYear: ("2026-12-31T10:00:00Z", "Pacific/Kiritimati", "00:00", .saturday)
                case .berlinOnLeapDay: ("2028-02-29T22:59:59.999999Z", "Europe/Berlin", "23:59", .monday)
                }
            return Asker(
                now: Instant(now) ?? .now(), zone: zone, dayStart: TimeOfDay(dayStart) ?? .midnight,
                weekStart: weekStart)
        }
    }

    @Test(arguments: Place.allCases)
    func postgresFindsWhatAPlainSearchFinds(place: Place) async throws {
        let asker = place.asker
        let database = try await QueryDatabase.make()
        try await database.insert(asker)
        let projects = ["Inbox", "Work", "Spring cleaning"].map { (id: UUID(), name: $0) }
        for project in projects {
            try await database.insert(
                project.id, name: project.name, isInbox: project.name == "Inbox", of: asker.user)
        }
        var random = RandomSearch(asker, projects: projects, seed: UInt64(place.hashValueOfName))
        let tasks = random.tasks(500)
        try await database.insert(tasks)
        let byID = Dictionary(uniqueKeysWithValues: tasks.map { ($0.id, $0) })

        var answered = 0
        for _ in 0..<250 {
            let query = random.query()
            let expected = NaiveSearch(
                query: query, calendar: NaiveCalendar(asker),
                projects: Dictionary(uniqueKeysWithValues: projects.map { ($0.id, $0.name) }), inbox: projects[0].id
            ).results(among: tasks).map(\.id)
            let found = try await all(query, asker.context, limit: random.int(7, 300), database, byID)
            #expect(found == expected, "\(query): \(difference(found, expected, byID))")
            if !expected.isEmpty, expected.count < tasks.count { answered += 1 }
        }
        // Most queries must tell tasks apart, or all this shows nothing.
        #expect(answered > 150)
    }

    /// Page by page, each begun where the one before ended.
    private func all(
        _ query: TaskQuery, _ context: QueryContext, limit: Int, _ database: QueryDatabase, _ tasks: [UUID: TodoTask]
    ) async throws -> [UUID] {
        var found: [UUID] = []
        var cursor: String?
        repeat {
            let listing = try TaskListing(query, in: context, after: cursor, limit: limit)
            let page = try await database.page(listing)
            found += page
            cursor = page.count < limit ? nil : tasks[page[limit - 1]].map { listing.cursor(after: $0) }
        } while cursor != nil && found.count <= tasks.count
        return found
    }

    private func difference(_ found: [UUID], _ expected: [UUID], _ tasks: [UUID: TodoTask]) -> String {
        let (extra, missing) = (Set(found).subtracting(expected), Set(expected).subtracting(found))
        if extra.isEmpty, missing.isEmpty { return "another order" }
        func show(_ ids: Set<UUID>) -> String { ids.prefix(2).compactMap { tasks[$0].map { "\($0)" } }.joined() }
        return "\(extra.count) too many: \(show(extra)); \(missing.count) too few: \(show(missing))"
    }
}

extension QueryDifferentialTests.Place {
    fileprivate var hashValueOfName: Int { "\(self)".utf8.reduce(7) { ($0 * 31 + Int($1)) % 1_000_003 } }
}
