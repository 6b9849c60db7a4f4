import FoundationEssentials
import Postgres
import Testing
import TodoModel

@testable import TodoStore

/// Which instance leads its series, and what follows it.
extension SeriesTests {
    @Test func `what is changed and closed at once is followed as its series is by then`() async throws {
        try await Stores.with { stores in
            let (tasks, daily) = (stores.database.tasks, Series.Draft(rule: try RecurrenceRule("FREQ=DAILY")))
            let close = TodoTask.Patch.with { $0.status = .done }
            let changes = [
                TodoTask.Patch.with { $0.recurrence = .some(daily) }, TodoTask.Patch.with { $0.title = "only this" },
            ]
            for change in changes {
                for isBulk in [true, false] {
                    let task = try await stores.create("water the plants") {
                        $0.due = due(0)
                        $0.recurrence = change.recurrence == nil ? daily : nil
                    }
                    if isBulk {
                        let writes = [change, close].map { BulkWrite.update(task.id, $0, ifVersion: nil) }
                        _ = try await tasks.bulk(writes, isAtomic: true, by: stores.operation(by: stores.ada))
                    } else {
                        var patch = change
                        patch.status = .done
                        _ = try await tasks.update(task.id, patch, by: stores.operation(by: stores.ada))
                    }
                    let done = try await tasks.get(task.id, for: stores.ada.id)
                    let all = try await instances(stores, done.recurrence?.id)
                    #expect(all.map(\.status) == [.done, .open], "\(change), \(isBulk)")
                    #expect(all.last?.title == "water the plants" && all.first?.title == change.title ?? task.title)
                }
            }
        }
    }

    private static let leaders: SQLFragment =
        "SELECT count(*) FROM tasks WHERE is_series_head AND status = 'open' AND deleted_at IS NULL"

    private func leaders(_ stores: Stores) async throws -> Int? {
        try await stores.database.rows(as: .system, "test.leaders", Self.leaders).map { try $0.decode(Int.self) }.first
    }

    /// The first instance and the second, of which the first is done and taken back.
    private func reopened(_ stores: Stores, project: UUID? = nil) async throws -> [TodoTask] {
        let task = try await make(stores, "FREQ=DAILY", due(0)) { $0.project = project }
        _ = try await set(stores, task.id) { $0.status = .done }
        _ = try await set(stores, task.id) { $0.status = .open }
        return try await instances(stores, task.recurrence?.id)
    }

    @Test func `an instance that is taken back and edited takes the place of the next`() async throws {
        try await Stores.with { stores in
            let (tasks, weekly) = (stores.database.tasks, Series.Draft(rule: try RecurrenceRule("FREQ=WEEKLY")))
            let edits = [
                TodoTask.Patch.with { $0.recurrence = .some(weekly) },
                TodoTask.Patch.with { $0.due = .some(due(0, "20:00")) },
                TodoTask.Patch.with { $0.title = "feed the cat" },
            ]
            var count = 0
            for edit in edits {
                for scope in [SeriesScope.following, .all] {
                    let pair = try await reopened(stores)
                    let operation = stores.operation(by: stores.ada)
                    var patch = edit
                    patch.scope = scope
                    _ = try await tasks.update(pair[0].id, patch, by: operation)
                    count += 1
                    #expect(try await leaders(stores) == count, "\(patch)")
                    #expect(try await tasks.get(pair[1].id, for: stores.ada.id).deleted != nil)
                    _ = try await tasks.undo(operation.id, by: stores.operation(by: stores.ada))
                    #expect(try await tasks.get(pair[1].id, for: stores.ada.id).deleted == nil)
                    #expect(try await leaders(stores) == count)
                }
            }
        }
    }

    @Test func `what was split off is not run beside by what was before it, unless that gets a rule`() async throws {
        try await Stores.with { stores in
            let (tasks, weekly) = (stores.database.tasks, Series.Draft(rule: try RecurrenceRule("FREQ=WEEKLY")))
            let pair = try await reopened(stores)
            _ = try await set(stores, pair[1].id) {
                $0.priority = .high
                $0.scope = .following
            }
            let split = try await tasks.get(pair[1].id, for: stores.ada.id)
            for (place, scope) in [SeriesScope.following, .all].enumerated() {
                let moved = try await set(stores, pair[0].id) {
                    $0.title = "feed the cat \(place)"
                    $0.due = .some(due(0, "2\(place):00"))
                    $0.scope = scope
                }
                #expect(moved.recurrence?.start == moved.due && moved.recurrence?.rule == pair[0].recurrence?.rule)
                #expect(try await leaders(stores) == 1, "\(scope)")
            }
            let done = try await set(stores, pair[0].id) {
                $0.due = .some(due(0, "23:00"))
                $0.scope = .all
                $0.status = .done
            }
            #expect(try await instances(stores, done.recurrence?.id).map(\.status) == [.done])
            #expect(try await tasks.get(pair[1].id, for: stores.ada.id) == split)
            let changed = try await set(stores, pair[0].id) {
                $0.recurrence = .some(weekly)
                $0.scope = .all
                $0.status = .open
            }
            #expect(try await leaders(stores) == 2)
            _ = try await set(stores, pair[0].id) { $0.status = .done }
            #expect(try await instances(stores, changed.recurrence?.id).map(\.status) == [.done, .open])
        }
    }

    @Test func `the next instance comes back as what the one before it was made`() async throws {
        try await Stores.with { stores in
            let pair = try await reopened(stores)
            _ = try await set(stores, pair[0].id) {
                $0.title = "feed the cat"
                $0.scope = .all
            }
            _ = try await set(stores, pair[0].id) { $0.status = .done }
            let all = try await instances(stores, pair[0].recurrence?.id)
            #expect(all.map(\.id) == pair.map(\.id) && all.allSatisfy { $0.deleted == nil })
            #expect(all.map(\.status) == [.done, .open] && all.map(\.title) == ["feed the cat", "feed the cat"])
            #expect(try await leaders(stores) == 1)
        }
    }

    @Test func `what comes out of the bin does not lead a series beside another`() async throws {
        try await Stores.with { stores in
            let tasks = stores.database.tasks
            let weekly = Series.Draft(rule: try RecurrenceRule("FREQ=WEEKLY"))
            let task = try await make(stores, "FREQ=DAILY", due(0))
            _ = try await tasks.delete(task.id, scope: .this, by: stores.operation(by: stores.ada))
            _ = try await tasks.restore(task.id, by: stores.operation(by: stores.ada))
            let next = try #require(try await instances(stores, task.recurrence?.id).last)
            _ = try await set(stores, task.id) {
                $0.recurrence = .some(weekly)
                $0.scope = .all
            }
            #expect(try await leaders(stores) == 1)
            let back = try await tasks.restore(next.id, by: stores.operation(by: stores.ada))
            #expect(back.deleted == nil)
            #expect(try await leaders(stores) == 1)
        }
    }

    @Test func `what comes back with its project does not lead a series beside another`() async throws {
        try await Stores.with { stores in
            let (tasks, projects) = (stores.database.tasks, stores.database.projects)
            let weekly = Series.Draft(rule: try RecurrenceRule("FREQ=WEEKLY"))
            let project = try await projects.create(.init(name: "Garden"), by: stores.ada.id)
            let task = try await make(stores, "FREQ=DAILY", due(0)) { $0.project = project.id }
            _ = try await set(stores, task.id) { $0.status = .done }
            _ = try await projects.delete(project.id, by: stores.ada.id)
            _ = try await tasks.restore(task.id, by: stores.operation(by: stores.ada))
            _ = try await set(stores, task.id) {
                $0.recurrence = .some(weekly)
                $0.scope = .all
                $0.status = .open
            }
            #expect(try await leaders(stores) == 1)
            _ = try await projects.restore(project.id, by: stores.ada.id)
            let all = try await instances(stores, task.recurrence?.id)
            #expect(all.count == 2 && all.allSatisfy { $0.deleted == nil })
            #expect(try await leaders(stores) == 1)
        }
    }

    @Test func `what an undo takes out of the bin does not lead a series beside another`() async throws {
        try await Stores.with { stores in
            let (tasks, weekly) = (stores.database.tasks, Series.Draft(rule: try RecurrenceRule("FREQ=WEEKLY")))
            let pair = try await reopened(stores)
            let (deletion, undoing) = (stores.operation(by: stores.ada), stores.operation(by: stores.ada))
            _ = try await tasks.delete(pair[1].id, by: deletion)
            let changed = try await set(stores, pair[0].id) {
                $0.recurrence = .some(weekly)
                $0.scope = .all
            }
            #expect(changed.recurrence?.id == pair[1].recurrence?.id)
            #expect(try await leaders(stores) == 1)
            _ = try await tasks.undo(deletion.id, by: undoing)
            #expect(try await tasks.get(pair[1].id, for: stores.ada.id).deleted == nil)
            #expect(try await leaders(stores) == 1)
            _ = try await set(stores, pair[1].id) { $0.status = .done }
            #expect(try await instances(stores, changed.recurrence?.id).map(\.status) == [.open, .done])
        }
    }

    @Test func `a series is led by the next instance when what led in its place is taken back, in whatever order`()
        async throws
    {
        try await Stores.with { stores in
            let (tasks, weekly) = (stores.database.tasks, Series.Draft(rule: try RecurrenceRule("FREQ=WEEKLY")))
            for (place, isRestored) in [false, true].enumerated() {
                let pair = try await reopened(stores)
                let (deletion, edit) = (stores.operation(by: stores.ada), stores.operation(by: stores.ada))
                _ = try await tasks.delete(pair[1].id, by: deletion)
                let patch = TodoTask.Patch.with {
                    $0.recurrence = .some(weekly)
                    $0.scope = .all
                }
                _ = try await tasks.update(pair[0].id, patch, by: edit)
                if isRestored {
                    _ = try await tasks.restore(pair[1].id, by: stores.operation(by: stores.ada))
                } else {
                    _ = try await tasks.undo(deletion.id, by: stores.operation(by: stores.ada))
                }
                // Back, there again, and back.
                var last = edit
                for _ in 0..<3 {
                    let undoing = stores.operation(by: stores.ada)
                    _ = try await tasks.undo(last.id, by: undoing)
                    #expect(try await leaders(stores) == place + 1)
                    last = undoing
                }
                _ = try await set(stores, pair[1].id) { $0.status = .done }
                #expect(try await instances(stores, pair[1].recurrence?.id).map(\.status) == [.open, .done, .open])
            }
        }
    }

    @Test func `who ended a series by deleting its leader gets none when another's lead is taken back`() async throws {
        try await Stores.with { stores in
            let (tasks, edit) = (stores.database.tasks, stores.operation(by: stores.ada))
            let weekly = Series.Draft(rule: try RecurrenceRule("FREQ=WEEKLY"))
            var all = try await reopened(stores)
            _ = try await set(stores, all[1].id) { $0.status = .done }
            _ = try await set(stores, all[1].id) { $0.status = .open }
            all = try await instances(stores, all[0].recurrence?.id)
            _ = try await tasks.delete(all[2].id, by: stores.operation(by: stores.ada))
            let patch = TodoTask.Patch.with {
                $0.recurrence = .some(weekly)
                $0.scope = .all
            }
            _ = try await tasks.update(all[0].id, patch, by: edit)
            #expect(try await leaders(stores) == 1)
            _ = try await tasks.undo(edit.id, by: stores.operation(by: stores.ada))
            #expect(try await leaders(stores) == 0)
        }
    }

    @Test func `who may not change the next instance cannot take its place`() async throws {
        try await Stores.with { stores in
            let (tasks, project) = (stores.database.tasks, try await stores.shared(.editor))
            let own = try await stores.database.projects.create(.init(name: "Own"), by: stores.ada.id)
            let pair = try await reopened(stores, project: project.id)
            _ = try await set(stores, pair[1].id) { $0.project = own.id }
            let patch = TodoTask.Patch.with {
                $0.title = "feed the cat"
                $0.scope = .all
            }
            await #expect(throws: StoreError.forbidden) {
                try await tasks.update(pair[0].id, patch, by: stores.operation(by: stores.ben))
            }
            #expect(try await tasks.get(pair[0].id, for: stores.ada.id).title == pair[0].title)
            #expect(try await leaders(stores) == 1)
        }
    }

    @Test func `what was changed of one alone stays with it when the series is moved or gets another rule`()
        async throws
    {
        try await Stores.with { stores in
            let weekly = Series.Draft(rule: try RecurrenceRule("FREQ=WEEKLY"))
            let edits = [
                TodoTask.Patch.with { $0.due = .some(due(0, "20:00")) },
                TodoTask.Patch.with { $0.recurrence = .some(weekly) },
            ]
            for edit in edits {
                let task = try await make(stores, "FREQ=DAILY", due(0))
                _ = try await set(stores, task.id) {
                    $0.title = "water them twice"
                    $0.tags = ["b"]
                }
                let changed = try await set(stores, task.id) {
                    $0 = edit
                    $0.tags = ["c"]
                    $0.scope = .following
                }
                _ = try await set(stores, task.id) { $0.status = .done }
                let next = try #require(try await instances(stores, changed.recurrence?.id).last)
                #expect(next.id != task.id && next.title == "water the plants" && next.tags == ["c"])
            }
        }
    }

    @Test func `a start that is changed of one alone stays with it, however the series is moved`() async throws {
        try await Stores.with { stores in
            let task = try await make(stores, "FREQ=WEEKLY", due(0)) { $0.start = due(-2).date }
            _ = try await set(stores, task.id) {
                $0.due = .some(due(2))
                $0.start = .some(due(0).date)
            }
            _ = try await set(stores, task.id) { $0.status = .done }
            var next = try #require(try await instances(stores, task.recurrence?.id).last)
            #expect(next.due == due(7) && next.start == due(5).date)
            _ = try await set(stores, next.id) { $0.start = .some(nil) }
            let moved = try await set(stores, next.id) {
                $0.due = .some(due(9))
                $0.scope = .following
            }
            _ = try await set(stores, next.id) { $0.status = .done }
            next = try #require(try await instances(stores, moved.recurrence?.id).last)
            #expect(next.due == due(16) && next.start == due(14).date)
        }
    }
}
