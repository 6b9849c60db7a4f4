import Postgres
import PostgresServer
import Testing
import TodoStore

/// Migrations 8 and 12 make events, and the forms of tasks and reminders, in another way; they stay what they were.
@Suite(.timeLimit(.minutes(10))) struct EventTextTests {
    /// Each with what JSON escapes, what may be absent and what prints by settings of the session.
    private static let rows = """
        INSERT INTO users (id, email, name, zone, day_start)
            VALUES ('00000000-0000-7000-8000-000000000001', 'ada@example.com', 'Ada', 'UTC', 240);
        INSERT INTO projects (user_id, id, name, position, is_inbox, seq) SELECT id, id, 'Inbox', 'V', true, 1 FROM users;
        INSERT INTO tasks (user_id, id, project_id, parent_id, title, description, status, priority, due_date, due_time,
            due_zone, start_date, estimate_minutes, tags, position, created_at, updated_at, completed_at, deleted_at, seq,
            recurrence, series_id, occurrence)
        SELECT u.id, md5(v.*::text)::uuid, u.id, NULL, v.text, v.text, 'done', v.priority, v.day, v.time, v.zone, v.day,
            v.priority, ARRAY[v.text, 'b'], v.text, '2026-01-01 00:00:00.000001Z', now(), v.done, v.done, 7,
            v.recurrence::jsonb, CASE WHEN v.recurrence IS NOT NULL THEN u.id END,
            CASE WHEN v.recurrence IS NOT NULL THEN '2026-01-01T09:00:00' END
        FROM users u CROSS JOIN (VALUES
            (E'q"\\\\ \\n\\t\\x01 ü 😀 </b>', 4, date '2026-01-02', time '09:30:15', 'Europe/Berlin', now(),
                '{"rule": "FREQ=DAILY", "basis": "due", "text": "every \\"day\\"", "overdueLimit": 10}'),
            ('', 0, NULL, NULL, NULL, NULL, NULL), ('x', 1, '0044-03-15', NULL, 'UTC', NULL, NULL),
            ('x', 2, '2026-03-15', '00:00', NULL, NULL, NULL), ('x', 3, '2026-03-15', NULL, NULL, now(), NULL)
            ) v (text, priority, day, time, zone, done, recurrence);
        UPDATE tasks SET parent_id = (SELECT id FROM tasks WHERE title = '') WHERE title = 'x';
        INSERT INTO planned_reminders (user_id, id, base_id, owner_id, task_id, source, source_id, offset_minutes, due_at,
            fire_at, late, state, reason, fired_at, acknowledged_at, snoozed_from)
        SELECT t.user_id, gen_random_uuid(), t.id, t.user_id, CASE WHEN n % 2 = 0 THEN t.id END,
            CASE WHEN n % 2 = 0 THEN 'person' ELSE 'policy' END, t.id, NULLIF(n, 3), now(), now(), n = 2, 'fired',
            CASE WHEN n = 1 THEN 'a "reason"' END, CASE WHEN n > 1 THEN now() END, CASE WHEN n = 2 THEN now() END,
            CASE WHEN n = 3 THEN t.id END
        FROM tasks t CROSS JOIN generate_series(1, 4) n;
        """

    private static let forms = """
        SELECT count(*), md5(string_agg(form::jsonb::text, ' ' ORDER BY form::jsonb::text)) FROM (
            SELECT task_json(t) AS form FROM tasks t
            UNION ALL
            SELECT (event_json(t.id, 'a.b', t.user_id, t.id, 9007199254740993, ARRAY[t.user_id, t.id], t.id, 'task',
                task_json(t))::jsonb - 'time')::json
            FROM tasks t
            UNION ALL
            SELECT reminder_event_json(p.id, 'a.b', p.due_at, p.user_id, p.id, reminder_json(p, v.channels, v.digest),
                CASE WHEN t.id IS NOT NULL THEN task_json(t) END)
            FROM planned_reminders p LEFT JOIN tasks t ON t.id = p.task_id
            CROSS JOIN (VALUES (NULL::text[], NULL::json), ('{}', '[]'), (ARRAY['in-app', 'e"x'], '[{"a": "b"}]'))
                v (channels, digest)) f
        """

    @Test func `tasks, reminders and their events look as before, whatever the session's settings`() async throws {
        let database = try await StoreDatabase.empty()
        let connection = try await database.connect()
        try await Migrator(connection: connection, migrations: Array(Migration.all.prefix(7))).migrate()
        try await connection.execute(script: Self.rows)
        func forms(_ settings: String) async throws -> String {
            try await database.server.psql("\(settings); \(Self.forms)", database: database.name)
        }
        let settings = "SET datestyle = 'German'; SET timezone = 'Asia/Kolkata'"
        let before = try await forms(settings)
        #expect(before.hasPrefix("70|"))
        try await Migrator(connection: connection).migrate()
        let made = try await database.server.psql(
            "SELECT prosrc LIKE '%task_text%' FROM pg_proc WHERE proname = 'task_json'", database: database.name)
        #expect(made == "t", "it is another way")
        #expect(try await forms(settings) == before)
        let none = try await database.server.psql(
            "SELECT task_json(t) IS NULL FROM users u LEFT JOIN tasks t ON false", database: database.name)
        #expect(none == "t", "a digest is of no one task")
        await connection.close()
    }
}
