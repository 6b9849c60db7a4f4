public import FoundationEssentials
internal import Postgres
public import TodoModel

extension TaskStore {
    /// Takes back what an operation of the same person did to tasks, and returns them. That is an operation, too, which
    /// can be undone.
    ///
    /// Throws `undoExpired` when the operation is unknown, older than a day or undone already; `undoConflict` when a task
    /// was changed since, `undoDisplaced` when it cannot be where it was before, `forbidden` or `notFound` where the person
    /// may no longer write there.
    public func undo(_ undone: UUID, by operation: TodoOperation) async throws -> [TodoTask] {
        try await database.transaction { database in
            let actor = operation.actor
            let owners: SQLFragment = """
                SELECT DISTINCT o.owner_id FROM operations o WHERE o.user_id = \(actor) AND o.id = \(undone)
                    AND o.created_at > now() - interval '1 day'
                ORDER BY o.owner_id
                """
            let ids = try await database.rows(as: .user(actor), "undo.owners", owners).map { try $0.decode(UUID.self) }
            guard !ids.isEmpty else { throw StoreError.undoExpired }
            var tasks: [TodoTask] = []
            for owner in ids {
                let write = TaskWrite.undo(undone, of: owner, by: operation)
                tasks += try await database.write(as: .user(actor), write.queries).map { try WriteAnswer.task($0).task }
            }
            return tasks
        }
    }
}
