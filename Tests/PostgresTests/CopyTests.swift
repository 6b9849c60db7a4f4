import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(10))) struct CopyTests {
    struct Stop: Error {}

    @Test func `rows stream in, in binary, and out again, as text`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TABLE t (id int8, title text)")
            let count = try await connection.copyIn("COPY t FROM STDIN (FORMAT binary)") { writer in
                for n in 0..<50_000 {
                    try await writer.writeRow(n, n.isMultiple(of: 2) ? nil : String(repeating: "é", count: n % 50))
                }
            }
            #expect(count == 50_000)
            #expect(try await connection.value("SELECT sum(length(title))::int8 FROM t", as: Int.self) == 625_000)
            var text: [UInt8] = []
            try await connection.copyOut("COPY (SELECT id FROM t WHERE id < 3 ORDER BY id) TO STDOUT") { text += $0 }
            #expect(text == Array("0\n1\n2\n".utf8))
        }
    }

    @Test func `a writer that gives up leaves no row`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TABLE t (id int8)")
            await #expect(throws: Stop.self) {
                try await connection.copyIn("COPY t FROM STDIN") { writer in
                    try await writer.write(Array("1\n2\n".utf8))
                    throw Stop()
                }
            }
            #expect(try await connection.value("SELECT count(*) FROM t", as: Int.self) == 0)
        }
    }

    @Test func `the server's refusal of a row is thrown`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TABLE t (id int8)")
            let error = try await postgresError {
                try await connection.copyIn("COPY t FROM STDIN") { try await $0.write(Array("one\n".utf8)) }
            }
            #expect(error.sqlState == "22P02")
            let misuse = try await postgresError { try await connection.copyIn("SELECT 1") { _ in } }
            #expect(misuse == .misuse("SELECT 1 does not copy in this direction"))
            #expect(try await connection.value("SELECT 1", as: Int.self) == 1)
        }
    }

    @Test func `cancelling ends a COPY in either direction, whenever it comes`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TABLE t (id int8)")
            for round in 0..<40 {
                let reader = Task {
                    try await connection.copyOut("COPY (SELECT 1 FROM pg_sleep(60)) TO STDOUT") { _ in }
                }
                let writer = Task {
                    try await connection.copyIn("COPY t FROM STDIN (FORMAT binary)") { writer in
                        while true { try await writer.writeRow(round) }
                    }
                }
                for _ in 0..<round * 5 { await Task.yield() }
                reader.cancel()
                writer.cancel()
                await #expect(throws: CancellationError.self) { try await reader.value }
                await #expect(throws: CancellationError.self) { _ = try await writer.value }
            }
            #expect(try await connection.value("SELECT count(*) FROM t", as: Int.self) == 0)
        }
    }

    @Test func `a reader that stops early has the server stop, too`() async throws {
        try await withDatabase { connection, _ in
            try await stopEarly(connection)
            #expect(try await connection.value("SELECT 1", as: Int.self) == 1)
        }
    }

    private func stopEarly(_ connection: PostgresConnection) async throws {
        var chunks = 0
        await #expect(throws: Stop.self) {
            try await connection.copyOut(
                "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 9999) a, generate_series(1, 9999) b) TO STDOUT"
            ) { _ in
                chunks += 1
                if chunks == 10 { throw Stop() }
            }
        }
        #expect(chunks == 10)
    }
}
