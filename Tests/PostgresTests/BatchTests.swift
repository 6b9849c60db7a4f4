import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(10))) struct BatchTests {
    @Test(arguments: [PostgresConfiguration.StatementMode.prepared, .unnamed])
    func `a batch returns the rows of each query in order`(mode: PostgresConfiguration.StatementMode) async throws {
        try await withDatabase(mode) { connection, _ in
            for _ in 0..<3 {
                let results = try await connection.batch((0..<100).map { "SELECT \($0) WHERE \($0) % 2 = 0" })
                #expect(results.count == 100)
                #expect(
                    try results.flatMap { try $0.map { try $0.decode(Int.self) } }
                        == Array(stride(from: 0, to: 100, by: 2)))
            }
            #expect(try await connection.batch([]).isEmpty)
        }
    }

    @Test func `a batch is all or nothing, and says which query failed`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TABLE t (n int8 CONSTRAINT positive CHECK (n > 0))")
            let error = try await postgresError {
                try await connection.batch([
                    "INSERT INTO t VALUES (\(1))",
                    PostgresQuery("INSERT INTO t VALUES (\(-1)) RETURNING n").named("second"),
                    "INSERT INTO t VALUES (\(3))",
                ])
            }
            #expect(error.isCheckViolation && error.constraint == "positive")
            #expect("\(error)".hasPrefix("second: "))
            #expect(try await connection.value("SELECT count(*) FROM t", as: Int.self) == 0)
            try await connection.batch([
                "INSERT INTO t VALUES (\(1))", PostgresQuery("INSERT INTO t VALUES (\(2)) RETURNING n").named("second"),
            ])
            #expect(try await connection.value("SELECT count(*) FROM t", as: Int.self) == 2)
        }
    }

    @Test func `a batch that cannot be committed fails`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TABLE t (n int8 UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            let error = try await postgresError {
                try await connection.batch(["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)"])
            }
            #expect(error.isUniqueViolation && "\(error)".hasPrefix("batch: "))
            #expect(try await connection.value("SELECT count(*) FROM t", as: Int.self) == 0)
        }
    }

    @Test func `a batch larger than both sides' buffers goes through`() async throws {
        try await withDatabase { connection, _ in
            let text = String(repeating: "x", count: 200_000)
            let results = try await connection.batch((0..<100).map { _ in "SELECT \(text) || 'y'" })
            #expect(try results.allSatisfy { try #require($0.first).decode(String.self).utf8.count == 200_001 })
        }
    }

    @Test func `a batch in a transaction is part of it`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TABLE t (n int8)")
            struct Stop: Error {}
            await #expect(throws: Stop.self) {
                try await connection.withTransaction { transaction in
                    try await transaction.batch(["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"])
                    throw Stop()
                }
            }
            #expect(try await connection.value("SELECT count(*) FROM t", as: Int.self) == 0)
        }
    }
}
