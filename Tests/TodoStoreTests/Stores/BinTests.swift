import FoundationEssentials
import Postgres
import PostgresServer
import StructuredData
import Testing
import TodoModel

@testable import TodoStore

/// What was deleted long ago goes for good, and whoever follows the changes hears of it all the same.
@Suite(.timeLimit(.minutes(10))) struct BinTests {
    /// What a client holds that has followed the changes from `cursor` on.
    private struct Client {
        let user: UUID
        var cursor = ChangeCursor()
        var things: Set<UUID> = []

        mutating func follow(_ stores: Stores) async throws {
            while true {
                let page = try await stores.database.changes.page(after: cursor, limit: 7, for: user)
                for change in page.changes {
                    if change.isDeleted { things.remove(change.id) } else { things.insert(change.id) }
                    // A project that is lost from sight takes its tasks along.
                    if change.isDeleted, change.type == "project" { tasks[change.id]?.forEach { things.remove($0) } }
                    if let project = change.body?["project"]?.string.flatMap({ UUID(uuidString: $0) }) {
                        tasks[project, default: []].insert(change.id)
                    }
                }
                cursor = page.next
                if !page.hasMore { return }
            }
        }
        private var tasks: [UUID: Set<UUID>] = [:]

        init(user: UUID) { self.user = user }
    }

    private func age(_ stores: Stores, hours: Int) async throws {
        for table in ["tasks", "projects", "filters"] {
            try await stores.home.server.psql(
                "UPDATE \(table) SET deleted_at = deleted_at - interval '\(hours) hours' WHERE deleted_at IS NOT NULL",
                database: stores.home.name)
        }
    }

    private func count(_ stores: Stores, _ table: String) async throws -> Int {
        Int(try await stores.home.server.psql("SELECT count(*) FROM \(table)", database: stores.home.name)) ?? -1
    }

    @Test func `a project goes with all that was in it, and its members hear of it however late`() async throws {
        try await Stores.with { stores in
            let (project, filter) = (
                try await stores.shared(.editor),
                try await stores.database.filters.create(.init(name: "f", query: "milk"), of: stores.ada.id)
            )
            let task = try await stores.create("in it") { $0.project = project.id }
            _ = try await stores.create("below") { $0.parent = task.id }
            let other = try await stores.create("elsewhere")
            var (ada, ben) = (Client(user: stores.ada.id), Client(user: stores.ben.id))
            try await ada.follow(stores)
            try await ben.follow(stores)
            #expect(ben.things.contains(project.id) && ben.things.contains(task.id))
            _ = try await stores.database.projects.delete(project.id, by: stores.ada.id)
            try await stores.database.filters.delete(filter.id, of: stores.ada.id)
            #expect(try await stores.database.maintenance.purgeBin(after: .seconds(3600)) == 0)
            try await age(stores, hours: 2)
            let events = try await stores.events()
            #expect(try await stores.database.maintenance.purgeBin(after: .seconds(3600)) == 4)
            #expect(try await count(stores, "project_members") == 0)
            #expect(try await count(stores, "tasks") == 1)
            #expect(try await stores.events() == events, "that it is deleted was told when it was")
            #expect(try await stores.database.maintenance.purgeBin(after: .seconds(3600)) == 0)
            try await ada.follow(stores)
            try await ben.follow(stores)
            #expect(ben.things.isDisjoint(with: [project.id, task.id]))
            #expect(ada.things.contains(other.id) && ada.things.isDisjoint(with: [project.id, task.id, filter.id]))
        }
    }

    /// Whatever was deleted, restored and purged in whatever order, and whenever a client looks: it holds what is there.
    @Test(arguments: 0..<6)
    func `a client that comes by now and then holds what a list shows`(_ seed: UInt64) async throws {
        try await Stores.with { stores in
            var random = SeededGenerator(seed: seed)
            let project = try await stores.shared(.editor)
            var (clients, ids) = ([Client(user: stores.ada.id), Client(user: stores.ben.id)], [UUID]())
            for step in 0..<60 {
                let known = ids.randomElement(using: &random)
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<4:
                    let parent = Bool.random(using: &random) ? known : nil
                    let made = try? await stores.create("\(step)") {
                        $0.project = parent == nil ? project.id : nil
                        $0.parent = parent
                    }
                    if let made { ids.append(made.id) }
                case 4..<6:
                    if let known {
                        _ = try? await stores.database.tasks.delete(known, by: stores.operation(by: stores.ada))
                    }
                case 6:
                    if let known {
                        _ = try? await stores.database.tasks.restore(known, by: stores.operation(by: stores.ada))
                    }
                case 7:
                    try await age(stores, hours: 2)
                    try await stores.database.maintenance.purgeBin(after: .seconds(3600))
                default:
                    let place = Int.random(in: clients.indices, using: &random)
                    try await clients[place].follow(stores)
                }
            }
            for place in clients.indices {
                try await clients[place].follow(stores)
                let user = place == 0 ? stores.ada : stores.ben
                let listed = try await list(stores, for: user)
                #expect(clients[place].things.intersection(ids) == listed)
            }
        }
    }

    private func list(_ stores: Stores, for user: User) async throws -> Set<UUID> {
        let context = QueryContext(user: user.id, now: .now())
        let listing = try TaskListing(TaskQuery(parsing: ""), in: context, limit: 500)
        return Set(try await stores.database.tasks.page(listing).tasks.map(\.id))
    }

    @Test func `a row that somebody is writing is passed over, and nobody waits`() async throws {
        try await Stores.with { stores in
            let (held, free) = (try await stores.create("held"), try await stores.create("free"))
            for task in [held, free] {
                _ = try await stores.database.tasks.delete(task.id, by: stores.operation(by: stores.ada))
            }
            try await age(stores, hours: 2)
            let writer = try await stores.home.connect()
            try await writer.withTransaction { writer in
                try await writer.query("SELECT 1 FROM tasks WHERE id = \(held.id) FOR UPDATE")
                #expect(try await stores.database.maintenance.purgeBin(after: .seconds(3600)) == 1)
            }
            #expect(try await stores.database.maintenance.purgeBin(after: .seconds(3600)) == 1)
            // While another process is at it, nothing is done.
            let last = try await stores.create("last")
            _ = try await stores.database.tasks.delete(last.id, by: stores.operation(by: stores.ada))
            try await age(stores, hours: 2)
            try await writer.withTransaction { writer in
                try await writer.query("SELECT 1 FROM pg_advisory_xact_lock(\(Int64(0x62_696e)))")
                #expect(try await stores.database.maintenance.purgeBin(after: .seconds(3600)) == 0)
            }
            await writer.close()
            #expect(try await stores.database.maintenance.purgeBin(after: .seconds(3600)) == 1)
        }
    }

    @Test func `more than a portion goes at one call`() async throws {
        try await Stores.with { stores in
            let task = try await stores.create("one of many")
            _ = try await stores.database.tasks.delete(task.id, by: stores.operation(by: stores.ada))
            try await stores.home.server.psql(
                """
                INSERT INTO tasks (user_id, id, project_id, title, description, status, priority, tags, position,
                    created_at, updated_at, deleted_at, seq)
                SELECT user_id, gen_random_uuid(), project_id, title, description, status, priority, tags, position,
                    created_at, updated_at, deleted_at, seq FROM tasks, generate_series(1, 2500)
                """, database: stores.home.name)
            try await age(stores, hours: 2)
            #expect(try await stores.database.maintenance.purgeBin(after: .seconds(3600)) == 2501)
            #expect(try await count(stores, "tasks") == 0)
            #expect(try await count(stores, "tombstones") == 2501)
        }
    }
}
