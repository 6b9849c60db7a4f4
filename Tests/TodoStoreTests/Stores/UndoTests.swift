import FoundationEssentials
import Testing
import TodoModel

@testable import TodoStore

@Suite(.timeLimit(.minutes(10))) struct UndoTests {
    @Test func `every kind of write can be taken back, and that, too`() async throws {
        try await Stores.with { stores in
            let tasks = stores.database.tasks
            let task = try await stores.create("before") { $0.tags = ["a"] }
            let project = try await stores.database.projects.create(.init(name: "Work"), by: stores.ada.id)
            let patch = TodoTask.Patch.with {
                $0.title = "after"
                $0.tags = []
                $0.status = .done
                $0.due = .some(Due(date: CivilDate(daysSince1970: 20_000)))
            }
            let writes: [@Sendable (TodoOperation) async throws -> TodoTask] = [
                { try await tasks.update(task.id, patch, by: $0) },
                { try await tasks.delete(task.id, by: $0) },
                { try await tasks.move(task.id, TaskMove(project: project.id), by: $0) },
            ]
            for write in writes {
                let (first, undo, redo) = (
                    stores.operation(by: stores.ada), stores.operation(by: stores.ada), stores.operation(by: stores.ada)
                )
                let changed = try await write(first)
                let undone = try #require(try await tasks.undo(first.id, by: undo).first)
                #expect(undone.content == task.content && undone.version > changed.version)
                let redone = try #require(try await tasks.undo(undo.id, by: redo).first)
                #expect(redone.content == changed.content)
                _ = try await tasks.undo(redo.id, by: stores.operation(by: stores.ada))
            }
            let operation = stores.operation(by: stores.ada)
            let made = try await tasks.create(.init(title: "made"), by: operation)
            _ = try await tasks.undo(operation.id, by: stores.operation(by: stores.ada))
            #expect(try await tasks.get(made.id, for: stores.ada.id).deleted != nil)
        }
    }

    @Test func `what somebody changed since is not taken back`() async throws {
        try await Stores.with { stores in
            let (tasks, operation) = (stores.database.tasks, stores.operation(by: stores.ada))
            let task = try await tasks.create(.init(title: "x"), by: operation)
            let patch = TodoTask.Patch.with {
                $0.title = "y"
            }
            _ = try await tasks.update(task.id, patch, by: stores.operation(by: stores.ada))
            await #expect(throws: StoreError.undoConflict) {
                try await tasks.undo(operation.id, by: stores.operation(by: stores.ada))
            }
            #expect(try await tasks.get(task.id, for: stores.ada.id).deleted == nil)
        }
    }

    @Test func `an operation is taken back once, and by who did it`() async throws {
        try await Stores.with { stores in
            let (tasks, operation) = (stores.database.tasks, stores.operation(by: stores.ada))
            _ = try await tasks.create(.init(title: "x"), by: operation)
            await #expect(throws: StoreError.undoExpired) {
                try await tasks.undo(operation.id, by: stores.operation(by: stores.ben))
            }
            _ = try await tasks.undo(operation.id, by: stores.operation(by: stores.ada))
            for id in [operation.id, UUID()] {
                await #expect(throws: StoreError.undoExpired) {
                    try await tasks.undo(id, by: stores.operation(by: stores.ada))
                }
            }
        }
    }

    @Test func `many writes are one operation`() async throws {
        try await Stores.with { stores in
            let (tasks, operation) = (stores.database.tasks, stores.operation(by: stores.ada))
            let project = try await stores.shared(.editor)
            let (own, shared) = (
                try await stores.create("own", by: stores.ben),
                try await stores.create("shared", by: stores.ada) { $0.project = project.id }
            )
            let patch = TodoTask.Patch.with {
                $0.status = .done
            }
            let bulk = stores.operation(by: stores.ben)
            let results = try await tasks.bulk(
                [
                    .update(own.id, patch, ifVersion: nil), .update(shared.id, patch, ifVersion: nil),
                    .create(.init(title: "new")), .move(own.id, TaskMove(place: .after(nil)), ifVersion: nil),
                ], isAtomic: true, by: bulk)
            #expect(try results.map { try $0.get().title } == ["own", "shared", "new", "own"])
            #expect(try await tasks.undo(bulk.id, by: stores.operation(by: stores.ben)).count == 3)
            #expect(try await tasks.get(own.id, for: stores.ben.id).content == own.content)
            #expect(try await tasks.get(shared.id, for: stores.ada.id).content == shared.content)
            _ = operation
        }
    }

    @Test func `many writes are done all or none, or each for itself`() async throws {
        try await Stores.with { stores in
            let tasks = stores.database.tasks
            let foreign = try await stores.create("foreign", by: stores.ben)
            let writes: [BulkWrite] = [
                .create(.init(title: "one")), .delete(foreign.id, ifVersion: nil), .create(.init(title: "two")),
            ]
            let atomic = try await tasks.bulk(writes, isAtomic: true, by: stores.operation(by: stores.ada))
            #expect(throws: StoreError.notFound) { try atomic[1].get() }
            #expect(try await stores.titles("", for: stores.ada) == [])
            #expect(try await !stores.events().contains("task.deleted"))
            let each = try await tasks.bulk(writes, isAtomic: false, by: stores.operation(by: stores.ada))
            #expect(throws: StoreError.notFound) { try each[1].get() }
            #expect(try await stores.titles("sort:created", for: stores.ada) == ["one", "two"])
        }
    }
}

extension TodoTask {
    /// What a person set.
    fileprivate var content: TodoTask {
        var task = self
        (task.updated, task.version, task.seq) = (task.created, 1, 1)
        if task.completed != nil { task.completed = task.created }
        if task.deleted != nil { task.deleted = task.created }
        return task
    }
}
