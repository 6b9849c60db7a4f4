import Foundation
import Postgres
import Testing
import TodoModel

@testable import TodoStore

/// The lists that people look at all day are read from an index, in order and from where the page begins, under
/// row-level security, too.
@Suite struct QueryPlanTests {
    @Test func theListsOfADayAreReadFromAnIndex() async throws {
        let database = try await QueryDatabase.make()
        let asker = Asker(now: .now(), zone: "Europe/Berlin", dayStart: .midnight)
        try await database.insert(asker)
        let (user, context, project) = (asker.user, asker.context, UUID())
        try await fill(database.connection, with: 10_000, of: user, in: project)
        let last = TodoTask(
            user: user, id: UUID(), project: project, title: "milk",
            due: Due(date: NaiveCalendar(asker).today),
            position: "V", created: .now(), updated: .now(), seq: 1)

        for (text, index, condition) in [
            ("status:open sort:due", "tasks_by_due", "ROW(due_wall, id) > "),
            ("status:open due:today..+7d sort:due", "tasks_by_due", "due_wall >= "),
            ("status:open due:today..+7d sort:due,-priority", "tasks_by_due_and_priority", "due_wall >= "),
            ("due:overdue sort:due", "tasks_by_due", "due_wall < $"),
            ("project:\(project) sort:position", "tasks_by_project", "ROW(\"position\", id) > "),
        ] {
            let query = try TaskQuery(parsing: text)
            let cursor = try TaskListing(query, in: context, limit: 50).cursor(after: last)
            let listing = try TaskListing(query, in: context, after: cursor, limit: 50)
            let plan = try await plan(listing, of: user, on: database.connection)
            let scans = plan.split(separator: "Scan using ").filter { $0.hasPrefix("\(index) ") }
            let bounds = scans.flatMap { $0.split(separator: "\n").filter { $0.contains("Index Cond:") }.prefix(1) }
            #expect(bounds.contains { $0.contains(condition) }, "\(text)\n\(plan)")
            #expect(!plan.contains("Sort"), "\(text)\n\(plan)")
            // However many dates are compared.
            #expect(plan.ranges(of: " on users").count < 2, "\(text)\n\(plan)")
        }
    }

    private func fill(_ connection: PostgresConnection, with count: Int, of user: UUID, in project: UUID) async throws {
        try await connection.query(
            """
            INSERT INTO tasks (user_id, id, project_id, title, description, status, priority, due_date, tags, position,
                created_at, updated_at, seq)
            SELECT \(user), gen_random_uuid(), CASE WHEN n % 20 = 0 THEN \(project) ELSE gen_random_uuid() END,
                'task ' || n, '', CASE WHEN n % 2 = 0 THEN 'open' ELSE 'done' END, n % 5, current_date + n % 400 - 200,
                '{}', 'V' || n, now(), now(), n
            FROM generate_series(1, \(count)::int) AS n
            """)
        try await connection.execute(
            script: """
                CREATE ROLE reader_\(project.uuidString.prefix(8));
                GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_\(project.uuidString.prefix(8));
                ANALYZE tasks;
                SET ROLE reader_\(project.uuidString.prefix(8));
                SET app.user_id = '\(user)';
                """)
    }

    private func plan(_ listing: TaskListing, of user: UUID, on connection: PostgresConnection) async throws -> String {
        let statement: SQLFragment = """
            EXPLAIN WITH \(listing.tables)
            SELECT t.id FROM tasks AS t WHERE t.user_id = \(user) AND \(listing.condition)
            ORDER BY \(listing.orderBy) LIMIT \(listing.limit)
            """
        let lines = try await connection.query(statement.query(named: "plan")).map { row -> String in
            try row.decode(String.self)
        }
        return lines.joined(separator: "\n")
    }
}
