internal import Postgres

/// What has to be thrown away some day.
public struct Maintenance: Sendable {
    let database: TodoDatabase

    /// So many rows at a time, so that nobody waits for long.
    static let portion = 1000

    /// Removes what is past its time: operations that can no longer be undone, answers that are kept no longer, reminders
    /// that are long over, tokens that expired, and what is known of accounts erased long ago. Any number of processes may
    /// do so at once. Returns how many rows went.
    @discardableResult
    public func run() async throws -> Int {
        let statements: [(name: String, statement: SQLFragment)] = [
            ("maintenance.operations", Self.expired("operations", "created_at < now() - interval '1 day'")),
            (
                "maintenance.requests",
                Self.expired("idempotency_keys", "created_at < now() - interval '\(RequestStore.lifetime)'")
            ),
            (
                "maintenance.reminders",
                Self.expired(
                    "planned_reminders",
                    "fire_at < now() - interval '90 days' AND state NOT IN ('pending', 'held')")
            ),
            ("maintenance.tokens", Self.expired("tokens", "expires_at < now() - interval '1 day'")),
            (
                "maintenance.erasures",
                Self.expired(
                    "erased_identities",
                    "erased_at < now() - interval '\(AccountStore.erasureMemory.components.seconds) seconds'")
            ),
        ]
        return try await repeatEach(statements)
    }

    /// Runs each statement until it finds nothing more. Returns how many rows they wrote in all.
    func repeatEach(_ statements: [(name: String, statement: SQLFragment)]) async throws -> Int {
        var total = 0
        for (name, statement) in statements {
            while true {
                try Task.checkCancellation()
                let count = try await database.rows(as: .system, name, statement).affected
                total += count
                if count == 0 { break }
            }
        }
        return total
    }

    private static func expired(_ table: String, _ condition: String) -> SQLFragment {
        """
        DELETE FROM \(raw: table) WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM \(raw: table) WHERE \(raw: condition) LIMIT \(portion)))
        """
    }
}
