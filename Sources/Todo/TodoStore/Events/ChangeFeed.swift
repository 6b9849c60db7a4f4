public import FoundationEssentials
internal import Postgres
public import StructuredData

/// How far somebody has followed the streams that they see, one for each owner.
public struct ChangeCursor: Sendable, Hashable, CustomStringConvertible {
    /// The person's own stream comes first.
    public var positions: [(owner: UUID, seq: Int)]

    /// The beginning of everything.
    public init() { positions = [] }
    init(_ positions: [(owner: UUID, seq: Int)]) { self.positions = positions }

    /// `OWNER:SEQ,OWNER:SEQ`. Nil when the text is anything else.
    public init?(_ text: String) {
        positions = []
        guard text.utf8.count <= Self.lengthLimit else { return nil }
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = entry.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let owner = UUID(uuidString: String(parts[0])), let seq = Int(parts[1]), seq >= 0
            else { return nil }
            positions.append((owner, seq))
        }
    }

    private static let lengthLimit = 60_000

    public var description: String {
        positions.map { "\($0.owner.uuidString.lowercased()):\($0.seq)" }.joined(separator: ",")
    }

    /// Whether a stream that somebody sees now is not named here, or was followed less far.
    public func isBehind(_ present: ChangeCursor) -> Bool {
        let known = Dictionary(positions.map { ($0.owner, $0.seq) }, uniquingKeysWith: max)
        return present.positions.contains { $0.seq > known[$0.owner] ?? -1 }
    }

    public static func == (left: Self, right: Self) -> Bool { left.description == right.description }
    public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}

/// What changed, for a person who was away: everything that they see, in the order of each owner's change numbers.
public struct ChangeFeed: Sendable {
    let database: TodoDatabase

    public struct Change: Sendable {
        /// `task`, `project` or `filter`.
        public let type: String
        /// Whose stream it belongs to.
        public let user: UUID
        public let seq: Int
        public let id: UUID
        /// It is gone, or in the bin, or no longer shared.
        public let isDeleted: Bool
        /// In the form of the API; nil when there is nothing left of it.
        public let body: JSON?
    }

    public struct Page: Sendable {
        public let changes: [Change]
        /// Where the page after begins.
        public let next: ChangeCursor
        /// Whether there is one right now.
        public let hasMore: Bool
    }

    /// The most that a page weighs in JSON, unless it is of one change.
    private static let mostBytes = 2 << 20
    /// So much text is read for a page: in JSON it takes as much again or, of control characters, six times as much.
    private static let mostText = 1 << 20

    /// At most `limit` changes after `cursor`, fewer where they are large. Streams that it does not name are read from
    /// their beginning.
    ///
    /// Throws `cursorAhead` when one of them ends before its position: what comes next would have numbers that the caller
    /// takes for known.
    public func page(after cursor: ChangeCursor, limit: Int, for actor: UUID) async throws -> Page {
        var positions: [(owner: UUID, seq: Int, end: Int)] = []
        var changes: [Change] = []
        var (unread, bytes) = (UUID?.none, 0)
        let statement = Self.statement(after: cursor, limit: limit, for: actor)
        for row in try await database.rows(as: .user(actor), "changes", statement) {
            let (type, owner, seq, start, id, isDeleted, body, role, following) = try row.decode(
                String?.self, UUID.self, Int.self, Int.self, UUID?.self, Bool?.self, PostgresJSON?.self, String?.self,
                UUID?.self)
            guard let type, let id else {
                guard start <= seq else { throw StoreError.cursorAhead }
                positions.append((owner, start, seq))
                continue
            }
            bytes += body?.bytes.count ?? 0
            if bytes > Self.mostBytes, !changes.isEmpty {
                unread = owner
                break
            }
            var json = try body.map { try JSON(parsing: $0.bytes) }
            if let role { json?["role"] = .string(role) }
            changes.append(
                Change(type: type, user: owner, seq: seq, id: id, isDeleted: isDeleted ?? false, body: json))
            unread = following
        }
        return Self.page(changes, positions, unread: unread, for: actor)
    }

    /// The streams that the person sees, then the changes of a page, each with whose change comes after it. The bodies are
    /// made last, of those only.
    private static func statement(after cursor: ChangeCursor, limit: Int, for actor: UUID) -> SQLFragment {
        let (owners, seqs) = (cursor.positions.map(\.owner), cursor.positions.map(\.seq))
        return """
            WITH seen AS (
                SELECT \(actor)::uuid AS owner UNION SELECT m.owner_id FROM project_members m WHERE m.member_id = \(actor)),
            starts AS MATERIALIZED (
                SELECT seen.owner, COALESCE(max(c.seq), 0) AS seq, seen.owner = \(actor) AS is_own FROM seen
                LEFT JOIN unnest(\(owners), \(seqs)) AS c (owner, seq) ON c.owner = seen.owner GROUP BY seen.owner),
            found AS (
                SELECT c.*, s.owner, s.is_own FROM starts s
                CROSS JOIN LATERAL (\(streams(for: actor, limit: limit + 1))) c
                ORDER BY NOT s.is_own, s.owner, c.seq LIMIT \(limit + 1)),
            weighed AS (
                SELECT f.*, row_number() OVER way AS place, sum(f.size) OVER way - f.size AS before,
                    lead(f.owner) OVER way AS following
                FROM found f WINDOW way AS (ORDER BY NOT f.is_own, f.owner, f.seq, f.id ROWS UNBOUNDED PRECEDING))
            SELECT NULL, s.owner, st.seq, s.seq, NULL::uuid, NULL::boolean, NULL::json, NULL::text, NULL::uuid
            FROM starts s JOIN streams st ON st.user_id = s.owner
            UNION ALL
            SELECT * FROM (
                SELECT w.kind, w.owner, w.seq, 0::bigint, w.id, w.is_deleted, \(body), w.role, w.following FROM weighed w
                WHERE w.place <= \(limit) AND w.before < \(mostText) ORDER BY w.place) changes
            """
    }

    /// Where the streams that a person sees are now: for who reads the lists themselves and then follows.
    public func present(for actor: UUID) async throws -> ChangeCursor {
        let statement: SQLFragment = """
            SELECT st.user_id, st.seq FROM streams st
            WHERE st.user_id = \(actor) OR st.user_id IN (SELECT m.owner_id FROM project_members m WHERE m.member_id = \(actor))
            """
        let positions = try await database.rows(as: .user(actor), "present", statement).map { row in
            let (owner, seq) = try row.decode(UUID.self, Int.self)
            return (owner: owner, seq: seq)
        }
        return ChangeCursor(positions.sorted { Self.comesBefore($0.owner, $1.owner, for: actor) })
    }

    /// The same for many people in one look.
    public func present(for people: Set<UUID>) async throws -> [UUID: ChangeCursor] {
        let ids = Array(people)
        let statement: SQLFragment = """
            SELECT st.user_id, st.user_id, st.seq FROM streams st WHERE st.user_id = ANY (\(ids))
            UNION
            SELECT m.member_id, st.user_id, st.seq FROM project_members m JOIN streams st ON st.user_id = m.owner_id
            WHERE m.member_id = ANY (\(ids))
            """
        var cursors: [UUID: ChangeCursor] = [:]
        for row in try await database.rows(as: .system, "present.many", statement) {
            let (user, owner, seq) = try row.decode(UUID.self, UUID.self, Int.self)
            cursors[user, default: ChangeCursor()].positions.append((owner, seq))
        }
        return cursors
    }

    /// The person's own stream comes first.
    private static func comesBefore(_ left: UUID, _ right: UUID, for actor: UUID) -> Bool {
        if left == actor || right == actor { return left == actor && right != actor }
        return left.uuidString < right.uuidString
    }

    /// A stream that was read to its end is left at its end, which may be beyond the last change that the person sees.
    ///
    /// - Parameter unread: whose change would come next; nil when there is none.
    private static func page(
        _ changes: [Change], _ positions: [(owner: UUID, seq: Int, end: Int)], unread: UUID?, for actor: UUID
    ) -> Page {
        let next = positions.sorted { comesBefore($0.owner, $1.owner, for: actor) }.map { position in
            let isRead = unread.map { comesBefore(position.owner, $0, for: actor) } ?? true
            let last = changes.last { $0.user == position.owner }?.seq ?? position.seq
            return (owner: position.owner, seq: isRead ? position.end : last)
        }
        return Page(changes: changes, next: ChangeCursor(next), hasMore: unread != nil)
    }
}

extension ChangeFeed {
    /// The changes of the stream `s`, and about how much text each holds, which is known without reading it.
    private static func streams(for actor: UUID, limit: Int) -> SQLFragment {
        let isShared: SQLFragment = """
            (s.is_own OR EXISTS (
                SELECT FROM project_members m WHERE m.member_id = \(actor) AND m.owner_id = s.owner AND m.project_id =
            """
        return """
            (SELECT 'task' AS kind, t.seq, t.id, t.deleted_at IS NOT NULL AS is_deleted, false AS is_gone, NULL AS role,
                700 + octet_length(t.title) + octet_length(t.description) + pg_column_size(t.tags)
                    + COALESCE(pg_column_size(t.recurrence), 0) AS size
            FROM tasks t WHERE t.user_id = s.owner AND t.seq > s.seq AND \(isShared) t.project_id))
            ORDER BY t.seq LIMIT \(limit))
            UNION ALL
            (SELECT 'project', p.seq, p.id, p.deleted_at IS NOT NULL, false, CASE
                WHEN s.is_own THEN 'owner' WHEN \(actor) = ANY (p.editors) THEN 'editor' ELSE 'viewer' END,
                500 + octet_length(p.name)
            FROM projects p WHERE p.user_id = s.owner AND p.seq > s.seq AND \(isShared) p.id))
            ORDER BY p.seq LIMIT \(limit))
            UNION ALL
            (SELECT 'filter', f.seq, f.id, f.deleted_at IS NOT NULL, false, NULL, 500 + octet_length(f.query)
            FROM filters f WHERE s.is_own AND f.user_id = s.owner AND f.seq > s.seq
            ORDER BY f.seq LIMIT \(limit))
            UNION ALL
            (SELECT b.kind, b.seq, b.id, true, true, NULL, 100 FROM tombstones b
            WHERE b.user_id = s.owner AND b.seq > s.seq AND \(isShared) b.project_id))
                AND NOT (b.is_moved AND (s.is_own OR EXISTS (
                    SELECT FROM tasks t JOIN project_members m ON m.owner_id = t.user_id AND m.project_id = t.project_id
                    WHERE t.user_id = s.owner AND t.id = b.id AND m.member_id = \(actor))))
            ORDER BY b.seq LIMIT \(limit))
            ORDER BY seq LIMIT \(limit)
            """
    }

    /// What the change `w` is about, as it is now.
    private static let body: SQLFragment = """
        CASE WHEN w.is_gone THEN NULL
            WHEN w.kind = 'task' THEN (SELECT task_json(t) FROM tasks t WHERE t.user_id = w.owner AND t.id = w.id)
            WHEN w.kind = 'project'
                THEN (SELECT project_json(p) FROM projects p WHERE p.user_id = w.owner AND p.id = w.id)
            ELSE (SELECT filter_json(f) FROM filters f WHERE f.user_id = w.owner AND f.id = w.id) END
        """
}
