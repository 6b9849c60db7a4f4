import Concurrency
import FoundationEssentials
import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(10))) struct QueryTests {
    @Test func `every supported type makes the round trip`() async throws {
        try await withDatabase { connection, _ in
            let id = UUID()
            let instant = PostgresTimestamp(microsecondsSince1970: 1_763_700_000_123_456)
            let day = PostgresDate(year: 2024, month: 2, day: 29)
            let json = PostgresJSON(bytes: Array(#"{"a": [1, null]}"#.utf8))
            let rows = try await connection.query(
                """
                SELECT \(Int16.min), \(Int32.max), \(Int.min), \(true), \(-0.5), \("añ🙂"), \([UInt8](0...255)), \(id),
                       \(instant), \(day), \(json), \(nil as String?), \([1, -2, 3]), \(["a", nil, ""] as [String?]),
                       \([] as [UUID]), \([id]), \([instant]), \(""), \([[1, 0], nil, []] as [[UInt8]?])
                """)
            let row = try #require(rows.first)
            let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s) = try row.decode(
                Int16.self, Int32.self, Int.self, Bool.self, Double.self, String.self, [UInt8].self, UUID.self,
                PostgresTimestamp.self, PostgresDate.self, PostgresJSON.self, String?.self, [Int].self, [String?].self,
                [UUID].self, [UUID].self, [PostgresTimestamp].self, String.self, [[UInt8]?].self)
            #expect((a, b, c, d, e, f) == (Int16.min, Int32.max, Int.min, true, -0.5, "añ🙂"))
            #expect(g == [UInt8](0...255))
            #expect((h, i, j, k, l) == (id, instant, day, json, nil))
            #expect(m == [1, -2, 3])
            #expect(n == ["a", nil, ""])
            #expect(o == [] && p == [id] && q == [instant] && r == "" && s == [[1, 0], nil, []])
        }
    }

    @Test func `the ends of time are read as what they are, or the nearest to it`() async throws {
        try await withDatabase { connection, _ in
            let row = try #require(
                try await connection.query(
                    """
                    SELECT 'infinity'::timestamptz, '294276-12-31 23:59:59Z'::timestamptz, '-infinity'::timestamptz,
                           '4714-11-24 00:00:00Z BC'::timestamptz
                    """
                ).first)
            let (end, last, begin, first) = try row.decode(
                PostgresTimestamp.self, PostgresTimestamp.self, PostgresTimestamp.self, PostgresTimestamp.self)
            #expect([end, last, begin] == [.infinity, .infinity, .minusInfinity])
            #expect(first.microsecondsSince1970 == -210_866_803_200_000_000)
        }
    }

    @Test(arguments: [PostgresConfiguration.StatementMode.prepared, .unnamed])
    func `rows are read by position and by name`(mode: PostgresConfiguration.StatementMode) async throws {
        try await withDatabase(mode) { connection, _ in
            let rows = try await connection.query(
                "SELECT n, 'title ' || n AS \"Title\" FROM generate_series(1, \(3)) n")
            #expect(rows.columns == ["n", "Title"])
            #expect(rows.commandTag == "SELECT 3" && rows.affected == 3)
            #expect(try rows.map { try $0.decode(Int.self, String.self).1 } == ["title 1", "title 2", "title 3"])
            #expect(try rows[1].decode("Title", as: String.self) == "title 2")
            #expect(throws: PostgresError.misuse("the result has no column title")) {
                try rows[0].decode("title", as: String.self)
            }
        }
    }

    @Test func `a column that does not fit says which, and not what it holds`() async throws {
        try await withDatabase { connection, _ in
            let row = try #require(
                try await connection.query("SELECT 'hunter2'::text AS word, NULL::int8 AS gap, 70000 AS big").first)
            let wrong = try await postgresError { _ = try row.decode(Int.self) }
            #expect("\(wrong)" == "column word is text, not Int: the types do not fit")
            let null = try await postgresError { _ = try row.decode("gap", as: Int.self) }
            #expect("\(null)" == "column gap is int8, not Int: it is NULL")
            let range = try await postgresError { _ = try row.decode("big", as: Int16.self) }
            #expect("\(range)" == "column big is int4, not Int16: the number is out of range")
        }
    }

    @Test func `types of the database's own are read as text`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TYPE mood AS ENUM ('fine', 'low')")
            #expect(try await connection.value("SELECT \("low")::text::mood", as: String.self) == "low")
        }
    }

    @Test func `an error names state, constraint and statement, but no parameter`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TABLE people (email text CONSTRAINT one_person UNIQUE)")
            let insert = PostgresQuery("INSERT INTO people VALUES (\("secret@example.com"))").named("people.insert")
            try await connection.query(insert)
            let twice = try await postgresError { try await connection.query(insert) }
            #expect(twice.isUniqueViolation && twice.constraint == "one_person")
            #expect("\(twice)".hasPrefix("people.insert: duplicate key value violates unique constraint"))
            #expect(!"\(twice)".contains("secret"))
            let input = try await postgresError { try await connection.query("SELECT \("secret")::text::uuid") }
            #expect(input.sqlState == "22P02")
            #expect("\(input)" == "SELECT $1::text::uuid: invalid input syntax for type uuid: … (SQLSTATE 22P02)")
        }
    }

    @Test func `statements of many tasks take turns on one connection`() async throws {
        try await withDatabase { connection, _ in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for n in 1...200 { group.addTask { try await connection.value("SELECT \(n)::int8") } }
                return try await group.reduce(0, +)
            }
            #expect(sum == 20_100)
        }
    }

    @Test func `the oldest prepared statement makes room for a new one`() async throws {
        let server = try await PostgresServer.shared()
        var configuration = try PostgresConfiguration(server.socketURI())
        configuration.preparedStatementLimit = 3
        let connection = try await PostgresConnection.connect(configuration)
        for n in 0..<10 { try await connection.query(PostgresQuery("SELECT \(n) AS c\(n)")) }
        #expect(try await connection.value("SELECT count(*) <= 3 FROM pg_prepared_statements", as: Bool.self))
        await connection.close()
    }

    @Test func `a statement goes on after its plan or its server-side copy has gone`() async throws {
        try await withDatabase { connection, _ in
            try await connection.execute(script: "CREATE TABLE t (a int8); INSERT INTO t VALUES (1)")
            #expect(try await connection.query("SELECT * FROM t").columns == ["a"])
            try await connection.execute(script: "ALTER TABLE t ADD b text")
            #expect(try await connection.query("SELECT * FROM t").columns == ["a", "b"])
            try await connection.execute(script: "DISCARD ALL")
            #expect(try await connection.query("SELECT * FROM t").columns == ["a", "b"])
        }
    }

    @Test func `a script runs all its statements or none`() async throws {
        try await withDatabase { connection, _ in
            let error = try await postgresError {
                try await connection.execute(script: "CREATE TABLE a (); SELECT 1/0; CREATE TABLE b ()", name: "setup")
            }
            #expect("\(error)" == "setup: division by zero (SQLSTATE 22012)")
            #expect(try await connection.value("SELECT to_regclass('a') IS NULL", as: Bool.self))
        }
    }
}
