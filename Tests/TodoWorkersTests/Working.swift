import Concurrency
import Foundation
import Logging
import Postgres
import PostgresServer
import StructuredData
import Telemetry
import TodoModel
import TodoStore

@testable import TodoWorkers

/// A migrated database with one person, for workers.
struct Working: Sendable {
    let server: PostgresServer
    let name: String
    let uri: String
    let pool: PostgresPool
    let database: TodoDatabase
    let ada: User

    static func with(_ body: (Working) async throws -> Void) async throws {
        try await with(on: PostgresServer.shared(), body)
    }

    static func with(on server: PostgresServer, _ body: (Working) async throws -> Void) async throws {
        let name = try await server.createDatabase("todo") { _ = try await Migrator.migrate(databaseURI: $0) }
        let uri = server.socketURI(user: "app", database: name)
        var limits = PostgresPool.Limits(size: 8)
        limits.waitDeadline = .seconds(60)
        let pool = PostgresPool(try PostgresConfiguration(uri), limits: limits)
        let database = TodoDatabase(pool: pool)
        let ada = try await database.accounts.create(.init(email: "ada@example.com", name: "Ada"), password: nil)
        try await body(
            Working(server: server, name: name, uri: uri, pool: pool, database: database, ada: ada))
        await pool.close()
    }

    static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    func sql(_ text: String) async throws -> String { try await server.psql(text, database: name) }

    /// Planned reminders of one task of Ada's, `count` of them from `first` on, so many milliseconds apart.
    func plant(_ count: Int, first: String, apart milliseconds: Double) async throws {
        let task = try await database.tasks.create(.init(title: "x"), by: database.operation(by: ada.id))
        _ = try await sql(
            """
            WITH made AS (
                INSERT INTO reminders (user_id, id, owner_id, task_id, at, channels)
                SELECT '\(ada.id)', gen_random_uuid(), '\(ada.id)', '\(task.id)',
                    \(first) + n * \(milliseconds) * interval '1 millisecond', '{}' FROM generate_series(0, \(count - 1)) n
                RETURNING *)
            INSERT INTO planned_reminders (user_id, id, base_id, owner_id, task_id, source, source_id, anchor, due_at,
                fire_at, state)
            SELECT user_id, id, id, owner_id, task_id, 'person', id, timezone('UTC', at), at, at, 'pending' FROM made
            """)
    }

    func workers(
        lease: @escaping @Sendable () async throws -> Void = {}, metrics: PrometheusRegistry = .init()
    ) -> TodoWorkers {
        TodoWorkers(database: database, leaseCheck: lease, logger: Self.logger, metrics: metrics)
    }

    /// Asks until it is so; for what other tasks and processes do.
    func until(_ limit: Duration = .seconds(120), _ condition: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    func count(_ state: String) async throws -> Int {
        Int(try await sql("SELECT count(*) FROM planned_reminders WHERE state = '\(state)'")) ?? -1
    }

    /// How many events there are, and about how many reminders.
    func told() async throws -> String {
        try await sql(
            "SELECT count(*) || ' ' || count(DISTINCT body->>'subject') FROM outbox WHERE topic = 'reminder-events'")
    }
}
