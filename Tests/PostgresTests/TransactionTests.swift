import Concurrency
import Postgres
import PostgresServer

import Testing

@Suite(.timeLimit(.minutes(10))) struct TransactionTests {
    struct Stop: Error {}

    @Test func `a transaction commits what its body did`() async throws {
        try await withDatabase { connection, configuration in
            try await connection.execute(script: "CREATE TABLE t (n int8)")
            let value = try await connection.withTransaction { transaction in
                try await transaction.query("INSERT INTO t VALUES (\(5)) RETURNING n").first?.decode(Int.self)
            }
            #expect(value == 5)
            let other = try await PostgresConnection.connect(configuration)
            #expect(try await other.value("SELECT sum(n)::int8 FROM t", as: Int.self) == 5)
            await other.close()
        }
    }

    @Test func `a body that throws leaves nothing behind`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TABLE t (n int8)")
            await #expect(throws: Stop.self) {
                try await connection.withTransaction { transaction in
                    try await transaction.query("INSERT INTO t VALUES (1)")
                    throw Stop()
                }
            }
            #expect(try await connection.value("SELECT count(*) FROM t", as: Int.self) == 0)
        }
    }

    @Test func `an error that the body hid is not taken for a commit`() async throws {
        try await withDatabase { connection, _ in
            let error = try await postgresError {
                try await connection.withTransaction { transaction in
                    _ = try? await transaction.query("SELECT 1/0")
                }
            }
            #expect(error == .rolledBack)
            #expect(try await connection.value("SELECT 1", as: Int.self) == 1)
        }
    }

    @Test func `a statement whose plan is stale in a transaction is prepared afresh for the next`() async throws {
        try await withDatabase { connection, _ in
            func columns() async throws -> [String] {
                try await connection.withTransaction { try await $0.query("SELECT * FROM t").columns }
            }
            try await connection.execute(script: "CREATE TABLE t (a int8)")
            #expect(try await columns() == ["a"])
            try await connection.execute(script: "ALTER TABLE t ADD b text")
            let error = try await postgresError { _ = try await columns() }
            #expect(error.sqlState == "0A000")
            #expect(try await columns() == ["a", "b"])
        }
    }

    @Test func `a read-only transaction refuses to write`() async throws {
        try await withDatabase { connection, _ in
            let error = try await postgresError {
                try await connection.withTransaction(.repeatableRead, readOnly: true) { transaction in
                    _ = try await transaction.query("CREATE TABLE t ()")
                }
            }
            #expect(error.sqlState == "25006")
        }
    }

    @Test func `transactions that disturb each other are run again until all have counted`() async throws {
        try await withDatabase { connection, configuration in
            try await connection.execute(script: "CREATE TABLE counter (n int8); INSERT INTO counter VALUES (0)")
            let pool = PostgresPool(configuration, limits: .patient(size: 4))
            let runs = Lock(0)
            try await withThrowingTaskGroup { group in
                for _ in 0..<12 {
                    group.addTask {
                        try await pool.withTransaction(.serializable, attempts: 100) { transaction in
                            runs.withLock { $0 += 1 }
                            let n = try await transaction.value("SELECT n FROM counter", as: Int.self)
                            _ = try await transaction.query("UPDATE counter SET n = \(n + 1)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await connection.value("SELECT n FROM counter", as: Int.self) == 12)
            #expect(runs.withLock { $0 } >= 12)
            await pool.close()
        }
    }
}
