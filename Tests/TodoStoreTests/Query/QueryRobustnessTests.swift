import Foundation
import Postgres
import Testing
import TodoModel

@testable import TodoStore

/// What the parser lets through, PostgreSQL takes: a query that a person wrote never becomes an error of the server.
@Suite struct QueryRobustnessTests {
    private static let pieces = [
        "due", "start", "created", "updated", "completed", "priority", "tag", "project", "parent", "estimate", ":", ":",
        "<",
        ">=", "..", "today", "now", "none", "any", "week", "0001-01-01", "9999-12-31", "+4000y", "-4000y", "-4000m",
        "+4000w",
        "urgent", "365h", "(", ")", "\"", "\\", "-", " ", " ", " or ", "*", "'", "''", ":*", "!", "&", "|", "<->", "%",
        "_",
        "a", "milk", "ü", "²", "1e9", "a-b", "x@y.z", "http", "/", ".", "👩‍👩‍👧", "\u{301}", "\u{2028}", "$1", "--", "{}",
        "\u{10ffff}",
    ]

    @Test func whateverIsReadRuns() async throws {
        let database = try await QueryDatabase.make()
        let asker = Asker(
            now: .now(), zone: "America/New_York", dayStart: TimeOfDay(minutes: 1439) ?? .midnight)
        try await database.insert(asker)
        var random = SeededGenerator(seed: 5)
        try await database.insert([task(of: asker.user)])
        var count = 0
        while count < 1500 {
            let text = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                Self.pieces.randomElement(using: &random) ?? ""
            }.joined()
            guard let query = try? TaskQuery(parsing: text), query.filter != .everything else { continue }
            count += 1
            await #expect(throws: Never.self, "\(text.debugDescription)") {
                try await database.page(TaskListing(query, in: asker.context, limit: 1))
            }
        }
    }

    @Test(arguments: [
        String(repeating: "a", count: 1999) + "*", "\"" + String(repeating: "\u{10400}", count: 1998) + "\"",
        String(repeating: "\u{10400}", count: 1999) + "*", String(repeating: "b' ", count: 100),
        String(repeating: "due:-1d..+1m ", count: 100),
        String(repeating: "(-", count: 25) + "a" + String(repeating: ")", count: 25),
        "due:0001-01-01..9999-12-31", "created>=-4000y", "due<=+4000y", "start:-4000m..+4000m",
        "sort:due,start,priority,created,updated,title,position", "tag:\"\\\"{},'\"", "project:\"%_'\"",
    ])
    func theExtremesRun(text: String) async throws {
        let database = try await QueryDatabase.make()
        let asker = Asker(now: .now(), zone: "Europe/Berlin", dayStart: .midnight)
        try await database.insert(asker)
        let (context, task) = (asker.context, task(of: asker.user))
        try await database.insert([task])
        let query = try TaskQuery(parsing: text)
        let first = try TaskListing(query, in: context, limit: 1)
        _ = try await database.page(first)
        _ = try await database.page(
            TaskListing(query, in: context, after: first.cursor(after: task), limit: 1))
    }

    @Test func aProjectIsFoundByNameAmongOwnAndShared() async throws {
        let database = try await QueryDatabase.make()
        let (user, owner, stranger) = (UUID(), UUID(), UUID())
        let (own, shared, foreign) = (UUID(), UUID(), UUID())
        try await database.insert(own, name: "Work", isInbox: false, of: user)
        try await database.insert(shared, name: "WORK", isInbox: false, of: owner)
        try await database.insert(foreign, name: "work", isInbox: false, of: stranger)
        try await database.connection.query(
            """
            INSERT INTO project_members (owner_id, project_id, member_id, role)
            VALUES (\(owner), \(shared), \(user), 'viewer')
            """)
        let tasks = [task(of: user, in: own), task(of: owner, in: shared), task(of: stranger, in: foreign)]
        try await database.insert(tasks)
        let context = QueryContext(user: user, now: .now())
        let listing = try TaskListing(TaskQuery(parsing: "project:work"), in: context, limit: 9)
        #expect(Set(try await database.page(listing)) == [tasks[0].id, tasks[1].id])
    }

    private func task(of user: UUID, in project: UUID = UUID()) -> TodoTask {
        TodoTask(
            user: user, id: UUID(), project: project, title: "milk", due: Due(date: CivilDate(daysSince1970: 20_000)),
            position: "V", created: .now(), updated: .now(), seq: 1)
    }
}
