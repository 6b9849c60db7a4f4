public import FoundationEssentials
public import Postgres
public import TodoModel

/// Workers that sleep until a write concerns them. While one says so, such writes notify `channel`.
public struct SleepStore: Sendable {
    public static let channel = "todo_workers"

    let database: TodoDatabase

    init(database: TodoDatabase) { self.database = database }

    /// - Parameter connection: one that statements run on one by one.
    public init(on connection: PostgresConnection) { database = TodoDatabase(connection: connection) }

    /// What there is to do.
    public struct Outlook: Sendable, Hashable {
        /// Something to be planned, or to be made of what was closed.
        public var hasWork: Bool
        /// The first reminder or digest that is not fired, due or not.
        public var next: Instant?
    }

    /// The writes that may not know that somebody sleeps.
    public struct Unknowing: Sendable, Hashable {
        /// Below the number of every transaction that begins to write later.
        fileprivate let begun: String
    }

    /// Writes notify from now on, for so long; but for some that are under way.
    public func sleep(_ id: UUID, for time: Duration) async throws -> Unknowing {
        let mark: SQLFragment = """
            WITH ended AS (DELETE FROM sleeping_workers w WHERE w.until < now() - interval '1 hour' AND w.id <> \(id))
            INSERT INTO sleeping_workers (id, until)
            VALUES (\(id), clock_timestamp() + \(Int(time / .milliseconds(1))) * interval '1 millisecond')
            ON CONFLICT (id) DO UPDATE SET until = EXCLUDED.until
            """
        _ = try await database.rows(as: .system, "sleep.mark", mark)
        // In a transaction of its own, begun when the mark is seen by all. It takes a number itself: a snapshot's end is only
        // the last that has ended, and those that run may be above it.
        let rows = try await database.rows(as: .system, "sleep.begun", "SELECT pg_current_xact_id()::text")
        guard let row = rows.first else { throw StoreError.notFound }
        return Unknowing(begun: try row.decode(String.self))
    }

    /// What they wrote is to be seen now.
    public func haveEnded(_ writes: Unknowing) async throws -> Bool {
        let rows = try await database.rows(
            as: .system, "sleep.ended",
            "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= \(writes.begun)::text::xid8")
        return try rows.first?.decode(Bool.self) ?? false
    }

    /// Writes need not notify any more.
    public func wake(_ id: UUID) async throws {
        _ = try await database.rows(as: .system, "sleep.over", "DELETE FROM sleeping_workers WHERE id = \(id)")
    }

    public func outlook() async throws -> Outlook {
        let statement: SQLFragment = """
            SELECT EXISTS (SELECT FROM replan) OR EXISTS (SELECT FROM replan_scopes)
                OR NOT EXISTS (SELECT FROM reminder_zones WHERE checked_at > now() - interval '1 day')
                OR EXISTS (SELECT FROM tasks t WHERE t.is_series_head AND t.status <> 'open' AND t.deleted_at IS NULL),
                LEAST(
                    (SELECT min(p.fire_at) FROM planned_reminders p
                    WHERE p.state IN ('pending', 'held') AND p.task_id IS NOT NULL),
                    (SELECT min(p.fire_at) FROM planned_reminders p
                    WHERE p.state IN ('pending', 'held') AND p.task_id IS NULL))
            """
        guard let row = try await database.rows(as: .system, "sleep.outlook", statement).first else {
            throw StoreError.notFound
        }
        let (hasWork, next) = try row.decode(Bool.self, PostgresTimestamp?.self)
        return Outlook(hasWork: hasWork, next: next.map { Instant($0) })
    }

    /// Has all who listen hear `payload`.
    public func call(_ payload: String) async throws {
        _ = try await database.rows(as: .nobody, "sleep.call", "SELECT pg_notify(\(Self.channel), \(payload))")
    }
}
