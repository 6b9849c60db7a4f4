import FoundationEssentials
import Postgres
import PostgresServer
import StructuredData
import Testing
import TodoModel

@testable import TodoStore

@Suite(.timeLimit(.minutes(10))) struct TaskStoreTests {
    @Test func `a task comes back as it was made`() async throws {
        try await Stores.with { stores in
            var draft = TodoTask.Draft(title: "Grüße 🎉 ' \\")
            draft.description = "**bold**\nnext"
            draft.priority = .urgent
            draft.due = Due(
                date: try #require(CivilDate("2026-03-29")), time: TimeOfDay("02:30"), zone: "Europe/Berlin")
            draft.start = CivilDate("2026-03-01")
            draft.estimate = 90
            draft.tags = ["home", "x"]
            let made = try await stores.database.tasks.create(draft, by: stores.operation(by: stores.ada))
            let read = try await stores.database.tasks.get(made.id, for: stores.ada.id)
            #expect(read == made)
            #expect(read.title == draft.title && read.description == draft.description && read.due == draft.due)
            #expect(read.priority == .urgent && read.start == draft.start && read.estimate == 90)
            #expect(read.tags == ["home", "x"] && read.version == 1 && read.seq == 2 && read.user == stores.ada.id)
        }
    }

    @Test func `the event says what the API says`() async throws {
        try await Stores.with { stores in
            let task = try await stores.create("x") {
                $0.due = Due(date: CivilDate(daysSince1970: 20_000), time: TimeOfDay("09:30"), zone: "Asia/Tokyo")
                $0.tags = ["a"]
            }
            let patch = TodoTask.Patch.with {
                $0.status = .done
            }
            let done = try await stores.database.tasks.update(
                task.id, patch, by: stores.operation(by: stores.ada))
            let bodies = try await stores.home.server.psql(
                "SELECT body FROM outbox WHERE type LIKE '%.task.%' ORDER BY id", database: stores.home.name
            ).split(separator: "\n")
            let events = try bodies.map { try TodoEvent(JSON(parsing: String($0))) }
            #expect(events.map(\.kind) == [.taskCreated, .taskCompleted])
            #expect(events.map(\.body) == [task.json, done.json])
            #expect(events[1].json == (try JSON(parsing: String(bodies[1]))), "what Swift makes of it")
            #expect(events[1].seq == done.seq && events[1].members == [stores.ada.id])
        }
    }

    @Test func `what changes nothing is no change`() async throws {
        try await Stores.with { stores in
            let task = try await stores.create("x") { $0.tags = ["a"] }
            let patch = TodoTask.Patch.with {
                $0.title = "x"
                $0.tags = ["a"]
                $0.due = .some(nil)
            }
            let same = try await stores.database.tasks.update(task.id, patch, by: stores.operation(by: stores.ada))
            #expect(same == task)
            #expect(try await stores.events().filter { $0.hasPrefix("task") } == ["task.created"])
        }
    }

    @Test func `a version that is no more is refused`() async throws {
        try await Stores.with { stores in
            let task = try await stores.create("x")
            let patch = TodoTask.Patch.with {
                $0.title = "y"
            }
            let (tasks, operation) = (stores.database.tasks, stores.operation(by: stores.ada))
            #expect(try await tasks.update(task.id, patch, ifVersion: [7, 1], by: operation).version == 2)
            await #expect(throws: StoreError.versionMismatch(current: 2)) {
                try await tasks.update(task.id, patch, ifVersion: [1], by: operation)
            }
            await #expect(throws: StoreError.versionMismatch(current: 2)) {
                try await tasks.delete(task.id, ifVersion: [1], by: operation)
            }
        }
    }

    @Test func `a tree goes into the bin and comes back as one`() async throws {
        try await Stores.with { stores in
            let tasks = stores.database.tasks
            let root = try await stores.create("root")
            let child = try await stores.create("child") { $0.parent = root.id }
            let leaf = try await stores.create("leaf") { $0.parent = child.id }
            let early = try await stores.create("early") { $0.parent = root.id }
            _ = try await tasks.delete(early.id, by: stores.operation(by: stores.ada))
            let deleted = try await tasks.delete(root.id, by: stores.operation(by: stores.ada))
            #expect(deleted.deleted != nil && deleted.version == 2)
            #expect(try await stores.titles("", for: stores.ada) == [])
            #expect(
                try await stores.titles("is:deleted sort:created", for: stores.ada) == [
                    "root", "child", "leaf", "early",
                ])
            let restored = try await tasks.restore(root.id, by: stores.operation(by: stores.ada))
            #expect(restored.deleted == nil)
            #expect(try await stores.titles("sort:created", for: stores.ada) == ["root", "child", "leaf"])
            #expect(try await tasks.get(leaf.id, for: stores.ada.id).parent == child.id)
            let patch = TodoTask.Patch.with {
                $0.title = "z"
            }
            await #expect(throws: StoreError.self, "what is in the bin stays as it is") {
                try await tasks.update(early.id, patch, by: stores.operation(by: stores.ada))
            }
        }
    }

    @Test func `a task cannot be put under itself`() async throws {
        try await Stores.with { stores in
            let root = try await stores.create("root")
            let child = try await stores.create("child") { $0.parent = root.id }
            let leaf = try await stores.create("leaf") { $0.parent = child.id }
            for parent in [root.id, child.id, leaf.id] {
                let patch = TodoTask.Patch.with {
                    $0.parent = .some(parent)
                }
                let error = try await #require(throws: StoreError.self) {
                    try await stores.database.tasks.update(root.id, patch, by: stores.operation(by: stores.ada))
                }
                #expect(error == .invalid(ValidationError([.init("parent", "is the task itself or a part of it")])))
            }
        }
    }

    @Test func `racing moves make no cycle`() async throws {
        try await Stores.with { stores in
            for _ in 0..<20 {
                let (a, b) = (try await stores.create("a"), try await stores.create("b"))
                await withTaskGroup(of: Void.self) { group in
                    for (id, parent) in [(a.id, b.id), (b.id, a.id)] {
                        group.addTask {
                            let patch = TodoTask.Patch.with {
                                $0.parent = .some(parent)
                            }
                            _ = try? await stores.database.tasks.update(
                                id, patch, by: stores.operation(by: stores.ada))
                        }
                    }
                }
                let parents = [
                    try await stores.database.tasks.get(a.id, for: stores.ada.id).parent,
                    try await stores.database.tasks.get(b.id, for: stores.ada.id).parent,
                ]
                #expect(parents.count { $0 != nil } == 1)
            }
        }
    }

    @Test func `a tree moves to another project whole`() async throws {
        try await Stores.with { stores in
            let project = try await stores.database.projects.create(.init(name: "Work"), by: stores.ada.id)
            let root = try await stores.create("root")
            let child = try await stores.create("child") { $0.parent = root.id }
            let moved = try await stores.database.tasks.move(
                child.id, TaskMove(project: project.id), by: stores.operation(by: stores.ada))
            #expect(moved.project == project.id && moved.parent == nil)
            _ = try await stores.database.tasks.move(
                child.id, TaskMove(parent: .some(root.id)), by: stores.operation(by: stores.ada))
            _ = try await stores.database.tasks.move(
                root.id, TaskMove(project: project.id), by: stores.operation(by: stores.ada))
            let back = try await stores.database.tasks.get(child.id, for: stores.ada.id)
            #expect(back.project == project.id && back.parent == root.id)
        }
    }

    @Test func `tasks are ordered by hand`() async throws {
        try await Stores.with { stores in
            let (a, b, c) = (try await stores.create("a"), try await stores.create("b"), try await stores.create("c"))
            #expect(try await stores.titles(moving: c, .after(nil)) == ["c", "a", "b"])
            #expect(try await stores.titles(moving: c, .after(a.id)) == ["a", "c", "b"])
            #expect(try await stores.titles(moving: b, .before(a.id)) == ["b", "a", "c"])
            #expect(try await stores.titles(moving: b, .before(nil)) == ["a", "c", "b"])
            #expect(try await stores.titles(moving: a, .end) == ["c", "b", "a"])
            for turn in 0..<30 { _ = try await stores.titles(moving: turn.isMultiple(of: 2) ? a : c, .before(b.id)) }
            #expect(try await stores.titles("", for: stores.ada) == ["a", "c", "b"])
            let error = try await #require(throws: StoreError.self) {
                try await stores.titles(moving: a, .after(UUID()))
            }
            #expect(error == .invalid(ValidationError([.init("after", "there is no such task in that place")])))
        }
    }

    @Test func `what is moved to the end is before what is added later, and behind all that is there`() async throws {
        try await Stores.with { stores in
            let (a, b, c) = (try await stores.create("a"), try await stores.create("b"), try await stores.create("c"))
            #expect(try await stores.titles(moving: a, .after(c.id)) == ["b", "c", "a"])
            _ = try await stores.create("d")
            #expect(try await stores.titles("", for: stores.ada) == ["b", "c", "a", "d"])
            #expect(try await stores.titles(moving: b, .end) == ["c", "a", "d", "b"])
            // Where such moves went before, which no time comes after.
            _ = try await stores.create("far") { $0.position = "V" }
            #expect(try await stores.titles(moving: c, .end) == ["a", "d", "b", "far", "c"])
            #expect(try await stores.titles(moving: a, .before(nil)) == ["d", "b", "far", "c", "a"])
            #expect(try await stores.titles(moving: b, .after(c.id)) == ["d", "far", "c", "b", "a"])
        }
    }

    @Test func `the only one of a list that is moved is before what is added later`() async throws {
        try await Stores.with { stores in
            let task = try await stores.create("a")
            for place in [TaskMove.Place.after(nil), .before(nil), .end] {
                let moved = try await stores.database.tasks.move(
                    task.id, TaskMove(place: place), by: stores.operation(by: stores.ada))
                #expect(moved.position < FractionalIndex.end(at: .now()), "\(place)")
            }
        }
    }

    @Test func `change numbers have no gap and no repetition under load`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.editor)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for user in [stores.ada, stores.ben] {
                    for worker in 0..<4 {
                        group.addTask {
                            for n in 0..<10 {
                                let task = try await stores.create("\(worker) \(n)", by: user) {
                                    $0.project = project.id
                                }
                                let patch = TodoTask.Patch.with {
                                    $0.status = .done
                                }
                                _ = try await stores.database.tasks.update(
                                    task.id, patch, by: stores.operation(by: user))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let numbers = try await stores.home.server.psql(
                "SELECT body->'data'->>'seq' FROM outbox WHERE user_id = '\(stores.ada.id)' AND topic = 'task-events' ORDER BY id",
                database: stores.home.name
            ).split(separator: "\n").compactMap { Int($0) }
            #expect(numbers == Array(1...numbers.count) && numbers.count == 163)
        }
    }

    @Test func `tags are counted, renamed and taken away`() async throws {
        try await Stores.with { stores in
            _ = try await stores.create("1") { $0.tags = ["home", "shop"] }
            let done = try await stores.create("2") {
                $0.tags = ["shop"]
                $0.status = .done
            }
            let tags = stores.database.tags
            #expect(try await tags.all(for: stores.ada.id).map { "\($0.name) \($0.open)" } == ["home 1", "shop 1"])
            let count = try await tags.replace("shop", by: "home", operation: stores.operation(by: stores.ada))
            #expect(count == 2)
            #expect(try await stores.database.tasks.get(done.id, for: stores.ada.id).tags == ["home"])
            let undone = stores.operation(by: stores.ada)
            try await tags.replace("home", by: nil, operation: undone)
            #expect(try await tags.all(for: stores.ada.id).isEmpty)
            _ = try await stores.database.tasks.undo(undone.id, by: stores.operation(by: stores.ada))
            #expect(try await tags.all(for: stores.ada.id).map(\.name) == ["home"])
            await #expect(throws: StoreError.notFound) {
                try await tags.replace("none", by: "x", operation: stores.operation(by: stores.ada))
            }
        }
    }

    @Test func `a tag may be called what it is called`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.viewer)
            let task = try await stores.create("own") { $0.tags = ["shop", "home"] }
            _ = try await stores.create("other") { $0.tags = ["shop"] }
            _ = try await stores.create("shared") {
                $0.project = project.id
                $0.tags = ["shop"]
            }
            let tags = stores.database.tags
            let (ada, ben) = (stores.operation(by: stores.ada), stores.operation(by: stores.ben))
            #expect(try await tags.replace("shop", by: "shop", operation: ada) == 3)
            #expect(try await stores.database.tasks.get(task.id, for: stores.ada.id) == task)
            await #expect(throws: StoreError.notFound) {
                try await tags.replace("none", by: "none", operation: ada)
            }
            await #expect(throws: StoreError.notFound, "Ben only looks at it") {
                try await tags.replace("shop", by: "shop", operation: ben)
            }
        }
    }
}

extension Stores {
    func create(_ title: String, _ configure: (inout TodoTask.Draft) -> Void = { _ in }) async throws -> TodoTask {
        try await create(title, by: ada, configure)
    }
}

extension Stores {
    /// The list, once Ada has put a task in another place of it.
    fileprivate func titles(moving task: TodoTask, _ place: TaskMove.Place) async throws -> [String] {
        _ = try await database.tasks.move(task.id, TaskMove(place: place), by: operation(by: ada))
        return try await titles("", for: ada)
    }
}
