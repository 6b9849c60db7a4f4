import FoundationEssentials
import Postgres
import PostgresServer
import Testing
import TodoModel
import TodoStore

@Suite(.timeLimit(.minutes(2))) struct TaskStoreTests {
    private let user = UUID()

    private func withStore(_ body: (TaskStore, PostgresPool) async throws -> Void) async throws {
        let database = try await StoreDatabase.make()
        _ = try await Migrator.migrate(databaseURI: database.uri)
        try await database.withPool { try await body(TaskStore(pool: $0), $0) }
    }

    @Test func `a task comes back as it was made`() async throws {
        try await withStore { store, _ in
            let made = try await store.create(
                .init(title: "Überweisung 🧾", notes: "'; DROP TABLE tasks; --", status: .done, priority: .urgent),
                for: user)
            #expect(try await store.task(made.id, of: user) == made)
            #expect(made.version == 1 && made.created == made.updated)
        }
    }

    @Test func `nobody sees, changes or deletes another's task`() async throws {
        try await withStore { store, _ in
            let task = try await store.create(.init(title: "mine"), for: user)
            let other = UUID()
            #expect(try await store.task(task.id, of: other) == nil)
            #expect(try await store.page(of: other, limit: 10).tasks.isEmpty)
            #expect(try await store.update(task.id, of: other) { _ in .init(title: "theirs") } == nil)
            #expect(try await store.delete(task.id, of: other) == false)
            #expect(try await store.task(task.id, of: user) == task)
        }
    }

    @Test func `pages show the newest first, each task once`() async throws {
        try await withStore { store, _ in
            var made: [UUID] = []
            for n in 1...25 { made.append(try await store.create(.init(title: "\(n)"), for: user).id) }
            var seen: [UUID] = []
            var before: UUID?
            var sizes: [Int] = []
            repeat {
                let page = try await store.page(of: user, before: before, limit: 10)
                seen += page.tasks.map(\.id)
                sizes.append(page.tasks.count)
                before = page.next
            } while before != nil
            #expect(seen == made.reversed() && sizes == [10, 10, 5])
            #expect(try await store.page(of: user, limit: 25).next == nil)
        }
    }

    @Test func `a page can be of one status only`() async throws {
        try await withStore { store, _ in
            for status in TodoTask.Status.allCases {
                _ = try await store.create(.init(title: status.rawValue, status: status), for: user)
            }
            for status in TodoTask.Status.allCases {
                let page = try await store.page(of: user, status: status, limit: 10)
                #expect(page.tasks.map(\.content.title) == [status.rawValue])
            }
        }
    }

    @Test func `changes at once are made one after the other`() async throws {
        try await withStore { store, _ in
            let task = try await store.create(.init(title: "count", notes: "0"), for: user)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask { [user] in
                        _ = try await store.update(task.id, of: user) { current in
                            var content = current.content
                            content.notes = "\((Int(content.notes) ?? 0) + 1)"
                            return content
                        }
                    }
                }
                try await group.waitForAll()
            }
            let after = try await store.task(task.id, of: user)
            #expect(after?.content.notes == "50" && after?.version == 51)
        }
    }

    @Test func `a change that is none leaves version and time`() async throws {
        try await withStore { store, _ in
            let task = try await store.create(.init(title: "same"), for: user)
            #expect(try await store.update(task.id, of: user) { $0.content } == task)
            #expect(try await store.task(task.id, of: user) == task)
        }
    }

    @Test func `a change that is refused changes nothing`() async throws {
        struct Refused: Error {}
        try await withStore { store, pool in
            let task = try await store.create(.init(title: "same"), for: user)
            await #expect(throws: Refused.self) { try await store.update(task.id, of: user) { _ in throw Refused() } }
            await #expect(throws: Refused.self) {
                _ = try await store.delete(task.id, of: user) { _ in throw Refused() }
            }
            #expect(try await store.task(task.id, of: user) == task)
            #expect(pool.statistics.leased == 0)
        }
    }

    @Test func `a deleted task is gone, and a second time not there`() async throws {
        try await withStore { store, _ in
            let task = try await store.create(.init(title: "brief"), for: user)
            #expect(try await store.delete(task.id, of: user))
            #expect(try await store.delete(task.id, of: user) == false)
            #expect(try await store.task(task.id, of: user) == nil)
        }
    }
}
