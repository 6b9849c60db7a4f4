import Foundation
import Postgres
import PostgresServer
import StructuredData
import Testing
import TodoModel

@testable import TodoStore

/// `task_signatures` and `task_tags` hold what tasks are searched for, whoever writes them; lists are read from them.
@Suite struct TaskSignatureTests {
    /// What the triggers should have left: nothing but what the tasks have now.
    private func difference(_ stores: Stores) async throws -> String {
        let wanted = "SELECT user_id, position, id, task_signature(search, tags), title FROM tasks"
        let kept = """
            SELECT s.user_id, s.position, s.task_id, s.signature, t.title
            FROM task_signatures s LEFT JOIN tasks t ON t.id = s.task_id
            """
        let wantedTags = "SELECT user_id, tag, position, id, title FROM tasks CROSS JOIN unnest(tags) AS tag"
        let keptTags = """
            SELECT s.user_id, s.tag, s.position, s.task_id, t.title
            FROM task_tags s LEFT JOIN tasks t ON t.id = s.task_id
            """
        return try await stores.home.server.psql(
            """
            SELECT title || ' missing' FROM ((\(wanted)) EXCEPT ALL (\(kept))) AS x
            UNION ALL SELECT COALESCE(title, 'gone') || ' left' FROM ((\(kept)) EXCEPT ALL (\(wanted))) AS x
            UNION ALL SELECT tag || ' missing' FROM ((\(wantedTags)) EXCEPT ALL (\(keptTags))) AS x
            UNION ALL SELECT tag || ' left' FROM ((\(keptTags)) EXCEPT ALL (\(wantedTags))) AS x
            """, database: stores.home.name)
    }

    @Test func `every write keeps the signature`() async throws {
        try await Stores.with { stores in
            let ada = stores.ada
            let task = try await stores.create("Buy milk", by: ada) { $0.tags = ["home"] }
            #expect(try await stores.titles("milk", for: ada) == ["Buy milk"])
            #expect(try await stores.titles("tag:home", for: ada) == ["Buy milk"])
            _ = try await stores.database.tasks.update(
                task.id,
                .with {
                    $0.title = "Buy bread"
                    $0.tags = ["errand"]
                }, by: stores.operation(by: ada))
            #expect(try await stores.titles("milk", for: ada) == [])
            #expect(try await stores.titles("\"buy bread\" tag:errand", for: ada) == ["Buy bread"])
            #expect(try await difference(stores) == "")
            let other = try await stores.create("Eat bread", by: ada)
            _ = try await stores.database.tasks.move(
                task.id, TaskMove(place: .after(other.id)), by: stores.operation(by: ada))
            #expect(try await stores.titles("bread", for: ada) == ["Eat bread", "Buy bread"])
            #expect(try await difference(stores) == "")
            _ = try await stores.database.tasks.delete(task.id, by: stores.operation(by: ada))
            #expect(try await stores.titles("bread", for: ada) == ["Eat bread"])
            try await stores.database.accounts.erase(ada.id)
            for table in ["task_signatures", "task_tags"] {
                let kept = try await stores.home.server.psql("SELECT * FROM \(table)", database: stores.home.name)
                #expect(kept == "")
            }
        }
    }

    @Test func `signatures of older releases are those of this one`() async throws {
        let home = try await StoreDatabase.empty()
        let connection = try await home.connect()
        func signatures() async throws -> String {
            try await home.server.psql(
                """
                SELECT string_agg(task_signature(to_tsvector('simple', v.text), v.tags)::text, ' ') FROM (VALUES
                    ('', '{}'::text[]), ('Buy milk, milk and bread', '{}'), ('', ARRAY['milk', 'zu Hause']),
                    ('Überweisung an Ada', ARRAY['#a', 'überweisung'])) v (text, tags)
                """, database: home.name)
        }
        try await Migrator(connection: connection, migrations: Array(Migration.all.prefix(9))).migrate()
        let before = try await signatures()
        try await Migrator(connection: connection).migrate()
        #expect(try await signatures() == before)
        await connection.close()
    }

    @Test func `the signature of what an editor writes is the owner's`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.editor)
            _ = try await stores.create("Paint walls", by: stores.ben) {
                $0.project = project.id
                $0.tags = ["home"]
            }
            let own = try await stores.create("Paint toes", by: stores.ben)
            #expect(try await difference(stores) == "")
            #expect(try await stores.titles("paint", for: stores.ada) == ["Paint walls"])
            #expect(try await stores.titles("tag:home", for: stores.ada) == ["Paint walls"])
            #expect(Set(try await stores.titles("paint", for: stores.ben)) == ["Paint walls", "Paint toes"])
            #expect(own.user == stores.ben.id)
        }
    }

    /// The step that fills the table meets tasks that were there before, and may leave what no longer fits.
    @Test func `old tasks get signatures, and those of yore find nothing`() async throws {
        try await Stores.with { stores in
            let task = try await stores.create("Buy milk", by: stores.ada)
            let psql = { (sql: String) in try await stores.home.server.psql(sql, database: stores.home.name) }
            _ = try await psql("TRUNCATE task_signatures")
            #expect(try await stores.titles("milk", for: stores.ada) == [])
            _ = try await psql(Migration.oldSignatures.sql)
            #expect(try await difference(stores) == "")
            _ = try await psql(
                """
                INSERT INTO task_signatures SELECT user_id, '0', id, ~0::bit(512) FROM tasks
                UNION ALL SELECT user_id, position, id, ~0::bit(512) FROM tasks
                """)
            #expect(try await stores.titles("milk", for: stores.ada) == [task.title])
            #expect(try await stores.titles("bread", for: stores.ada) == [])
        }
    }

    @Test func `old tasks get their tags, and those of yore find nothing`() async throws {
        try await Stores.with { stores in
            let task = try await stores.create("Buy milk", by: stores.ada) { $0.tags = ["errand", "home"] }
            let psql = { (sql: String) in try await stores.home.server.psql(sql, database: stores.home.name) }
            _ = try await psql("TRUNCATE task_tags")
            #expect(try await stores.titles("tag:home", for: stores.ada) == [])
            _ = try await psql(Migration.oldTaskTags.sql)
            #expect(try await difference(stores) == "")
            _ = try await psql(
                """
                INSERT INTO task_tags SELECT user_id, 'home', '0', id FROM tasks
                UNION ALL SELECT user_id, 'home', position, id FROM tasks
                UNION ALL SELECT user_id, 'work', position, id FROM tasks
                """)
            #expect(try await stores.titles("tag:home", for: stores.ada) == [task.title])
            #expect(try await stores.titles("tag:work", for: stores.ada) == [])
        }
    }

    /// Its writer has the trigger of before, and the step that fills the table does not see what is not committed.
    @Test(.timeLimit(.minutes(10))) func `a task that is being made while the table comes gets its tags`() async throws
    {
        let home = try await StoreDatabase.empty()
        let (writer, other) = (try await home.connect(), try await home.connect())
        try await Migrator(connection: other, migrations: Array(Migration.all.prefix(29))).migrate()
        let waitsOrIsDone = """
            SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'tasks'::regclass)
                OR EXISTS (SELECT FROM schema_migrations WHERE version = 31)
            """
        let migration = try await writer.withTransaction { connection in
            try await connection.execute(
                script: """
                    WITH person AS (
                        INSERT INTO users (id, email, name, zone, day_start)
                        VALUES (gen_random_uuid(), 'eve@example.com', 'Eve', 'UTC', 0) RETURNING id)
                    INSERT INTO projects (user_id, id, name, position, is_inbox, seq)
                    SELECT id, gen_random_uuid(), 'Inbox', 'm', true, 1 FROM person;
                    INSERT INTO tasks (user_id, id, project_id, title, description, status, priority, tags, position,
                        created_at, updated_at, seq)
                    SELECT p.user_id, gen_random_uuid(), p.id, 'Buy milk', '', 'open', 0, '{home}', 'm', now(), now(), 2
                    FROM projects p;
                    """)
            let migration = Task {
                try await Migrator(connection: other, patience: .seconds(300), lockTimeout: .milliseconds(100))
                    .migrate()
            }
            while try await home.server.psql(waitsOrIsDone, database: home.name) == "f" {
                try await Task.sleep(for: .milliseconds(1))
            }
            return migration
        }
        #expect(try await migration.value == Migrator.latestVersion)
        #expect(try await home.server.psql("SELECT tag FROM task_tags", database: home.name) == "home")
        for connection in [writer, other] { await connection.close() }
    }

    /// Over many tasks, page by page: of the tasks themselves no more are read than a page needs.
    @Test func `a search reads few of many tasks`() async throws {
        try await Stores.with { stores in
            let ada = stores.ada
            _ = try await stores.home.server.psql(
                """
                INSERT INTO tasks (user_id, id, project_id, title, description, status, priority, tags, position,
                    created_at, updated_at, seq)
                SELECT p.user_id, gen_random_uuid(), p.id, CASE WHEN n % 50 = 0 THEN 'rare ' ELSE 'other ' END || n, '',
                    'open', 0, CASE WHEN n % 40 = 0 THEN '{few}'::text[] ELSE '{}' END, 'm' || lpad(n::text, 6, '0'),
                    now(), now(), n
                FROM projects p, generate_series(1, 5000) n WHERE p.user_id = '\(ada.id)';
                ANALYZE;
                """, database: stores.home.name)
            for (text, index, expected) in [
                ("rare", "task_signatures_in_order", 100), ("status:open tag:few", "task_tags_in_order", 125),
                ("rare tag:few", "task_signatures_in_order", 25), ("tag:few tag:few", "task_signatures_in_order", 125),
            ] {
                let query = try TaskQuery(parsing: text)
                let context = QueryContext(user: ada.id, now: .now())
                var (found, cursor): (Int, String?) = (0, nil)
                repeat {
                    let listing = try TaskListing(query, in: context, after: cursor, limit: 10)
                    let plan = try await plan(listing, stores)
                    #expect(plan.contains("Only Scan using \(index)"), "\(text)\n\(plan)")
                    #expect(plan.lookups < 40, "\(text)\n\(plan)")
                    let page = try await stores.database.tasks.page(listing)
                    found += page.tasks.count
                    cursor = page.next
                } while cursor != nil
                #expect(found == expected)
            }
        }
    }

    private struct Plan: CustomStringConvertible {
        let description: String
        func contains(_ text: String) -> Bool { description.contains(text) }
        /// How often a task was looked up.
        var lookups: Int {
            let counts = description.matches(of: /using tasks_pkey on tasks .*loops=(\d+)/).compactMap { Int($0.1) }
            return counts.max() ?? .max
        }
    }

    private func plan(_ listing: TaskListing, _ stores: Stores) async throws -> Plan {
        let statement: SQLFragment = """
            EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) \(listing.statement("t.id", count: listing.limit + 1))
            """
        let rows = try await stores.database.rows(
            as: .user(listing.user).readingInOrder(listing.access.isInOrder), "explain", statement)
        return Plan(description: try rows.map { row -> String in try row.decode(String.self) }.joined(separator: "\n"))
    }

    @Test func `a row becomes the JSON that the task has`() async throws {
        try await Stores.with { stores in
            let ada = stores.ada
            let parent = try await stores.create("Plain", by: ada)
            _ = try await stores.create("Quotes \" \\ and ünïcödé 🌍", by: ada) {
                $0.description = "tab\tline\nand \u{1}"
                $0.tags = ["a b", "ü\"", "z"]
                $0.priority = .urgent
                $0.due = Due(date: CivilDate(daysSince1970: 20_000), time: TimeOfDay(minutes: 545), zone: "Asia/Tokyo")
                $0.start = CivilDate(daysSince1970: -1)
                $0.estimate = 90
                $0.parent = parent.id
            }
            let day = Due(date: CivilDate(daysSince1970: 20_001))
            _ = try await stores.create("Whole day", by: ada) { $0.due = day }
            _ = try await stores.create("Repeats", by: ada) {
                $0.due = day
                $0.recurrence = (try? RecurrenceRule("FREQ=DAILY")).map { Series.Draft(rule: $0) }
            }
            let done = try await stores.create("Done", by: ada)
            _ = try await stores.database.tasks.update(
                done.id, .with { $0.status = .done }, by: stores.operation(by: ada))
            let context = QueryContext(user: ada.id, now: .now())
            for limit in [2, 100] {
                let listing = try TaskListing(TaskQuery(parsing: ""), in: context, limit: limit)
                let page = try await stores.database.tasks.page(listing)
                let written = try await stores.database.tasks.json(listing)
                #expect(page.tasks.count == min(limit, 5))
                #expect(page.tasks.contains { $0.recurrence != nil } == (limit == 100))
                #expect(String(decoding: written.tasks, as: UTF8.self) == JSON.array(page.tasks.map(\.json)).text)
                #expect(written.next == page.next)
            }
            let nothing = try TaskListing(TaskQuery(parsing: "nothing"), in: context, limit: 1)
            #expect(try await stores.database.tasks.json(nothing).tasks == Array("[]".utf8))
        }
    }
}
