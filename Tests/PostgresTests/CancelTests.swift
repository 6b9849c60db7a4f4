import Glibc
import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(10))) struct CancelTests {
    /// Runs `work` on the connection in a task, and cancels the task once the server is at it.
    func cancel(
        _ connection: PostgresConnection, observer: PostgresConnection,
        work: @escaping @Sendable () async throws -> Void
    ) async throws {
        let pid = Int(await connection.backendProcess)
        let task = Task { try await work() }
        try await observer.eventually(
            """
            SELECT EXISTS (SELECT FROM pg_stat_activity
                           WHERE pid = \(pid) AND state = 'active' AND query LIKE '%pg_sleep%')
            """
        )
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await observer.eventually(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(pid) AND state = 'active')")
    }

    @Test func `cancelling a task ends its statement on the server and keeps the connection`() async throws {
        try await withDatabase { connection, configuration in
            let observer = try await PostgresConnection.connect(configuration)
            for _ in 0..<10 {
                try await cancel(connection, observer: observer) { try await connection.query("SELECT pg_sleep(60)") }
                #expect(try await connection.value("SELECT 7", as: Int.self) == 7)
            }
            try await cancel(connection, observer: observer) {
                try await connection.batch(["SELECT 1", "SELECT pg_sleep(60)", "SELECT 2"])
            }
            #expect(try await connection.value("SELECT 8", as: Int.self) == 8)
            await observer.close()
        }
    }

    @Test func `cancelling inside a transaction rolls it back`() async throws {
        try await withDatabase { connection, configuration in
            let observer = try await PostgresConnection.connect(configuration)
            try await connection.execute(script: "CREATE TABLE t (n int8)")
            try await cancel(connection, observer: observer) {
                try await connection.withTransaction { transaction in
                    try await transaction.query("INSERT INTO t VALUES (1)")
                    try await transaction.query("SELECT pg_sleep(60)")
                }
            }
            #expect(try await connection.value("SELECT count(*) FROM t", as: Int.self) == 0)
            await observer.close()
        }
    }

    @Test func `statements cancelled at random moments never disturb the next one`() async throws {
        try await withDatabase { connection, _ in
            for round in 0..<200 {
                let task = Task { try await connection.query("SELECT pg_sleep(0.001)") }
                if round.isMultiple(of: 2) { await Task.yield() }
                if round.isMultiple(of: 3) { try await connection.ping() }
                task.cancel()
                _ = try? await task.value
                #expect(try await connection.value("SELECT \(round)", as: Int.self) == round)
            }
        }
    }

    @Test func `a statement that is cancelled as it is sent does not run on`() async throws {
        try await withDatabase { connection, _ in
            for round in 0..<100 {
                let task = Task { try await connection.query("SELECT pg_sleep(60)") }
                for _ in 0..<round % 10 { await Task.yield() }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            #expect(connection.isOpen)
            try await connection.ping()
        }
    }

    @Test func `a server that does not react is given up, and asked no more`() async throws {
        try await withDatabase { observer, configuration in
            var impatient = configuration
            impatient.cancelGrace = .milliseconds(100)
            let connection = try await giveUp(impatient, observer: observer)
            // Whoever asks on keeps the connection.
            for _ in 0..<12_000 where connection.isThere { try await observer.query("SELECT pg_sleep(0.005)") }
            #expect(!connection.isThere)
        }
    }

    private struct Remembered {
        weak var connection: PostgresConnection?
        var isThere: Bool { connection != nil }
    }

    /// Cancels a statement whose server process is stopped.
    private func giveUp(
        _ configuration: PostgresConfiguration, observer: PostgresConnection
    ) async throws -> Remembered {
        let connection = try await PostgresConnection.connect(configuration)
        let process = await connection.backendProcess
        let task = Task { try await connection.query("SELECT pg_sleep(60)") }
        try await observer.eventually(
            """
            SELECT EXISTS (SELECT FROM pg_stat_activity
                           WHERE pid = \(process) AND state = 'active' AND query LIKE '%pg_sleep%')
            """)
        #expect(kill(process, SIGSTOP) == 0)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(kill(process, SIGCONT) == 0)
        #expect(!connection.isOpen)
        return Remembered(connection: connection)
    }

    @Test func `a statement is not sent for a task that is cancelled already`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TABLE t (n int8)")
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await connection.query("INSERT INTO t VALUES (1)")
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await connection.value("SELECT count(*) FROM t", as: Int.self) == 0)
        }
    }
}
