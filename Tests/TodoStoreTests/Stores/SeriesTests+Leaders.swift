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
}
