import FoundationEssentials
import Postgres
import Testing
import TodoModel

@testable import TodoStore

/// Undo puts a task back only where it may be.
@Suite(.timeLimit(.minutes(10))) struct UndoPlaceTests {
    @Test func `a task does not come back below one that is below it now`() async throws {
        try await Stores.with { stores in
            let (tasks, project) = (stores.database.tasks, try await stores.shared(.editor))
            let parent = try await stores.create("parent") { $0.project = project.id }
            let child = try await stores.create("child") { $0.parent = parent.id }
            let operation = stores.operation(by: stores.ada)
            _ = try await tasks.move(child.id, TaskMove(parent: .some(nil)), by: operation)
            _ = try await tasks.move(parent.id, TaskMove(parent: child.id), by: stores.operation(by: stores.ben))
            await #expect(throws: StoreError.undoDisplaced) {
                try await tasks.undo(operation.id, by: stores.operation(by: stores.ada))
            }
            #expect(try await stores.displaced().isEmpty)
            // What stood in the way is gone: then it can be undone after all.
            _ = try await tasks.move(parent.id, TaskMove(parent: .some(nil)), by: stores.operation(by: stores.ben))
            _ = try await tasks.undo(operation.id, by: stores.operation(by: stores.ada))
            #expect(try await tasks.get(child.id, for: stores.ada.id).parent == parent.id)
        }
    }

    @Test func `a task does not come back into a deleted project`() async throws {
        try await Stores.with { stores in
            let (tasks, projects) = (stores.database.tasks, stores.database.projects)
            let project = try await projects.create(.init(name: "X"), by: stores.ada.id)
            let other = try await projects.create(.init(name: "Y"), by: stores.ada.id)
            let task = try await stores.create("task") { $0.project = project.id }
            let operation = stores.operation(by: stores.ada)
            _ = try await tasks.move(task.id, TaskMove(project: other.id), by: operation)
            _ = try await projects.delete(project.id, by: stores.ada.id)
            await #expect(throws: StoreError.undoDisplaced) {
                try await tasks.undo(operation.id, by: stores.operation(by: stores.ada))
            }
            #expect(try await stores.displaced().isEmpty)
        }
    }

    @Test func `a task does not come back below one in the bin, nor goes there above one that is not`() async throws {
        try await Stores.with { stores in
            let tasks = stores.database.tasks
            let (parent, making) = (try await stores.create("parent"), stores.operation(by: stores.ada))
            let child = try await tasks.create(
                .with(title: "child") { $0.parent = parent.id }, by: making)
            let deletion = stores.operation(by: stores.ada)
            _ = try await tasks.delete(child.id, by: deletion)
            let whole = stores.operation(by: stores.ada)
            _ = try await tasks.delete(parent.id, by: whole)
            await #expect(throws: StoreError.undoDisplaced) {
                try await tasks.undo(deletion.id, by: stores.operation(by: stores.ada))
            }
            #expect(try await stores.displaced().isEmpty)
            _ = try await tasks.undo(whole.id, by: stores.operation(by: stores.ada))
            _ = try await tasks.undo(deletion.id, by: stores.operation(by: stores.ada))
            #expect(try await tasks.get(child.id, for: stores.ada.id).deleted == nil)

            let another = stores.operation(by: stores.ada)
            let made = try await tasks.create(.init(title: "made"), by: another)
            _ = try await stores.create("below it") { $0.parent = made.id }
            await #expect(throws: StoreError.undoDisplaced) {
                try await tasks.undo(another.id, by: stores.operation(by: stores.ada))
            }
            #expect(try await stores.displaced().isEmpty)
        }
    }

    @Test func `who may no longer write where a task was is told so`() async throws {
        try await Stores.with { stores in
            let (tasks, projects) = (stores.database.tasks, stores.database.projects)
            let (source, target) = (try await stores.shared(.editor), try await stores.shared(.editor))
            let task = try await stores.create("task", by: stores.ben) { $0.project = source.id }
            let operation = stores.operation(by: stores.ben)
            _ = try await tasks.move(task.id, TaskMove(project: target.id), by: operation)
            _ = try await projects.setRole(.viewer, of: stores.ben.id, in: source.id, by: stores.ada.id)
            await #expect(throws: StoreError.forbidden) {
                try await tasks.undo(operation.id, by: stores.operation(by: stores.ben))
            }
            try await projects.remove(stores.ben.id, from: source.id, by: stores.ada.id)
            await #expect(throws: StoreError.notFound) {
                try await tasks.undo(operation.id, by: stores.operation(by: stores.ben))
            }
            #expect(try await tasks.get(task.id, for: stores.ada.id).project == target.id)
        }
    }

    @Test func `a task is not made in a project that is deleted at the same time`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.editor)
            let deleter = try await stores.home.connect()
            let making = try await deleter.withTransaction { deleter in
                try await deleter.query("SELECT FROM streams WHERE user_id = \(stores.ada.id) FOR UPDATE")
                let making = Task { try await stores.create("late", by: stores.ben) { $0.project = project.id } }
                var waiting = 0
                while waiting == 0 {
                    let blocked = try await deleter.query(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    )
                    waiting = try blocked.first?.decode(Int.self) ?? 0
                }
                try await deleter.query("UPDATE projects SET deleted_at = now() WHERE id = \(project.id)")
                return making
            }
            await deleter.close()
            await #expect(throws: StoreError.invalid("project", "there is no such project")) { try await making.value }
            #expect(try await stores.displaced().isEmpty)
        }
    }

    /// Whatever two people do and take back, in whatever order: refusals only, never an error of the database, and every
    /// live task is in a live project, below live tasks of that project or none.
    @Test(arguments: 0..<4)
    func `tasks stay where tasks may be`(_ seed: UInt64) async throws {
        try await Stores.with { stores in
            var walk = Walk(stores: stores, random: SeededGenerator(seed: seed))
            for _ in 0..<3 { walk.projects.append(try await stores.shared(.editor).id) }
            let witness = try await stores.home.connect()
            var refusals = 0
            for step in 0..<400 {
                do {
                    try await walk.step()
                } catch is StoreError {
                    refusals += 1
                }
                let displaced = try await stores.displaced(on: witness)
                try #require(displaced.isEmpty, "step \(step): \(displaced)")
            }
            await witness.close()
            #expect(walk.undone > 15 && refusals < 300, "\(walk.undone) undone, \(refusals) refusals")
        }
    }
}

/// Two people at random.
private struct Walk {
    let stores: Stores
    var random: SeededGenerator
    /// The projects that there are or were; all are Ada's, and nil is an inbox.
    var projects: [UUID] = []
    var tasks: [UUID] = []
    var operations: [TodoOperation] = []
    var undone = 0

    mutating func step() async throws {
        let user = Bool.random(using: &random) ? stores.ada : stores.ben
        let operation = stores.operation(by: user)
        let store = stores.database.tasks
        let task = tasks.suffix(12).randomElement(using: &random)
        let (project, parent) = (
            projects.suffix(4).randomElement(using: &random), tasks.suffix(12).randomElement(using: &random)
        )
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<20:
            let isBelow = Bool.random(using: &random)
            let draft = TodoTask.Draft.with(title: "x") {
                $0.project = isBelow ? nil : project
                $0.parent = isBelow ? parent : nil
            }
            tasks.append(try await store.create(draft, by: operation).id)
        case 20..<45:
            guard let task else { return }
            let places = [
                TaskMove(project: project), TaskMove(parent: parent), TaskMove(parent: .some(nil)),
            ]
            _ = try await store.move(task, places.randomElement(using: &random) ?? places[0], by: operation)
        case 45..<57:
            guard let task else { return }
            _ = try await store.delete(task, by: operation)
        case 57..<65:
            guard let task else { return }
            _ = try await store.restore(task, by: operation)
        case 65..<96:
            guard let past = operations.suffix(8).randomElement(using: &random) else { return }
            let undo = TodoOperation(id: operation.id, actor: past.actor)
            _ = try await store.undo(past.id, by: undo)
            undone += 1
            operations.append(undo)
            return
        case 96:
            guard let project else { return }
            _ = try await stores.database.projects.delete(project, by: stores.ada.id)
            projects.append(try await stores.shared(.editor).id)
            return
        default:
            guard let project else { return }
            let role: Role = Bool.random(using: &random) ? .editor : .viewer
            _ = try await stores.database.projects.setRole(role, of: stores.ben.id, in: project, by: stores.ada.id)
            return
        }
        operations.append(operation)
    }
}

extension Stores {
    /// The live tasks that are where none may be, and those that are above themselves.
    fileprivate func displaced() async throws -> [String] {
        let connection = try await home.connect()
        let displaced = try await displaced(on: connection)
        await connection.close()
        return displaced
    }

    fileprivate func displaced(on connection: PostgresConnection) async throws -> [String] {
        let rows = try await connection.query(
            """
            WITH RECURSIVE up AS (
                SELECT user_id, id, parent_id FROM tasks WHERE parent_id IS NOT NULL
                UNION
                SELECT q.user_id, up.id, q.parent_id FROM up JOIN tasks q ON q.user_id = up.user_id AND q.id = up.parent_id)
            SELECT 'above itself: ' || id FROM up WHERE parent_id = id
            UNION ALL
            SELECT 'in a deleted project: ' || t.id FROM tasks t
            JOIN projects p ON p.user_id = t.user_id AND p.id = t.project_id
            WHERE t.deleted_at IS NULL AND p.deleted_at IS NOT NULL
            UNION ALL
            SELECT 'below one that is elsewhere or in the bin: ' || t.id FROM tasks t
            JOIN tasks q ON q.user_id = t.user_id AND q.id = t.parent_id
            WHERE t.deleted_at IS NULL AND (q.deleted_at IS NOT NULL OR q.project_id <> t.project_id)
            """)
        return try rows.map { try $0.decode(String.self) }
    }
}

extension TodoTask.Draft {
    fileprivate static func with(title: String, _ configure: (inout Self) -> Void) -> Self {
        var draft = Self(title: title)
        configure(&draft)
        return draft
    }
}
