import FoundationEssentials
import Postgres
import StructuredData
import Testing
import TodoModel
import TodoStore

@testable import AuditService

/// Row-level security and the schema.
@Suite(.timeLimit(.minutes(10))) struct FenceTests {
    private func count(_ connection: PostgresConnection, _ table: String) async throws -> Int {
        let rows = try await connection.query("SELECT count(*) FROM audit.\(raw: table)")
        return try #require(rows.first).decode(Int.self)
    }

    @Test func `a query that says for whom it is sees that person's entries, one that does not sees none`() async throws
    {
        let database = try await AuditDatabase.make()
        var events = Events()
        let (anna, bert) = (events.id(), events.id())
        let bulk = [events.task(of: anna), events.task(of: anna, by: bert), events.task(of: bert)]
        try await database.withLog { _ = try await EventDelivery(log: $0).statuses(bulk) }
        let connection = try await PostgresConnection.connect(PostgresConfiguration(database.uri))
        #expect(try await count(connection, "entries") == 0)
        #expect(try await count(connection, "keys") == 0)
        for (setting, entries, keys) in [
            (PostgresQuery.asPerson(anna), 2, 0), (.asPerson(bert), 2, 0), (.asPerson(events.id()), 0, 0),
            (.asLog, 3, 2),
        ] {
            try await connection.withTransaction { connection in
                try await connection.query(setting)
                #expect(try await count(connection, "entries") == entries)
                #expect(try await count(connection, "keys") == keys)
            }
        }
        #expect(try await count(connection, "entries") == 0)
        await connection.close()
    }

    @Test func `entries cannot be changed or deleted by the service's own login`() async throws {
        let database = try await AuditDatabase.make()
        var events = Events()
        let event = events.task(of: events.id())
        try await database.withLog { _ = try await EventDelivery(log: $0).statuses([event]) }
        let connection = try await PostgresConnection.connect(PostgresConfiguration(database.uri))
        try await connection.withTransaction { connection in
            try await connection.query(.asLog)
            #expect(try await connection.query("UPDATE audit.entries SET type = 'x'").affected == 0)
            #expect(try await connection.query("DELETE FROM audit.entries").affected == 0)
            #expect(try await count(connection, "entries") == 1)
        }
        await connection.close()
    }

    @Test func `every table with personal rows is fenced, its owner included`() async throws {
        let database = try await AuditDatabase.make()
        let open = try await database.psql(
            """
            SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c
            WHERE c.relnamespace = 'audit'::regnamespace AND c.relkind = 'r' AND NOT c.relforcerowsecurity
            """)
        #expect(open == "checkpoints heads retention")
    }

    @Test func `a released migration stays as it is`() {
        #expect(AuditSchema.migrations.map(\.version) == Array(1...AuditSchema.migrations.count))
        #expect(
            AuditSchema.migrations.map(\.checksum) == [
                "0fd0dd497d9afd7e00edeee9c3a9b7f40f0b5f2c4d0c85fa480e60a2d220a4aa",
                "7fcf937435fc2c7931949445fede238bf71733b31b01319f921202a6e305e81a",
            ])
    }

    @Test func `its versions are its own: the tasks' schema may be there or not`() async throws {
        let database = try await AuditDatabase.make(isMigrated: false)
        #expect(try await Migrator.currentVersion(databaseURI: database.uri) == 0)
        #expect(try await AuditSchema.migrate(databaseURI: database.uri) == AuditSchema.migrations.count)
        #expect(try await AuditSchema.migrate(databaseURI: database.uri) == AuditSchema.migrations.count)
        #expect(try await Migrator.currentVersion(databaseURI: database.uri) == 0)
        #expect(try await Migrator.migrate(databaseURI: database.uri) == Migrator.latestVersion)
    }
}
