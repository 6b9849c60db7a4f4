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
    private let lockTimeout: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - migrations: numbered from 1 without gaps.
    ///   - table: where what was applied is written down; parts of the schema with versions of their own need one each.
    ///   - lockTimeout: the longest that another migrator, or whoever uses the tables, is waited for.
    public init(
        connection: PostgresConnection, migrations: [Migration] = Migration.all, table: String = "schema_migrations",
        lockTimeout: Duration = .seconds(30),
        logger: Logger = Logger(label: "migrator", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.connection = connection
        self.migrations = migrations
        self.table = table
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
        while true {
            if let version = try await takeStep() { return version }
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

    /// Throws `newerSchema`, `olderSchema` or `editedMigration` unless the database is at exactly this release's version.
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
        do {
            return try await connection.withTransaction { connection in
                try await lock()
                let applied = try await applied()
                try check(applied)
                let version = applied.last?.version ?? 0
                guard let next = migrations.first(where: { $0.version > version }) else { return version }
                if applied.isEmpty { try await makeTable() }
                logger.info("migrating", metadata: ["version": "\(next.version)", "migration": "\(next.name)"])
                try await connection.execute(script: next.sql, name: "migration \(next.version) (\(next.name))")
                try await connection.query(
                    """
                    INSERT INTO \(identifier: table) (version, name, checksum)
                    VALUES (\(next.version), \(next.name), \(next.checksum))
                    """)
                return nil
            }
        } catch {
            throw DatabaseError(error, doing: "be migrated")
        }
    }

    private func lock() async throws {
        let milliseconds = lockTimeout / .milliseconds(1)
        try await connection.execute(script: "SET LOCAL lock_timeout = \(Int(milliseconds))", name: "lock_timeout")
        try await connection.query(
            PostgresQuery("SELECT 1::int4 FROM pg_advisory_xact_lock(\(Self.lockKey))").named("migration lock"))
    }

    private func makeTable() async throws {
        try await connection.execute(
            script: """
                CREATE TABLE IF NOT EXISTS \(PostgresQuery.quoted(identifier: table)) (
                    version bigint PRIMARY KEY,
                    name text NOT NULL,
                    checksum text NOT NULL,
                    applied_at timestamptz NOT NULL DEFAULT now()
                )
                """, name: table)
    }

    /// What was applied, in order; nothing when the table is not there.
    private func applied() async throws -> [Applied] {
        let there = try await connection.query("SELECT to_regclass(\(table)) IS NOT NULL")
        guard let row = there.first, try row.decode(Bool.self) else { return [] }
        let applied: PostgresQuery = "SELECT version, name, checksum FROM \(identifier: table) ORDER BY version"
        return try await connection.query(applied).map {
            let (version, name, checksum) = try $0.decode(Int.self, String.self, String.self)
            return Applied(version: version, name: name, checksum: checksum)
        }
    }

    private func check(_ applied: [Applied]) throws(DatabaseError) {
        let known = migrations.last?.version ?? 0
        if let newest = applied.last, newest.version > known {
            throw .newerSchema(found: newest.version, known: known)
        }
        for (step, migration) in zip(applied, migrations) {
            guard step.version == migration.version, step.checksum == migration.checksum else {
                throw .editedMigration(version: step.version, name: step.name)
            }
        }
    }
}
