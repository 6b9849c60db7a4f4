import FoundationEssentials
import Postgres
import PostgresServer
import Testing
import TodoModel

@testable import TodoStore

@Suite(.timeLimit(.minutes(10))) struct SharingTests {
    @Test func `nobody finds what is another's`() async throws {
        try await Stores.with { stores in
            let task = try await stores.create("secret")
            let project = try await stores.database.projects.create(.init(name: "Work"), by: stores.ada.id)
            let (tasks, ben) = (stores.database.tasks, stores.ben)
            let operation = stores.operation(by: ben)
            #expect(try await stores.titles("", for: ben) == [])
            let attempts: [@Sendable () async throws -> Void] = [
                { _ = try await tasks.get(task.id, for: ben.id) },
                { _ = try await tasks.update(task.id, .init(), by: operation) },
                { _ = try await tasks.delete(task.id, by: operation) },
                { _ = try await tasks.restore(task.id, by: operation) },
                { _ = try await tasks.move(task.id, TaskMove(place: .after(nil)), by: operation) },
                { _ = try await stores.database.projects.get(project.id, for: ben.id) },
                { _ = try await stores.database.projects.update(project.id, .init(), by: ben.id) },
                { _ = try await stores.database.projects.delete(project.id, by: ben.id) },
                { _ = try await stores.database.projects.restore(project.id, by: ben.id) },
                { _ = try await stores.database.projects.members(of: project.id, for: ben.id) },
                { _ = try await stores.database.projects.share(project.id, with: ben.email, as: .editor, by: ben.id) },
                { try await stores.database.projects.remove(stores.ada.id, from: project.id, by: ben.id) },
            ]
            for (place, attempt) in attempts.enumerated() {
                await #expect(throws: StoreError.notFound, "attempt \(place)") { try await attempt() }
            }
            await #expect(throws: StoreError.self) {
                _ = try await tasks.create(.init(title: "x", project: project.id), by: operation)
            }
            await #expect(throws: StoreError.self) {
                _ = try await tasks.create(.init(title: "x", parent: task.id), by: operation)
            }
        }
    }

    @Test func `a viewer sees, an editor changes, and only the owner changes the project`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.viewer)
            let task = try await stores.create("x") { $0.project = project.id }
            let (tasks, projects, ben) = (stores.database.tasks, stores.database.projects, stores.ben)
            #expect(try await stores.titles("", for: ben) == ["x"])
            #expect(try await projects.get(project.id, for: ben.id).role == .viewer)
            let patch = TodoTask.Patch.with {
                $0.title = "y"
            }
            await #expect(throws: StoreError.forbidden) {
                try await tasks.update(task.id, patch, by: stores.operation(by: ben))
            }
            await #expect(throws: StoreError.forbidden) {
                try await tasks.create(.init(title: "z", project: project.id), by: stores.operation(by: ben))
            }
            _ = try await projects.setRole(.editor, of: ben.id, in: project.id, by: stores.ada.id)
            let changed = try await tasks.update(task.id, patch, by: stores.operation(by: ben))
            #expect(changed.title == "y" && changed.user == stores.ada.id)
            let made = try await stores.create("z", by: ben) { $0.project = project.id }
            #expect(made.user == stores.ada.id && made.seq == changed.seq + 1)
            for attempt in [
                { _ = try await projects.update(project.id, .init(), by: ben.id) },
                { _ = try await projects.delete(project.id, by: ben.id) },
                { _ = try await projects.restore(project.id, by: ben.id) },
                { _ = try await projects.share(project.id, with: "x@example.com", as: .viewer, by: ben.id) },
                { _ = try await projects.setRole(.viewer, of: ben.id, in: project.id, by: ben.id) },
            ] as [@Sendable () async throws -> Void] {
                await #expect(throws: StoreError.forbidden) { try await attempt() }
            }
            #expect(try await projects.members(of: project.id, for: ben.id).map(\.role) == [.owner, .editor])
        }
    }

    @Test func `who is taken off, or leaves, sees nothing more`() async throws {
        try await Stores.with { stores in
            for actor in [stores.ada, stores.ben] {
                let project = try await stores.shared(.editor)
                let task = try await stores.create("x") { $0.project = project.id }
                try await stores.database.projects.remove(stores.ben.id, from: project.id, by: actor.id)
                #expect(try await stores.titles("", for: stores.ben) == [])
                await #expect(throws: StoreError.notFound) {
                    try await stores.database.tasks.get(task.id, for: stores.ben.id)
                }
                #expect(try await stores.database.projects.members(of: project.id, for: stores.ada.id).count == 1)
                _ = try await stores.database.projects.delete(project.id, by: stores.ada.id)
            }
        }
    }

    @Test func `a wrong share is refused by name`() async throws {
        try await Stores.with { stores in
            let projects = stores.database.projects
            let inbox = try #require(try await projects.all(for: stores.ada.id).first)
            let project = try await projects.create(.init(name: "Work"), by: stores.ada.id)
            for (id, email, field) in [
                (inbox.id, stores.ben.email, ""), (project.id, "nobody@example.com", "email"),
                (project.id, stores.ada.email, "email"),
            ] {
                let error = try await #require(throws: StoreError.self) {
                    try await projects.share(id, with: email, as: .viewer, by: stores.ada.id)
                }
                guard case .invalid(let problem) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(problem.fields.map(\.field) == [field])
            }
        }
    }

    /// The second fence: the statements of somebody who forgot to ask for the user.
    @Test func `row-level security shows nobody anything that is not theirs`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.viewer)
            _ = try await stores.create("shared") { $0.project = project.id }
            _ = try await stores.create("own")
            let dated = try await stores.create("dated", by: stores.ada) {
                $0.due = Due(date: .init(daysSince1970: 30_000))
            }
            _ = try await stores.database.reminders.create(
                .init(when: .before(.due, minutes: 0)), of: dated.id, by: stores.ada.id)
            _ = try await stores.database.plan.checkZones()
            _ = try await stores.database.plan.step(
                now: .now(), until: Instant.now().advanced(by: .seconds(60)))
            let stranger = try await stores.database.accounts.create(
                .init(email: "eve@example.com", name: "Eve"), password: "x")
            _ = try await stores.database.tokens.create(
                .personal, named: "x", scopes: [.read], expires: nil, of: stores.ada.id)
            let tables = try await stores.home.server.psql(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'schema_migrations'",
                database: stores.home.name
            ).split(separator: "\n").map(String.init)
            #expect(tables.count == 25)
            for table in tables {
                func count(_ identity: Identity) async throws -> Int {
                    let rows = try await stores.database.rows(
                        as: identity, "count", "SELECT count(*) FROM \(raw: table)")
                    return try #require(rows.first).decode(Int.self)
                }
                #expect(try await count(.nobody) == 0, "\(table) to nobody")
                let own = ["users", "streams", "projects"].contains(table) ? 1 : 0
                #expect(try await count(.user(stranger.id)) == own, "\(table) to a stranger")
            }
            func write(_ statement: SQLFragment) async throws -> Int {
                try await stores.database.rows(as: .user(stores.ben.id), "write", statement).affected
            }
            #expect(try await write("UPDATE tasks SET title = 'x'") == 0, "a viewer's write")
            #expect(try await write("DELETE FROM tasks") == 0)
            #expect(try await write("UPDATE projects SET name = 'x' WHERE NOT is_inbox") == 0)
            await #expect(throws: PostgresError.self) {
                try await write(
                    "INSERT INTO tombstones SELECT \(stores.ada.id), 9, 'task', \(UUID()), \(project.id), false")
            }
            await #expect(throws: PostgresError.self) {
                try await write(
                    "INSERT INTO project_members VALUES (\(stores.ada.id), \(project.id), \(stores.ben.id), 'editor')")
            }
        }
    }

    @Test func `a project has a bounded number of members`() async throws {
        try await Stores.with { stores in
            let project = try await stores.database.projects.create(.init(name: "Home"), by: stores.ada.id)
            let projects = stores.database.projects
            func share(as role: Role) async throws {
                _ = try await projects.share(project.id, with: stores.ben.email, as: role, by: stores.ada.id)
            }
            try await stores.fill(project, with: Project.memberLimit)
            await #expect(
                throws: StoreError.invalid(
                    "email", "is one too many: a project has at most \(Project.memberLimit) members")
            ) {
                try await share(as: .viewer)
            }
            try await stores.fill(project, with: Project.memberLimit - 1)
            try await share(as: .viewer)
            // Who is one already may get another role.
            try await share(as: .editor)
        }
    }
}
