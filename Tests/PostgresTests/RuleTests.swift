import Testing

@testable import Postgres

/// The parts that decide without a server.
@Suite struct RuleTests {
    @Test func `back-off doubles up to its cap, at least half of it certain`() {
        let backoff = Backoff(initial: .milliseconds(50), cap: .seconds(10))
        #expect(
            [1, 2, 3, 8, 9, 10_000].map { backoff.delay(attempt: $0, random: 0) } == [
                .milliseconds(25), .milliseconds(50), .milliseconds(100), .milliseconds(3200), .seconds(5), .seconds(5),
            ])
        #expect(backoff.delay(attempt: 1, random: 0.5) == .milliseconds(37.5))
    }

    @Test func `lists of hosts, addresses and ports are taken apart together`() throws {
        #expect(
            try HostCandidate.list(host: "a,b", address: ",10.0.0.2", port: "1,2") == [
                HostCandidate(host: "a", address: nil, port: "1"),
                HostCandidate(host: "b", address: "10.0.0.2", port: "2"),
            ])
        #expect(try HostCandidate.list(host: nil, address: nil, port: nil) == [HostCandidate()])
        #expect(try HostCandidate.list(host: "a,b", address: nil, port: "7").map(\.port) == ["7", "7"])
        #expect(throws: PostgresError.invalidConfiguration("3 ports for 2 hosts")) {
            try HostCandidate.list(host: "a,b", address: nil, port: "1,2,3")
        }
    }

    @Test(arguments: [
        ("db.example", true), ("10.0.0.1", false), ("::1", false), ("/run/postgresql", false), ("@x", false),
    ])
    func `only names are looked up`(host: String, isName: Bool) {
        #expect((HostCandidate(host: host).nameToResolve != nil) == isName)
    }

    @Test func `a refusal to connect is taken apart`() {
        let refused = ConnectFailure(
            """
            connection to server at "db" (10.0.0.1), port 5432 failed: FATAL:  28P01: password authentication failed
            LOCATION:  auth_failed, auth.c:334

            """
        )
        #expect(refused.sqlState == "28P01" && refused.isPermanent)
        #expect(refused.message.hasSuffix("port 5432 failed: FATAL: password authentication failed"))
        let absent = ConnectFailure(
            "connection to server at \"db\", port 1 failed: Connection refused\n\tIs the server running?\n")
        #expect(absent.sqlState == nil && !absent.isPermanent)
        #expect(absent.message.hasSuffix("Connection refused Is the server running?"))
        #expect(!ConnectFailure("… failed: FATAL:  57P03: the database system is starting up").isPermanent)
    }

    @Test(arguments: [
        ("22P02", "invalid input syntax for type uuid: \"secret\"", "invalid input syntax for type uuid: …"),
        ("22P02", "invalid input syntax for type uuid: \"\u{301}secret\"", "invalid input syntax for type uuid: …"),
        ("22003", "integer out of range", "integer out of range"),
        (
            "23505", "duplicate key value violates unique constraint \"k\"",
            "duplicate key value violates unique constraint \"k\""
        ),
        ("P0001", "no such user 'secret'", "no such user …"),
    ])
    func `messages that quote data are cut before the quote`(state: String, message: String, expected: String) {
        #expect(PostgresError.ServerError.redactedMessage(message, sqlState: state) == expected)
        #expect(PostgresError.ServerError.redactedDetail("Key (email)=(secret) exists.", sqlState: state) == nil)
        #expect(PostgresError.ServerError.redactedDetail("Process 1 waits.", sqlState: "40P01") == "Process 1 waits.")
    }

    @Test func `the statement used least lately makes room`() {
        var cache = StatementCache(capacity: 2)
        let keys = ["a", "b", "c"].map { StatementCache.Key(sql: $0, types: []) }
        let names = keys.map { _ in cache.makeName() }
        #expect(cache.insert(keys[0], name: names[0]) == nil)
        #expect(cache.insert(keys[1], name: names[1]) == nil)
        #expect(cache.name(for: keys[0]) == names[0])
        #expect(cache.insert(keys[2], name: names[2]) == names[1])
        #expect(cache.name(for: keys[1]) == nil && cache.count == 2)
        #expect(cache.name(for: StatementCache.Key(sql: "a", types: [20])) == nil)
    }

    @Test func `interpolated values become parameters, never SQL`() {
        let query: PostgresQuery = "SELECT \("1; DROP TABLE t") FROM \(identifier: "we\"ird") WHERE a = \(nil as Int?)"
        #expect(query.sql == "SELECT $1 FROM \"we\"\"ird\" WHERE a = $2")
        #expect(query.parameters.types == [25, 20])
        // One Character, yet the server sees a quote.
        #expect(Array(PostgresQuery.quoted(identifier: "a\"\u{301}b").utf8) == Array("\"a\"\"\u{301}b\"".utf8))
    }

    @Test(arguments: [(1970, 1, 1, 0), (2000, 2, 29, 11_016), (2000, 3, 1, 11_017), (1, 1, 1, -719_162)])
    func `days count the Gregorian calendar`(year: Int, month: Int, day: Int, days: Int) {
        #expect(PostgresDate(year: year, month: month, day: day).daysSince1970 == days)
        #expect(PostgresDate(daysSince1970: days).civil == (year, month, day))
    }

    @Test func `every day of eight hundred years comes back from its date`() {
        for days in stride(from: -146_097, through: 146_097, by: 1) {
            let civil = PostgresDate(daysSince1970: days).civil
            guard PostgresDate(year: civil.year, month: civil.month, day: civil.day).daysSince1970 == days else {
                Issue.record("day \(days) became \(civil)")
                return
            }
        }
    }
}
