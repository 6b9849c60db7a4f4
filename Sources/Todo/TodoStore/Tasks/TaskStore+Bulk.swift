public import FoundationEssentials
internal import Postgres
public import TodoModel

/// One of many writes that are sent at once.
public enum BulkWrite: Sendable {
    case create(TodoTask.Draft)
    case update(UUID, TodoTask.Patch, ifVersion: [Int]?)
    /// With the scope `this` an instance of a series is skipped; otherwise its series ends.
    case delete(UUID, scope: SeriesScope = .all, ifVersion: [Int]?)
    case restore(UUID, ifVersion: [Int]?)
    case move(UUID, TaskMove, ifVersion: [Int]?)
}

extension TaskStore {
    /// Runs writes in order, in one transaction. What one cannot do becomes its result, and the others go on; where
    /// `isAtomic`, nothing is written once one fails. Writes between moves share a round trip.
    public func bulk(
        _ writes: [BulkWrite], isAtomic: Bool, by operation: TodoOperation
    ) async throws -> [Result<TodoTask, StoreError>] {
        do {
            return try await database.transaction { database in
                let results = try await TaskStore(database: database).run(writes, by: operation)
                let failed = results.contains { if case .failure = $0 { true } else { false } }
                if isAtomic, failed { throw BulkRefusal(results: results) }
                return results
            }
        } catch let refusal as BulkRefusal {
            return refusal.results
        }
    }

    private func run(
        _ writes: [BulkWrite], by operation: TodoOperation
    ) async throws -> [Result<TodoTask, StoreError>] {
        var results: [Result<TodoTask, StoreError>] = []
        var waiting: [TaskWrite] = []
        /// What takes more than a statement has its turn after those before it.
        func alone(_ write: (SeriesStore) async throws -> TodoTask) async throws {
            results += try await send(waiting, by: operation)
            waiting = []
            do {
                results.append(.success(try await write(SeriesStore(database: database))))
            } catch let error as StoreError {
                results.append(.failure(error))
            }
        }
        for write in writes {
            switch write {
            case .create(let draft): waiting.append(try creation(draft, by: operation))
            case .update(let id, let patch, let versions) where patch.changesSeries:
                try await alone { try await $0.update(id, patch, ifVersion: versions, by: operation) }
            case .update(let id, let patch, let versions):
                waiting.append(.update(id, patch, ifVersion: versions, by: operation))
            case .delete(let id, .this, let versions):
                try await alone { try await $0.skip(id, ifVersion: versions, by: operation) }
            case .delete(let id, _, let versions): waiting.append(.delete(id, ifVersion: versions, by: operation))
            case .restore(let id, let versions): waiting.append(.restore(id, ifVersion: versions, by: operation))
            case .move(let id, let move, let versions):
                results += try await send(waiting, by: operation)
                waiting = []
                do {
                    let patch = try await patch(id, move, for: operation.actor)
                    waiting.append(.update(id, patch, ifVersion: versions, by: operation))
                } catch let error as StoreError {
                    results.append(.failure(error))
                }
            }
        }
        results += try await send(waiting, by: operation)
        return results
    }

    /// What follows instances that these writes closed is made after all of them, from what each one was then.
    private func send(
        _ writes: [TaskWrite], by operation: TodoOperation
    ) async throws -> [Result<TodoTask, StoreError>] {
        guard !writes.isEmpty else { return [] }
        let rows = try await database.read(as: .user(operation.actor), writes.flatMap(\.queries))
        var results: [Result<TodoTask, StoreError>] = []
        var ended: [WrittenTask] = []
        var place = 0
        for write in writes {
            place += write.queries.count
            do {
                let written = try WriteAnswer.task(rows[place - 1])
                results.append(.success(written.task))
                if written.ended != nil { ended.append(written) }
            } catch let error as StoreError {
                results.append(.failure(error))
            }
        }
        for written in ended { try await SeriesStore(database: database).follow(written, by: operation) }
        return results
    }
}

/// Rolls a bulk write back, and tells what would have come of each.
private struct BulkRefusal: Error {
    let results: [Result<TodoTask, StoreError>]
}
