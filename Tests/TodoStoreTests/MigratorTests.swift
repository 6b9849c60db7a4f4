import Glibc
import Postgres
import PostgresServer
import Testing
import TodoStore

@Suite(.timeLimit(.minutes(10))) struct MigratorTests {
    private func databaseError(_ body: () async throws -> Void) async throws -> DatabaseError {
        try #require(await #expect(throws: DatabaseError.self) { try await body() })
    }

    private let two = [
        Migration(version: 1, name: "first", sql: "CREATE TABLE first (id int)"),
        Migration(version: 2, name: "second", sql: "CREATE TABLE second (id int); INSERT INTO first VALUES (1)"),
    ]

    @Test func `an empty database gets the latest schema, and a second time changes nothing`() async throws {
        let database = try await StoreDatabase.empty()
        #expect(try await Migrator.currentVersion(databaseURI: database.uri) == 0)
        #expect(try await Migrator.migrate(databaseURI: database.uri) == Migrator.latestVersion)
        #expect(try await Migrator.migrate(databaseURI: database.uri) == Migrator.latestVersion)
        #expect(try await Migrator.currentVersion(databaseURI: database.uri) == Migrator.latestVersion)
        #expect(try await database.server.psql("SELECT count(*) FROM tasks", database: database.name) == "0")
    }

    @Test func `migrations are numbered from 1 without gaps`() {
        #expect(Migration.all.map(\.version) == Array(1...Migration.all.count))
    }

    @Test func `a released migration stays as it is`() {
        #expect(
            Migration.all.map(\.checksum) == [
                "b34d032ff5d423853b54d13894ab48d24a39d171075b84cec9ad4320bfb4a9c6",
                "b9d32d9d0b5475e08e6145b9ceb9cc191dc3bd7018450437f9d3893bf4d09693",
                "6482a15a3e29da6457064fb9e6a0c818d4d3e1087e1dd76f09501178b830011e",
                "26bd049482931d0835d51b4959c62b8d163da2dd06ff2a7d10c556c59f32d5ff",
                "8ebce3416630ebb06b63539a939e2d878bb0fe76a3e5bdc709537cd6c4bf6019",
                "c098a9f9f55f881a1152759688ede918d05299292d686966982f45a4a3c83605",
                "b0cde8f92569ea85e97efe0163c84ed28931e8b0e739d0bde5a91f3b5cbd80a8",
                "95b1b9bb4f8ec821530600cac559d557e7b796acc08c32461b75b277e3c6ea96",
                "ebcb4a492bd41a31182746322bda8f159fba73df12be8f03362f53ad2cc1bae0",
                "09e16896ab27b2b7b5468c1bfdcdba4cd630bbae3865ad76db45df2b9adda0fc",
                "5a3ad1227e93c7c7627b903fd94f18d17a66d0aaa64cf57b9a4987d937bda6b1",
                "39e009632e87ea28031f70ef2055f1299a1414c596e8d154ce350de8085bb36e",
                "81e4e6a8fe2a5e107ff2323334238e00f59517d36db298a97ec1341471f91376",
                "f7ad4c6656ae31b252bf6d8252654577a26bcfad27faf487838105581f45e192",
                "a76d60c692da2413b981e8d06ccf3459ab8c1ce72601db76e0d631b8fd84bfc1",
                "f3457534730d39e92c6e710f03b5a1568b60d257ad806e13ec628a4897153eaf",
                "d3b90a9db14dbaf812d7f2be2f983e1863b3f044abae99d6a612805ebb5c9fee",
                "ba1d284e08ff60a63aa209699bc9d421b21b79784b7e098a47e90a0d03e712ad",
                "2a1e0486b8a21c47e8202c702f78803c9fcae7d9f789366f929bf9ec3b745fc4",
                "1a2ae20638c8c57c63e0439926bbc94e13f7dbdcbdda65192813e3c577f7ee86",
                "55ca2dfc962966b2495f5a8a66b7488aae9717cf730341e5232915b42b3e1f9e",
                "e192f1480f9c75f1cdf706bf3be680a7a3d7282be479dc1f14d1b6f1533890ad",
                "ed78c8d972a81b341ecf41349c7be429ba3632251206bb9872404ae6d8b0adf6",
                "b113584e195a7e58f77278457ce542c3ea5bb6e83d98caa0850a19a91a875730",
                "a760a0eb2b8909706e0e808a6306b04fee75f98281022349d974fc4bbea1bbdd",
                "b4b181bbe371e23b0c99e8f16f441000e2dab149368941c92f9d644e41f98f8c",
                "dfa0e816524864986286db6d8f3ad79a5cc8258ee3339dc7c8ea04e151209d9f",
                "62229576988edfd312c335c6b1d0a1471f40fb11bd24904669efd41c4a15ad56",
                "897740b3fdc0157eb8e027add39f50438a8ea16c42ce4541db4d693222ad27c1",
                "85b6a7de4b7b6f95bae101d50b4e946fc64406b9c0b145cc8059c15a63599131",
                "d3a421924411e919049a874cc904d05f538b92466f147fd73992b9c5145fb4d1",
                "7750387e8916c9242746228b276a81aa6e4e83b313f6e0e5a756b03c8c06d345",
            ])
    }

    @Test func `the user id leads every key and index of what people keep`() async throws {
        let database = try await StoreDatabase.empty()
        _ = try await Migrator.migrate(databaseURI: database.uri)
        let leading = try await database.server.psql(
            """
            SELECT DISTINCT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
            JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname IN ('tasks', 'task_signatures', 'task_tags', 'projects', 'filters', 'tombstones', 'operations')
            """, database: database.name)
        #expect(leading == "user_id")
    }

    @Test func `ten migrators at once apply each step once`() async throws {
        let database = try await StoreDatabase.empty()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<10 {
                group.addTask { [two] in
                    let connection = try await database.connect()
                    let version = try await Migrator(connection: connection, migrations: two).migrate()
                    await connection.close()
                    return version
                }
            }
            for try await version in group { #expect(version == 2) }
        }
        #expect(try await database.server.psql("SELECT count(*) FROM first", database: database.name) == "1")
    }

    @Test func `a step that fails leaves nothing of itself and all before it`() async throws {
        let database = try await StoreDatabase.empty()
        let connection = try await database.connect()
        let broken = Migration(version: 3, name: "broken", sql: "CREATE TABLE third (id int); SELECT 1/0")
        let error = try await databaseError {
            try await Migrator(connection: connection, migrations: two + [broken]).migrate()
        }
        guard case .migrationFailed(let message, sqlState: "22012") = error else {
            Issue.record("\(error)")
            return
        }
        #expect(message.contains("migration 3 (broken)") && message.contains("22012"))
        #expect(try await Migrator(connection: connection, migrations: two).currentVersion() == 2)
        #expect(try await database.server.psql("SELECT to_regclass('third') IS NULL", database: database.name) == "t")
        await connection.close()
    }

    @Test func `a migration that was edited after it was applied is refused`() async throws {
        let database = try await StoreDatabase.empty()
        let connection = try await database.connect()
        try await Migrator(connection: connection, migrations: two).migrate()
        var edited = two
        edited[0] = Migration(version: 1, name: "first", sql: "CREATE TABLE first (id bigint)")
        let migrator = Migrator(connection: connection, migrations: edited)
        #expect(try await databaseError { try await migrator.migrate() } == .editedMigration(version: 1, name: "first"))
        #expect(
            try await databaseError { try await migrator.requireLatest() }
                == .editedMigration(version: 1, name: "first"))
        await connection.close()
    }

    @Test func `a schema of a later release is refused, one of an earlier is no good to a service`() async throws {
        let database = try await StoreDatabase.empty()
        let connection = try await database.connect()
        try await Migrator(connection: connection, migrations: two).migrate()
        let old = Migrator(connection: connection, migrations: [two[0]])
        #expect(try await databaseError { try await old.migrate() } == .newerSchema(found: 2, known: 1))
        #expect(try await databaseError { try await old.requireLatest() } == .newerSchema(found: 2, known: 1))
        let third = Migration(version: 3, name: "third", sql: "CREATE TABLE third (id int)")
        let new = Migrator(connection: connection, migrations: two + [third])
        #expect(try await databaseError { try await new.requireLatest() } == .olderSchema(found: 2, needed: 3))
        try await new.migrate()
        try await new.requireLatest()
        await connection.close()
    }

    @Test func `a schema of a later release is good to a service that it still serves`() async throws {
        let database = try await StoreDatabase.empty()
        let connection = try await database.connect()
        try await Migrator(connection: connection, migrations: [two[0]], servesSince: 1).migrate()
        try await Migrator(connection: connection, migrations: two, servesSince: 1).migrate()
        let old = Migrator(connection: connection, migrations: [two[0]], servesSince: 1)
        try await old.requireLatest()
        #expect(try await old.migrate() == 2)
        let third = Migration(version: 3, name: "third", sql: "CREATE TABLE third (id int)")
        try await Migrator(connection: connection, migrations: two + [third], servesSince: 2).migrate()
        #expect(try await databaseError { try await old.requireLatest() } == .newerSchema(found: 3, known: 1))
        try await Migrator(connection: connection, migrations: two).requireLatest()
        await connection.close()
    }

    /// As it was before it had that column.
    @Test func `what an earlier release wrote down is gone on with`() async throws {
        let database = try await StoreDatabase.empty()
        let connection = try await database.connect()
        try await Migrator(connection: connection, migrations: [two[0]]).migrate()
        try await connection.execute(script: "ALTER TABLE schema_migrations DROP COLUMN serves_since")
        try await Migrator(connection: connection, migrations: [two[0]]).requireLatest()
        #expect(try await Migrator(connection: connection, migrations: two, servesSince: 1).migrate() == 2)
        try await Migrator(connection: connection, migrations: [two[0]]).requireLatest()
        await connection.close()
    }

    /// A dump holds a table for hours, and whoever comes after a migration that waits for it waits as well.
    @Test func `nobody waits long behind a migration that waits`() async throws {
        let database = try await StoreDatabase.empty()
        let (holder, waiter, reader) = (
            try await database.connect(), try await database.connect(), try await database.connect()
        )
        try await Migrator(connection: holder, migrations: [two[0]]).migrate()
        let alter = Migration(version: 2, name: "alter", sql: "ALTER TABLE first ADD COLUMN more int")
        let migration = try await holder.withTransaction { connection in
            try await connection.execute(script: "LOCK TABLE first IN ACCESS SHARE MODE")
            let migration = Task {
                try await Migrator(
                    connection: waiter, migrations: [two[0], alter], lockTimeout: .milliseconds(100)
                ).migrate()
            }
            let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'first'::regclass"
            while try await database.server.psql(waiting, database: database.name) == "0" {
                try await Task.sleep(for: .milliseconds(1))  // until the migration has come to the table
            }
            // It would wait for as long as the dump does otherwise.
            try await reader.execute(script: "SET statement_timeout = '20s'; SELECT count(*) FROM first")
            return migration
        }
        #expect(try await migration.value == 2)
        for connection in [holder, waiter, reader] { await connection.close() }
    }

    @Test func `a migrator does not wait for ever for another`() async throws {
        let database = try await StoreDatabase.empty()
        let (holder, waiter) = (try await database.connect(), try await database.connect())
        try await holder.withTransaction { connection in
            try await connection.query("SELECT 1::int4 FROM pg_advisory_xact_lock(\(0x746f_646f as Int64))")
            let error = try await databaseError {
                try await Migrator(connection: waiter, patience: .milliseconds(50)).migrate()
            }
            guard case .migrationFailed(let message, sqlState: "55P03") = error else {
                Issue.record("\(error)")
                return
            }
            #expect(message.contains("another migration is under way"))
        }
        try await Migrator(connection: waiter).migrate()
        await holder.close()
        await waiter.close()
    }

    @Test func `a database that lets us in and then is mute is not waited for for ever`() async throws {
        let database = try await StoreDatabase.empty()
        let connection = try await database.connect()
        let process = await connection.backendProcess
        #expect(kill(process, SIGSTOP) == 0)
        defer { kill(process, SIGCONT) }
        let error = try await databaseError {
            try await Migrator(connection: connection, patience: .milliseconds(50), grace: .milliseconds(50)).migrate()
        }
        #expect(error == .cannotConnect("the database does not answer"))
    }

    @Test func `a URI that cannot be read is told without its password`() async throws {
        let error = try await databaseError {
            _ = try await Migrator.migrate(databaseURI: "postgresql://app:s3cret@host:not-a-port/db")
        }
        guard case .invalidURI(let message) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(!message.contains("s3cret"))
    }

    @Test func `nobody at the address is told as such`() async throws {
        let error = try await databaseError {
            _ = try await Migrator.migrate(databaseURI: "postgresql://app:s3cret@127.0.0.1:1/db")
        }
        guard case .cannotConnect(let message) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(message.contains("127.0.0.1") && !message.contains("s3cret"))
    }

    @Test func `a wrong password is told as such, without it`() async throws {
        let server = try await PostgresServer.shared()
        let error = try await databaseError {
            _ = try await Migrator.migrate(
                databaseURI: "postgresql://app:s3cret@localhost:\(server.port)/postgres", tlsMode: .disable)
        }
        guard case .authenticationFailed(let message) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(message.contains("check user and password") && !message.contains("s3cret"))
    }

    @Test func `a database without TLS is told as such`() async throws {
        let server = try await PostgresServer.start(settings: ["ssl": "off"])
        let error = try await databaseError {
            _ = try await Migrator.migrate(databaseURI: server.uri(), tlsMode: .require)
        }
        guard case .tlsRefused(let message) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(message.contains("does not speak TLS"))
        try await server.stop()
    }

    @Test func `a certificate of an unknown authority is told as such`() async throws {
        let server = try await PostgresServer.shared()
        for options in ["", "sslrootcert=\(server.foreignCACertificate)"] {
            let error = try await databaseError {
                _ = try await Migrator.migrate(databaseURI: server.uri(options: options), tlsMode: .verifyFull)
            }
            guard case .tlsRefused(let message) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(message.contains("sslrootcert"))
        }
    }

    @Test func `a login that needs TLS is told so`() async throws {
        let server = try await PostgresServer.shared()
        let error = try await databaseError {
            _ = try await Migrator.migrate(databaseURI: server.uri(user: "tlsonly"), tlsMode: .disable)
        }
        guard case .tlsRefused(let message) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(message.contains("set the TLS mode to require"))
    }

    @Test func `a trusted certificate lets the migration through`() async throws {
        let database = try await StoreDatabase.empty()
        let uri = database.server.uri(
            database: database.name, options: "sslrootcert=\(database.server.caCertificate)")
        #expect(try await Migrator.migrate(databaseURI: uri, tlsMode: .verifyFull) == Migrator.latestVersion)
    }

    @Test func `pgbouncer=true in the URI means unnamed statements`() throws {
        for (uri, mode) in [
            ("postgresql://h/d?pgbouncer=true&sslmode=disable", PostgresConfiguration.StatementMode.unnamed),
            ("postgresql://h/d?sslmode=disable&pgbouncer=true", .unnamed),
            ("postgresql://h/d?pgbouncer=false", .prepared),
            ("postgresql://h/d", .prepared),
        ] {
            #expect(try DatabaseAddress(uri: uri).configuration.statementMode == mode)
        }
    }
}
