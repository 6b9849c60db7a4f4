public import Logging
public import TodoStore
internal import Postgres

/// The schema of the log, which has versions of its own beside those of the tasks.
///
/// Row-level security is forced, there is no policy for changing entries, and one for deleting them only up to where a
/// signed anchor says that the log begins: to the service's own login the rest is append-only. A person's query sets `app.user_id` and sees that person's; the log's own work (append, keys,
/// checkpoints, export) sets `app.audit` to `on`; a query that sets neither sees nothing.
public enum AuditSchema {
    static let table = "audit_schema_migrations"
    public static let migrations: [Migration] = [.log, .retention]
    /// As `Migration.servesSince`.
    private static let servesSince = 2

    /// Brings the database at `databaseURI` to the schema of this release. Returns the version.
    public static func migrate(
        databaseURI: String, tlsMode: DatabaseTLSMode? = nil,
        logger: Logger = Logger(label: "migrator", factory: { _ in SwiftLogNoOpLogHandler() })
    ) async throws(DatabaseError) -> Int {
        try await Migrator.withConnection(databaseURI, tlsMode) { connection throws(DatabaseError) in
            try await Migrator(
                connection: connection, migrations: migrations, table: table, servesSince: servesSince, logger: logger
            ).migrate()
        }
    }

    static func requireLatest(_ connection: PostgresConnection) async throws(DatabaseError) {
        try await Migrator(connection: connection, migrations: migrations, table: table).requireLatest()
    }
}

extension Migration {
    fileprivate static let log = Migration(
        version: 1, name: "log",
        sql: """
            CREATE SCHEMA audit;

            CREATE TABLE audit.entries (
                user_id uuid NOT NULL,
                shard smallint NOT NULL,
                index bigint NOT NULL CHECK (index > 0),
                event_id uuid NOT NULL,
                type text NOT NULL,
                time timestamptz NOT NULL,
                recorded_at timestamptz NOT NULL,
                actor_id uuid,
                subject_id uuid,
                content bytea,
                hash bytea NOT NULL CHECK (octet_length(hash) = 32),
                PRIMARY KEY (shard, index)
            );
            CREATE UNIQUE INDEX entries_once ON audit.entries (shard, event_id);
            CREATE INDEX entries_of_user ON audit.entries (user_id, time, event_id);
            CREATE INDEX entries_of_subject ON audit.entries (user_id, subject_id, time, event_id)
                WHERE subject_id IS NOT NULL;
            CREATE INDEX entries_of_guest ON audit.entries (actor_id, time, event_id) WHERE actor_id <> user_id;

            CREATE TABLE audit.heads (
                shard smallint PRIMARY KEY,
                count bigint NOT NULL,
                hash bytea NOT NULL CHECK (octet_length(hash) = 32)
            );
            INSERT INTO audit.heads SELECT shard, 0, decode(repeat('00', 32), 'hex') FROM generate_series(0, 15) AS shard;

            CREATE TABLE audit.keys (
                user_id uuid PRIMARY KEY,
                wrapped bytea,
                created_at timestamptz NOT NULL DEFAULT now(),
                erased_at timestamptz,
                CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL))
            );

            CREATE TABLE audit.checkpoints (
                index bigint PRIMARY KEY,
                time timestamptz NOT NULL,
                body text NOT NULL
            );

            ALTER TABLE audit.entries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY append ON audit.entries FOR INSERT
                WITH CHECK ((SELECT current_setting('app.audit', true)) = 'on');
            CREATE POLICY read ON audit.entries FOR SELECT
                USING ((SELECT current_setting('app.audit', true)) = 'on'
                    OR user_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid)
                    OR actor_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid));
            ALTER TABLE audit.keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY log ON audit.keys USING ((SELECT current_setting('app.audit', true)) = 'on');
            """)

    /// Where the log begins once older entries were dropped, and the right to drop them. `heads.dropped` repeats what the
    /// anchor's checkpoint says of each shard.
    fileprivate static let retention = Migration(
        version: 2, name: "retention",
        sql: """
            CREATE TABLE audit.retention (
                one boolean PRIMARY KEY DEFAULT true CHECK (one),
                checkpoint bigint NOT NULL,
                body text NOT NULL
            );
            ALTER TABLE audit.heads ADD COLUMN dropped bigint NOT NULL DEFAULT 0;
            CREATE INDEX checkpoints_by_time ON audit.checkpoints (time, index);
            CREATE POLICY forget ON audit.entries FOR DELETE
                USING ((SELECT current_setting('app.audit', true)) = 'on'
                    AND index <= (SELECT h.dropped FROM audit.heads h WHERE h.shard = entries.shard));
            """)
}
