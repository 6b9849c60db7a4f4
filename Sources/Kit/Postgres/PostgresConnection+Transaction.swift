internal import CPostgres
internal import Concurrency

/// How much transactions see of each other (PostgreSQL documentation, 13.2).
public enum PostgresIsolation: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

extension PostgresConnection {
    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws or the task is cancelled.
    ///
    /// The commit itself is not cancelled, so its outcome is known, unless it throws `PostgresError.connectionLost`.
    /// Throws `PostgresError.rolledBack` when `body` hid an error of the server, for then nothing can be committed.
    /// Transactions do not nest, and other tasks must leave the connection alone meanwhile.
    public func withTransaction<Value>(
        _ level: PostgresIsolation = .readCommitted, readOnly: Bool = false,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await command("BEGIN ISOLATION LEVEL \(level.rawValue)\(readOnly ? " READ ONLY" : "")", label: "BEGIN")
        let value: Value
        do {
            value = try await body(self)
            try Task.checkCancellation()
        } catch {
            await rollBack()
            throw error
        }
        try await commit()
        return value
    }

    private func command(_ sql: String, label: StatementLabel) async throws {
        await takeTurn()
        defer { giveTurn() }
        try await runSimple(sql, label: label, isCancellable: false)
        if hasStaleStatements { try await forgetStatements() }
    }

    private func commit() async throws {
        await takeTurn()
        defer { giveTurn() }
        let results = try await runSimple("COMMIT", label: "COMMIT", isCancellable: false)
        if let tag = results.last.map({ PostgresRows($0).commandTag }), tag != "COMMIT" {
            throw PostgresError.rolledBack
        }
    }

    /// A connection that cannot roll back is of no use any more.
    private func rollBack() async {
        guard isOpen else { return }
        do {
            try await command("ROLLBACK", label: "ROLLBACK")
        } catch {
            end(error as? PostgresError ?? .closed)
        }
    }
}
