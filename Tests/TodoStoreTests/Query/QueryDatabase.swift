import Foundation
import Postgres
import PostgresServer
import TodoModel

@testable import TodoStore

/// A database with the schema of the product, and rows put into it as they stand.
struct QueryDatabase {
    let connection: PostgresConnection

    static func make() async throws -> QueryDatabase {
        let connection = try await StoreDatabase.migrated().connect()
        // Rows stand by themselves here, without the people and projects that they refer to.
        try await connection.execute(
            script: """
                SET session_replication_role = replica;
                ALTER TABLE tasks ENABLE ALWAYS TRIGGER signature_new;
                """)
        return QueryDatabase(connection: connection)
    }

    func insert(_ asker: Asker) async throws {
        try await connection.query(
            """
            INSERT INTO users (id, email, name, zone, day_start)
            VALUES (\(asker.user), \(asker.user.uuidString.lowercased()), 'Ada', \(asker.zone),
                \(Int16(asker.dayStart.minutes)))
            """)
    }

    func insert(_ project: UUID, name: String, isInbox: Bool, of user: UUID) async throws {
        try await connection.query(
            """
            INSERT INTO projects (user_id, id, name, is_inbox, position, seq)
            VALUES (\(user), \(project), \(name), \(isInbox), 'V', 1)
            """)
    }

    func insert(_ tasks: [TodoTask]) async throws {
        try await connection.execute(script: "BEGIN")
        for task in tasks { try await insert(task) }
        try await connection.execute(script: "COMMIT")
    }

    private func insert(_ task: TodoTask) async throws {
        let instant = { (instant: Instant) in PostgresTimestamp(microsecondsSince1970: instant.microsecondsSince1970) }
        let day = { (date: CivilDate) in PostgresDate(daysSince1970: date.daysSince1970) }
        let parameters: [any PostgresEncodable] = [
            task.user, task.id, task.project, task.parent, task.title, task.description, task.status.rawValue,
            Int16(task.priority.rawValue), task.due.map { day($0.date) }, task.due?.time?.text, task.due?.zone,
            task.start.map(day), task.estimate.map { Int32($0) }, task.tags, task.position, instant(task.created),
            instant(task.updated), task.completed.map(instant), task.deleted.map(instant),
        ]
        try await connection.query(
            PostgresQuery(
                """
                INSERT INTO tasks (user_id, id, project_id, parent_id, title, description, status, priority, due_date,
                    due_time, due_zone, start_date, estimate_minutes, tags, position, created_at, updated_at,
                    completed_at, deleted_at, version, seq)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::time, $11, $12, $13, $14, $15, $16, $17, $18,
                    $19, 1, 1)
                """, parameters))
    }

    /// The ids of one page.
    func page(_ listing: TaskListing) async throws -> [UUID] {
        let statement = listing.statement("t.id", count: listing.limit)
        return try await connection.query(statement.query(named: "page")).map { try $0.decode(UUID.self) }
    }
}
