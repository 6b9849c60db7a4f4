public import FoundationEssentials
internal import Postgres
public import TodoModel

/// Where a task shall go.
public struct TaskMove: Sendable, Hashable {
    /// Where among its siblings.
    public enum Place: Sendable, Hashable {
        case end
        /// Behind a sibling; nil: at the very beginning.
        case after(UUID?)
        /// In front of a sibling; nil: at the very end.
        case before(UUID?)
    }

    /// Nil: the one it is in, or its new parent's.
    public var project: UUID?
    /// The outer nil leaves it where it is.
    public var parent: UUID??
    public var place: Place

    public init(project: UUID? = nil, parent: UUID?? = nil, place: Place = .end) {
        self.project = project
        self.parent = parent
        self.place = place
    }
}

extension TaskStore {
    /// Moves a task, in two round trips: the first finds a position between the neighbours. Of two tasks that are put
    /// into one gap at once both get there, in the order of their ids.
    public func move(
        _ id: UUID, _ move: TaskMove, ifVersion versions: [Int]? = nil, by operation: TodoOperation
    ) async throws -> TodoTask {
        let patch = try await patch(id, move, for: operation.actor)
        return try await update(id, patch, ifVersion: versions, by: operation)
    }

    /// The change that a move is. Throws `invalid` when the neighbour is not where the task shall go.
    func patch(_ id: UUID, _ move: TaskMove, for actor: UUID) async throws -> TodoTask.Patch {
        var patch = TodoTask.Patch()
        patch.project = move.project
        patch.parent = move.parent
        switch move.place {
        case .end, .before(nil): patch.position = try await endPosition(of: id, move, actor)
        case .after(let neighbour): patch.position = try await position(of: id, move, beside: neighbour, true, actor)
        case .before(let neighbour): patch.position = try await position(of: id, move, beside: neighbour, false, actor)
        }
        return patch
    }

    private func position(
        of id: UUID, _ move: TaskMove, beside neighbour: UUID?, _ isAfter: Bool, _ actor: UUID
    ) async throws -> String {
        let statement: SQLFragment = """
            WITH \(Self.destination(of: id, move, actor)),
            siblings AS (
                SELECT t.id, t.position FROM tasks t JOIN destination d ON t.user_id = d.user_id
                    AND t.project_id = d.project_id AND t.parent_id IS NOT DISTINCT FROM d.parent_id AND t.id <> d.id
                WHERE t.deleted_at IS NULL),
            neighbour AS (SELECT position FROM siblings WHERE id = \(neighbour))
            SELECT (SELECT position FROM neighbour), CASE WHEN \(isAfter)
                THEN (SELECT min(position) FROM siblings
                    WHERE \(neighbour == nil) OR position > (SELECT position FROM neighbour))
                ELSE (SELECT max(position) FROM siblings WHERE position < (SELECT position FROM neighbour)) END
            FROM mover
            """
        guard let row = try await database.rows(as: .user(actor), "task.neighbours", statement).first else {
            throw StoreError.notFound
        }
        let (beside, beyond) = try row.decode(String?.self, String?.self)
        guard neighbour == nil || beside != nil else {
            throw StoreError.invalid(isAfter ? "after" : "before", "there is no such task in that place")
        }
        let (low, high) = isAfter ? (beside, beyond) : (beyond, beside)
        guard let high else { return FractionalIndex.end(at: .now(), behind: low) }
        return FractionalIndex.between(low, high) ?? FractionalIndex.end(at: .now())
    }

    /// Reads the last one only, from an index, however many siblings there are.
    private func endPosition(of id: UUID, _ move: TaskMove, _ actor: UUID) async throws -> String {
        let statement: SQLFragment = """
            WITH \(Self.destination(of: id, move, actor))
            SELECT (
                SELECT t.position FROM tasks t
                WHERE t.user_id = d.user_id AND t.project_id = d.project_id AND t.parent_id IS NOT DISTINCT FROM d.parent_id
                    AND t.id <> d.id AND t.deleted_at IS NULL
                ORDER BY t.position DESC LIMIT 1)
            FROM destination d
            """
        let reader = Identity.user(actor).readingInOrder(true)
        guard let row = try await database.rows(as: reader, "task.last", statement).first else {
            throw StoreError.notFound
        }
        return FractionalIndex.end(at: .now(), behind: try row.decode(String?.self, at: 0))
    }

    /// `mover`, and `destination`: in which project and under which task its siblings to be are.
    private static func destination(of id: UUID, _ move: TaskMove, _ actor: UUID) -> SQLFragment {
        let parent = move.parent ?? nil
        return """
            mover AS (
                SELECT t.user_id, t.id, t.project_id, t.parent_id FROM tasks t
                WHERE t.user_id = ANY (\(.owners(for: actor))) AND t.id = \(id)),
            destination AS (
                SELECT m.user_id, m.id, COALESCE(\(move.project), q.project_id, m.project_id) AS project_id, CASE
                    WHEN \(move.parent != nil) THEN \(parent)::uuid
                    WHEN COALESCE(\(move.project), m.project_id) = m.project_id THEN m.parent_id END AS parent_id
                FROM mover m LEFT JOIN tasks q ON q.user_id = m.user_id AND q.id = \(parent))
            """
    }
}
