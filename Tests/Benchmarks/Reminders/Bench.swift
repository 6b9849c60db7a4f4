import Concurrency
import Foundation
import LocalPostgres
import Logging
import Postgres
import TodoModel
import TodoStore
import TodoWorkers

/// The platform on one machine, without people: what is due is written by SQL, and measured when it has been committed
/// and when the sidecar has it.
final class Bench: Sendable {
    static let users = 1000

    private let options: Options
    private let folder: String
    private let server: LocalPostgres
    private let admin: PostgresPool
    private let pool: PostgresPool
    private let database: TodoDatabase
    private let lateness = Lateness()
    private let relay: Relay

    init(_ options: Options) async throws {
        self.options = options
        folder = NSTemporaryDirectory() + "reminders-bench-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        server = try await LocalPostgres(folder: folder + "/postgres")
        try await server.start()
        let uri = try await server.database("bench")
        admin = PostgresPool(try PostgresConfiguration(uri), limits: .init(size: 2))
        // As PostgreSQL's manual has it: a quarter of the memory.
        let memory = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
        for setting in ["shared_buffers = '\(memory / (4 << 20))MB'", "max_wal_size = '4GB'"] {
            try await Self.run("ALTER SYSTEM SET \(setting)", on: admin)
        }
        try await Self.run("CREATE ROLE app LOGIN PASSWORD 'app'", on: admin)
        try await Self.run("ALTER DATABASE bench OWNER TO app", on: admin)
        try await Self.run("GRANT CREATE ON SCHEMA public TO app", on: admin)
        await server.stop()
        try await server.start()
        let app = "postgresql://app:app@127.0.0.1:\(server.port)/bench?sslmode=disable"
        _ = try await Migrator.migrate(databaseURI: app)
        pool = PostgresPool(try PostgresConfiguration(app), limits: .init(size: 8))
        database = TodoDatabase(pool: pool)
        relay = try await Relay(folder: folder + "/dapr", outbox: database.outbox)
    }

    func end() async {
        await pool.close()
        await admin.close()
        await server.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func sql(_ text: String) async throws { try await Self.run(text, on: admin) }

    private static func run(_ text: String, on pool: PostgresPool) async throws {
        try await pool.withConnection { try await $0.execute(script: text) }
    }

    func run() async throws {
        try await plant()
        _ = try await database.plan.checkZones()
        try await plan()
        try await burden()
        let relaying = Task { [relay] in try await relay.run() }
        let working = Task { [database, lateness] in
            try await TodoWorkers(
                database: database, logger: Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() }),
                metrics: lateness
            ).run()
        }
        try await burst(20_000)
        try await stream(200, seconds: options.seconds)
        try await stream(1000, seconds: 3 * options.seconds)
        working.cancel()
        relaying.cancel()
        _ = await working.result
        _ = await relaying.result
        print("load: \(loadAverage())")
    }

    /// People, and tasks that are due some day; notes of what to plan are left out, for that is measured by itself.
    private func plant() async throws {
        let count = max(options.tasks, 20_000)
        try await admin.withConnection { connection in
            try await connection.execute(
                script: """
                    BEGIN;
                    SET LOCAL session_replication_role = replica;
                    CREATE FUNCTION bench_user(k bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
                        SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(k % \(Self.users)), 12, '0'))::uuid $$;
                    CREATE FUNCTION bench_task(k bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
                        SELECT ('01900000-0001-7000-8000-' || lpad(to_hex(k), 12, '0'))::uuid $$;
                    INSERT INTO users (id, email, name, zone, day_start)
                        SELECT bench_user(k), k || '@example.com', 'User', 'Europe/Berlin', 240
                        FROM generate_series(0, \(Self.users - 1)) k;
                    INSERT INTO streams SELECT id, 1 FROM users;
                    INSERT INTO projects (user_id, id, name, position, is_inbox, seq)
                        SELECT id, id, 'Inbox', 'V', true, 1 FROM users;
                    INSERT INTO tasks (user_id, id, project_id, title, description, status, priority, due_date, due_time,
                        tags, position, created_at, updated_at, seq)
                    SELECT bench_user(k), bench_task(k), bench_user(k), 'Water the plants on the balcony',
                        'The small ones twice', 'open', k % 5, current_date + 1 + (k % 365)::int, time '18:00',
                        '{garden,home}', 'V', now(), now(), 1
                    FROM generate_series(0, \(count - 1)) k;
                    COMMIT;
                    """)
            try await connection.execute(script: "VACUUM ANALYZE")
        }
    }

    /// A policy for all tasks.
    private func plan() async throws {
        let policy = ReminderPolicy(
            id: UUID(), namespace: "bench", name: "bench", schedule: .offsets([60]),
            selector: "priority>=low or tag:home")
        try await database.policies.upsert(policy)
        var (planned, slowest) = (0, Duration.zero)
        let clock = ContinuousClock()
        let total = try await clock.measure {
            while true {
                var outcome = PlanStore.Outcome.idle
                let time = try await clock.measure {
                    outcome = try await database.plan.step(now: .now(), until: Instant.now().advanced(by: .seconds(60)))
                }
                guard case .planned(let step) = outcome else { break }
                slowest = max(slowest, time)
                planned += step.planned
            }
        }
        let rate = Int(Double(planned) / (total / .seconds(1)))
        print(
            "planned \(planned) reminders of a policy in \(seconds(total)) s: \(rate)/s, the slowest portion \(milliseconds(slowest)) ms (goal 1000000 in < 60 s)"
        )
        try await sql("DELETE FROM planned_reminders")
        try await sql("VACUUM ANALYZE planned_reminders")
    }

    /// Reminders of another year. The indexes are made when all are there, which takes a fraction of the time.
    private func burden() async throws {
        let portion = 500_000
        if options.pending > portion {
            try await sql(
                """
                CREATE TABLE bench_indexes AS
                    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index
                    WHERE indrelid = 'planned_reminders'::regclass AND NOT indisprimary;
                DO $$ DECLARE i record; BEGIN
                    FOR i IN SELECT * FROM bench_indexes LOOP EXECUTE 'DROP INDEX ' || i.name; END LOOP;
                    ALTER TABLE planned_reminders DROP CONSTRAINT planned_reminders_pkey;
                END $$;
                """)
        }
        for start in stride(from: 0, to: options.pending, by: portion) {
            try await sql(
                """
                INSERT INTO planned_reminders (user_id, id, base_id, owner_id, task_id, source, source_id,
                    offset_minutes, anchor, due_at, fire_at, state)
                SELECT bench_user(k), i, i, bench_user(k), bench_task(k % 20000), 'person', i, 0,
                    timestamp '2040-01-01', a, a, 'pending'
                FROM generate_series(\(start), \(min(start + portion, options.pending) - 1)) k
                CROSS JOIN LATERAL (SELECT md5(k::text)::uuid AS i, now() + interval '1 year' + k * interval '1 second' AS a) x
                """)
        }
        if options.pending > portion {
            try await sql(
                """
                DO $$ DECLARE i record; BEGIN
                    SET LOCAL maintenance_work_mem = '1GB';
                    ALTER TABLE planned_reminders ADD PRIMARY KEY (user_id, id);
                    FOR i IN SELECT * FROM bench_indexes LOOP EXECUTE i.made; END LOOP;
                END $$;
                """)
        }
        if options.pending > 0 { try await sql("VACUUM ANALYZE planned_reminders") }
        // The disk is not to be busy with that when something is measured.
        try await sql("CHECKPOINT")
        print("\(options.pending) other reminders are pending")
    }

    /// Reminders of as many tasks, the first one due in some seconds; returns when that is.
    private func put(_ count: Int, apart: Duration) async throws -> Instant {
        let first = Instant.now().advanced(by: .seconds(4 + count / 5000))
        try await sql(
            """
            WITH made AS (
                INSERT INTO reminders (user_id, id, owner_id, task_id, at, channels)
                SELECT bench_user(k % 20000), gen_random_uuid(), bench_user(k % 20000), bench_task(k % 20000),
                    timestamptz '\(first.text)' + k * interval '\(apart / .microseconds(1)) microseconds', '{}'
                FROM generate_series(0, \(count - 1)) k RETURNING *)
            INSERT INTO planned_reminders (user_id, id, base_id, owner_id, task_id, source, source_id, anchor, due_at,
                fire_at, state)
            SELECT user_id, id, id, owner_id, task_id, 'person', id, timezone('UTC', at), at, at, 'pending' FROM made
            """)
        guard Instant.now() < first.advanced(by: .milliseconds(-500)) else {
            throw Options.Failure(description: "the machine is too busy: what is measured was due before it was there")
        }
        return first
    }

    private func burst(_ count: Int) async throws {
        for round in 1...3 {
            _ = try await put(count, apart: .zero)
            let (fired, published) = try await outcome(of: count)
            print(
                "\(count) due at once, round \(round): fired within \(milliseconds(fired.last)) ms (goal 600), published within \(milliseconds(published.last)) ms (goal 1000)"
            )
        }
    }

    private func stream(_ rate: Int, seconds: Int) async throws {
        _ = try await put(rate * seconds, apart: .seconds(1) / rate)
        let (fired, published) = try await outcome(of: rate * seconds)
        print(
            "at \(rate)/s for \(seconds) s: fired minus due \(percentiles(fired)) (goal \(rate < 1000 ? "p50 2, p99 10" : "p99 20")); published \(percentiles(published))"
        )
    }

    /// Of each, sorted: from when it was due until it was known to be committed, and until the sidecar had its event.
    private func outcome(of count: Int) async throws -> (fired: [Duration], published: [Duration]) {
        while lateness.count < count || relay.count < count { try await Task.sleep(for: .milliseconds(50)) }
        return (lateness.take(), relay.take())
    }
}

func seconds(_ duration: Duration) -> String { String(format: "%.1f", duration / .seconds(1)) }
func milliseconds(_ duration: Duration?) -> String { String(format: "%.1f", (duration ?? .zero) / .milliseconds(1)) }

func percentiles(_ sorted: [Duration]) -> String {
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1)].map { name, part in
        "\(name) \(milliseconds(sorted[Int(Double(sorted.count - 1) * part)])) ms"
    }.joined(separator: ", ")
}

func loadAverage() -> String {
    var loads = [Double](repeating: 0, count: 3)
    return getloadavg(&loads, 3) == 3 ? loads.map { "\(($0 * 100).rounded() / 100)" }.joined(separator: " ") : "unknown"
}
