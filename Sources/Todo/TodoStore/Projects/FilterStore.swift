public import FoundationEssentials
internal import Postgres
public import TodoModel

/// The queries that a person keeps.
public struct FilterStore: Sendable {
    let database: TodoDatabase
    private static let columns = SavedFilter.columnNames.map { "f.\($0)" }.joined(separator: ", ")

    /// All that are not deleted, in order.
    public func all(of user: UUID) async throws -> [SavedFilter] {
        let statement: SQLFragment = """
            SELECT \(raw: Self.columns) FROM filters f WHERE f.user_id = \(user) AND f.deleted_at IS NULL
            ORDER BY f.position, f.id
            """
        return try await database.rows(as: .user(user), "filter.list", statement).map(Self.filter)
    }

    public func get(_ id: UUID, of user: UUID) async throws -> SavedFilter {
        let statement: SQLFragment = """
            SELECT \(raw: Self.columns) FROM filters f
            WHERE f.user_id = \(user) AND f.id = \(id) AND f.deleted_at IS NULL
            """
        guard let row = try await database.rows(as: .user(user), "filter.get", statement).first else {
            throw StoreError.notFound
        }
        return try Self.filter(row)
    }

    public func create(_ draft: SavedFilter.Draft, of user: UUID) async throws -> SavedFilter {
        let statement: SQLFragment = """
            WITH stream AS (UPDATE streams SET seq = seq + 1 WHERE user_id = \(user) RETURNING user_id, seq)
            INSERT INTO filters AS f (user_id, id, name, query, color, position, seq)
            SELECT user_id, \(database.makeID()), \(draft.name), \(draft.query), \(draft.color),
                \(draft.position ?? FractionalIndex.end(at: .now())), seq FROM stream
            RETURNING \(raw: Self.columns)
            """
        let rows = try await database.write(as: .user(user), [statement.query(named: "filter.create")])
        guard let row = rows.first else { throw StoreError.notFound }
        return try Self.filter(row)
    }

    /// - Parameter versions: those at which the change is wanted; nil for any.
    public func update(
        _ id: UUID, _ patch: SavedFilter.Patch, ifVersion versions: [Int]? = nil, of user: UUID
    ) async throws -> SavedFilter {
        try await write(
            id, ifVersion: versions, of: user,
            """
            name = COALESCE(\(patch.name), f.name), query = COALESCE(\(patch.query), f.query),
            position = COALESCE(\(patch.position), f.position), 
            color = CASE WHEN \(patch.color != nil) THEN \(patch.color ?? nil) ELSE f.color END
            """)
    }

    public func delete(_ id: UUID, ifVersion versions: [Int]? = nil, of user: UUID) async throws {
        _ = try await write(id, ifVersion: versions, of: user, "deleted_at = now()")
    }

    private func write(
        _ id: UUID, ifVersion versions: [Int]?, of user: UUID, _ changes: SQLFragment
    ) async throws -> SavedFilter {
        let lock: SQLFragment = "SELECT s.seq FROM streams s WHERE s.user_id = \(user) FOR UPDATE"
        let statement: SQLFragment = """
            WITH checked AS (
                SELECT f AS old, f.version, \(.isOther("f", than: versions)) AS is_other
                FROM filters f WHERE f.user_id = \(user) AND f.id = \(id) AND f.deleted_at IS NULL),
            stream AS (
                UPDATE streams s SET seq = s.seq + 1 FROM checked c WHERE NOT c.is_other AND s.user_id = \(user)
                RETURNING s.seq),
            written AS (
                UPDATE filters f SET \(changes), updated_at = now(), version = f.version + 1, seq = stream.seq
                FROM stream WHERE f.user_id = \(user) AND f.id = \(id) RETURNING f AS filter)
            SELECT r.is_other, r.version, \(raw: SavedFilter.columnNames.map { "(r.filter).\($0)" }.joined(separator: ", "))
            FROM (SELECT c.is_other, c.version, COALESCE(w.filter, c.old) AS filter
                FROM checked c LEFT JOIN written w ON true) r
            """
        let rows = try await database.write(
            as: .user(user), [lock.query(named: "stream.lock"), statement.query(named: "filter.write")])
        guard let row = rows.first else { throw StoreError.notFound }
        var columns = ColumnReader(row)
        let (isOther, version) = (try columns.next(Bool.self), try columns.next(Int.self))
        if isOther { throw StoreError.versionMismatch(current: version) }
        return try SavedFilter(columns: &columns)
    }

    private static func filter(_ row: PostgresRow) throws -> SavedFilter {
        var columns = ColumnReader(row)
        return try SavedFilter(columns: &columns)
    }
}
