import Concurrency
import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(10))) struct PoolTests {
    @Test func `a pool serves many tasks with few connections`() async throws {
        try await withDatabase { connection, configuration in
            let pool = PostgresPool(configuration, limits: .patient(size: 3))
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for n in 1...300 {
                    group.addTask { try #require(try await pool.query("SELECT \(n)::int8").first).decode(Int.self) }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 45_150)
            #expect(pool.statistics.open <= 3 && pool.statistics.leased == 0 && pool.statistics.waiting == 0)
            await pool.close()
            #expect(pool.statistics.open == 0)
            await #expect(throws: PostgresError.closed) { try await pool.query("SELECT 1") }
            let database = try #require(configuration["dbname"])
            try await connection.eventually("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = \(database)")
        }
    }

    @Test func `who waits too long is told that all connections are in use`() async throws {
        try await withDatabase { _, configuration in
            let clock = ManualClock()
            let pool = PostgresPool(configuration, limits: .init(size: 1), clock: clock)
            try await pool.withConnection { _ in
                let task = Task { _ = try await pool.query("SELECT 1") }
                while pool.statistics.waiting == 0 || clock.sleeperCount == 0 { await Task.yield() }
                clock.advance(by: .seconds(5))
                let error = try await postgresError { try await task.value }
                #expect(error == .poolExhausted(waited: .seconds(5), cause: nil))
            }
            try await pool.query("SELECT 1")
            await pool.close()
        }
    }

    @Test func `connections that nobody needs are closed`() async throws {
        try await withDatabase { _, configuration in
            let clock = ManualClock()
            let pool = PostgresPool(configuration, limits: .init(size: 1), clock: clock)
            try await pool.query("SELECT 1")
            // One looks after who waits, which the query did for its connection, the other after what is idle.
            while clock.sleeperCount < 2 { await Task.yield() }
            clock.advance(by: .seconds(299))
            #expect(pool.statistics.open == 1)
            clock.advance(by: .seconds(1))
            while pool.statistics.open > 0 { await Task.yield() }
            await pool.close()
        }
    }

    @Test func `a connection that was idle for long is asked before it is lent`() async throws {
        try await withDatabase { connection, configuration in
            let clock = ManualClock()
            let pool = PostgresPool(configuration, limits: .init(size: 1), clock: clock)
            func backend() async throws -> Int32 {
                try #require(try await pool.query("SELECT pg_backend_pid()").first).decode(Int32.self)
            }
            let first = try await backend()
            clock.advance(by: .seconds(31))
            #expect(try await backend() == first)
            try await connection.query("SELECT pg_terminate_backend(\(first))")
            clock.advance(by: .seconds(31))
            #expect(try await backend() != first)
            await pool.close()
        }
    }

    @Test func `a waiter that is cancelled leaves the queue`() async throws {
        try await withDatabase { _, configuration in
            let pool = PostgresPool(configuration, limits: .patient(size: 1))
            try await pool.withConnection { _ in
                let task = Task { try await pool.query("SELECT 1") }
                while pool.statistics.waiting == 0 { await Task.yield() }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(pool.statistics.waiting == 0)
            }
            await pool.close()
        }
    }

    @Test func `a connection left inside a transaction is not lent again`() async throws {
        try await withDatabase { connection, configuration in
            try await connection.execute(script: "CREATE TABLE t (n int8)")
            let pool = PostgresPool(configuration, limits: .patient(size: 1))
            try await pool.withConnection { try await $0.execute(script: "BEGIN; INSERT INTO t VALUES (1)") }
            let rows = try await pool.query("SELECT count(*) FROM t")
            #expect(try #require(rows.first).decode(Int.self) == 0)
            await pool.close()
        }
    }

    @Test func `idle connections that the server ended are replaced before anyone gets them`() async throws {
        try await withDatabase { connection, configuration in
            let pool = PostgresPool(configuration, limits: .patient(size: 2))
            try await pool.query("SELECT 1")
            try await connection.query(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """)
            while pool.statistics.open > 0 { await Task.yield() }
            try await pool.query("SELECT 1")
            await pool.close()
        }
    }

    @Test func `what cannot succeed fails at once, not at the deadline`() async throws {
        let server = try await PostgresServer.shared()
        let pool = PostgresPool(
            try PostgresConfiguration(server.socketURI(database: "no_such_database")), limits: .patient(size: 1))
        let error = try await postgresError { try await pool.query("SELECT 1") }
        guard case .connectionFailed(let why, isPermanent: true) = error else {
            Issue.record("unexpected: \(error)")
            return
        }
        #expect(why.contains("database \"no_such_database\" does not exist"))
        await pool.close()
    }

    @Test func `a pool outlives its server, killed in mid-query, and says what happened`() async throws {
        let server = try await PostgresServer.start()
        let pool = PostgresPool(try PostgresConfiguration(server.uri()), limits: .patient(size: 4))
        let observer = try await PostgresConnection.connect(PostgresConfiguration(server.uri()))
        let sleepers = (0..<4).map { _ in
            Task { try await pool.query(PostgresQuery("SELECT pg_sleep(60)").named("sleeper")) }
        }
        try await observer.eventually(
            "SELECT count(*) >= 4 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(6%'")
        try await server.kill()
        for sleeper in sleepers {
            let error = try await postgresError { _ = try await sleeper.value }
            #expect(error.isConnectionFailure && "\(error)".hasPrefix("connection to PostgreSQL lost in sleeper: "))
        }
        try await server.restart()
        try await pool.query("SELECT 1")
        #expect(!observer.isOpen)
        await pool.close()
    }

    @Test func `while the server is away, the deadline's error says so`() async throws {
        var limits = PostgresPool.Limits(size: 2)
        limits.waitDeadline = .seconds(2)
        let pool = PostgresPool(try PostgresConfiguration("postgresql://127.0.0.1:1/x"), limits: limits)
        let error = try await postgresError { try await pool.query("SELECT 1") }
        #expect("\(error)".hasPrefix("no PostgreSQL connection within 2.0 seconds: ") && "\(error)".contains("refused"))
        await pool.close()
    }
}
