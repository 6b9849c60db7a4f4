public import Logging
public import Postgres

/// Brings a database to the schema of this release.
///
/// Each step runs in a transaction of its own with its row in `schema_migrations`, under an advisory lock of that
/// transaction: two migrators take turns, a kill in between leaves whole steps only, and poolers are no obstacle.
public struct Migrator: Sendable {
    /// The version that `migrate` leads to.
    public static var latestVersion: Int { Migration.all.last?.version ?? 0 }

    /// Any number will do, so long as nothing else in the database locks it: "todo" in ASCII.
    private static let lockKey: Int64 = 0x746f_646f

    private let connection: PostgresConnection
    private let migrations: [Migration]
    private let table: String
    private let patience: Duration
    private let grace: Duration
    private let lockTimeout: Duration
    private let servesSince: Int
    private let logger: Logger

    /// - Parameters:
    ///   - migrations: numbered from 1 without gaps.
    ///   - table: where what was applied is written down; parts of the schema with versions of their own need one each.
    ///   - servesSince: the oldest version whose services can run on the tables as this release leaves them.
    ///   - patience: the longest that another migrator, or whoever uses the tables, is waited for.
    ///   - grace: how much longer a database is waited for that has not yet told its version.
    ///   - lockTimeout: the longest at a time for who uses the tables: everybody else waits behind a migration meanwhile.
    public init(
        connection: PostgresConnection, migrations: [Migration] = Migration.all, table: String = "schema_migrations",
        servesSince: Int = Migration.servesSince, patience: Duration = .seconds(30),
        grace: Duration = .seconds(30), lockTimeout: Duration = .seconds(1),
        logger: Logger = Logger(label: "migrator", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.connection = connection
        self.migrations = migrations
        self.table = table
        self.servesSince = servesSince
        self.patience = patience
        self.grace = grace
        self.lockTimeout = lockTimeout
        self.logger = logger
    }

    /// Migrates the database at `databaseURI`, which had better not go through a pooler but may. Nothing happens when it
    /// is at the latest version. Returns that version.
    public static func migrate(
        databaseURI: String, tlsMode: DatabaseTLSMode? = nil,
        logger: Logger = Logger(label: "migrator", factory: { _ in SwiftLogNoOpLogHandler() })
    ) async throws(DatabaseError) -> Int {
        try await withConnection(databaseURI, tlsMode) { connection throws(DatabaseError) in
            try await Migrator(connection: connection, logger: logger).migrate()
        }
    }

    /// The version of the database at `databaseURI`; 0 when it has never been migrated.
    public static func currentVersion(
        databaseURI: String, tlsMode: DatabaseTLSMode? = nil
    ) async throws(DatabaseError) -> Int {
        try await withConnection(databaseURI, tlsMode) { connection throws(DatabaseError) in
            try await Migrator(connection: connection).currentVersion()
        }
    }

    /// Applies what is pending. Returns the version that the database then has.
    @discardableResult
    public func migrate() async throws(DatabaseError) -> Int {
        let end = ContinuousClock.now + patience
        while true {
            do {
                if let version = try await takeStep() { return version }
            } catch {
                guard error.isLocked, ContinuousClock.now < end else { throw error }
                logger.info("the tables are in use; will try again")
                // So that those who waited behind the migration have their turn.
                try? await Task.sleep(for: lockTimeout * 4)
            }
        }
    }

    /// The version of the database; 0 when it has never been migrated.
    public func currentVersion() async throws(DatabaseError) -> Int {
        do {
            return try await applied().last?.version ?? 0
        } catch {
            throw DatabaseError(error, doing: "tell its schema version")
        }
    }

    /// Throws `newerSchema`, `olderSchema` or `editedMigration` unless this release can run on the database: it has this
    /// release's version, or a later one that still serves it.
    public func requireLatest() async throws(DatabaseError) {
        let applied: [Applied]
        do { applied = try await self.applied() } catch { throw DatabaseError(error, doing: "tell its schema version") }
        try check(applied)
        let found = applied.last?.version ?? 0
        let needed = migrations.last?.version ?? 0
        if found < needed { throw .olderSchema(found: found, needed: needed) }
    }
}

extension Migrator {
    private struct Applied {
        let version: Int
        let name: String
        let checksum: String
        /// Nil before it was written down.
        let servesSince: Int?
    }

    /// Runs `body` on a connection of its own to the database at `uri`.
    public static func withConnection<Value: Sendable>(
        _ uri: String, _ tlsMode: DatabaseTLSMode?,
        _ body: (PostgresConnection) async throws(DatabaseError) -> Value
    ) async throws(DatabaseError) -> Value {
        var configuration = try DatabaseAddress(uri: uri, tlsMode: tlsMode).configuration
        configuration.statementMode = .unnamed
        let connection: PostgresConnection
        do {
            connection = try await PostgresConnection.connect(configuration)
        } catch {
            throw DatabaseError(error, doing: "be reached")
        }
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Applies the next step. Returns the version when there is none.
    private func takeStep() async throws(DatabaseError) -> Int? {
        // What lets us in and then is mute, be it a pooler, may never say a word on this connection.
        let deadline = Task {
            try await Task.sleep(for: patience + grace)  // the deadline itself; cancelled when a step begins
            await connection.close()
        }
        defer { deadline.cancel() }
        do {
            return try await connection.withTransaction { connection in
                try await lock()
                let applied = try await applied()
                try check(applied)
                let version = applied.last?.version ?? 0
                guard let next = migrations.first(where: { $0.version > version }) else { return version }
                deadline.cancel()
                if try await !hasTable() { try await makeTable() }
                try await limitLockTime(lockTimeout)
                logger.info("migrating", metadata: ["version": "\(next.version)", "migration": "\(next.name)"])
                try await connection.execute(script: next.sql, name: "migration \(next.version) (\(next.name))")
                try await connection.query(
                    """
                    INSERT INTO \(identifier: table) (version, name, checksum, serves_since)
                    VALUES (\(next.version), \(next.name), \(next.checksum), \(servesSince))
                    """)
                return nil
            }
        } catch PostgresError.closed {
            throw .cannotConnect("the database does not answer")
        } catch {
            throw DatabaseError(error, doing: "be migrated")
        }
    }

    private func limitLockTime(_ time: Duration) async throws {
        let milliseconds = Int(time / .milliseconds(1))
        try await connection.execute(script: "SET LOCAL lock_timeout = \(milliseconds)", name: "lock_timeout")
    }

    private func lock() async throws {
        try await limitLockTime(patience)
        try await connection.query(
            PostgresQuery("SELECT 1::int4 FROM pg_advisory_xact_lock(\(Self.lockKey))").named("migration lock"))
    }

    /// As this release writes it.
    private func hasTable() async throws -> Bool {
        let columns = try await connection.query(
            """
            SELECT EXISTS (SELECT FROM pg_attribute
                WHERE attrelid = to_regclass(\(table)) AND attname = 'serves_since' AND NOT attisdropped)
            """)
        return try columns.first?.decode(Bool.self) ?? false
    }

    private func makeTable() async throws {
        let table = PostgresQuery.quoted(identifier: table)
        try await connection.execute(
            script: """
                SET LOCAL client_min_messages = warning;
                CREATE TABLE IF NOT EXISTS \(table) (
                    version bigint PRIMARY KEY,
                    name text NOT NULL,
                    checksum text NOT NULL,
                    applied_at timestamptz NOT NULL DEFAULT now()
                );
                ALTER TABLE \(table) ADD COLUMN IF NOT EXISTS serves_since bigint
                """, name: self.table)
    }

    /// What was applied, in order; nothing when the table is not there.
    private func applied() async throws -> [Applied] {
        let there = try await connection.query("SELECT to_regclass(\(table)) IS NOT NULL")
        guard let row = there.first, try row.decode(Bool.self) else { return [] }
        // The column is missing where an earlier release migrated.
        let applied: PostgresQuery = """
            SELECT t.version, t.name, t.checksum, (to_jsonb(t) ->> 'serves_since')::bigint
            FROM \(identifier: table) t ORDER BY t.version
            """
        return try await connection.query(applied).map {
            let (version, name, checksum, since) = try $0.decode(Int.self, String.self, String.self, Int?.self)
            return Applied(version: version, name: name, checksum: checksum, servesSince: since)
        }
    }

    private func check(_ applied: [Applied]) throws(DatabaseError) {
        let known = migrations.last?.version ?? 0
        if let newest = applied.last, newest.version > known, newest.servesSince.map({ $0 > known }) ?? true {
            throw .newerSchema(found: newest.version, known: known)
        }
        for (step, migration) in zip(applied, migrations) {
            guard step.version == migration.version, step.checksum == migration.checksum else {
                throw .editedMigration(version: step.version, name: step.name)
            }
        }
    }
}
