import Postgres
import PostgresServer
import Testing

/// Many clients on two server connections, which change from one transaction to the next.
@Suite(.enabled(if: PgBouncer.isInstalled), .timeLimit(.minutes(10))) struct PoolerTests {
    @Test func `unnamed statements, batches and transactions work through a transaction-mode pooler`() async throws {
        let server = try await PostgresServer.shared()
        let pooler = try await PgBouncer.start(before: server)
        let database = try await server.createDatabase()
        try await server.psql("CREATE TABLE counter (n int8); INSERT INTO counter VALUES (0)", database: database)
        var configuration = try PostgresConfiguration(pooler.uri(database: database))
        configuration.statementMode = .unnamed
        let pool = PostgresPool(configuration, limits: .patient(size: 8))
        try await withThrowingTaskGroup { group in
            for n in 0..<200 {
                group.addTask {
                    #expect(try #require(try await pool.query("SELECT \(n)::int8").first).decode(Int.self) == n)
                    let rows = try await pool.batch(["SELECT \(n)::int8 + 1", "SELECT \(["a", "b"])"])
                    #expect(try #require(rows[0].first).decode(Int.self) == n + 1)
                    #expect(try #require(rows[1].first).decode([String].self) == ["a", "b"])
                    try await pool.withTransaction { transaction in
                        _ = try await transaction.query("UPDATE counter SET n = n + 1")
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await server.psql("SELECT n FROM counter", database: database) == "200")
        await pool.close()
    }

    @Test func `cancelling reaches the server through a pooler`() async throws {
        let server = try await PostgresServer.shared()
        let pooler = try await PgBouncer.start(before: server)
        let database = try await server.createDatabase()
        var configuration = try PostgresConfiguration(pooler.uri(database: database))
        configuration.statementMode = .unnamed
        configuration.cancelGrace = .patience
        let observer = try await PostgresConnection.connect(PostgresConfiguration(server.socketURI(database: database)))
        let connection = try await PostgresConnection.connect(configuration)
        let task = Task { try await connection.query("SELECT pg_sleep(60)") }
        let sleeping: PostgresQuery = """
            SELECT count(*) = 1 FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'active' AND query = 'SELECT pg_sleep(60)'
            """
        try await observer.eventually(sleeping)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await observer.value(sleeping, as: Bool.self) == false)
        #expect(try await connection.value("SELECT 1", as: Int.self) == 1)
        await connection.close()
        await observer.close()
    }
}
