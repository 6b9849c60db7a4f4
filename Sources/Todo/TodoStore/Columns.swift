internal import FoundationEssentials
internal import Postgres
internal import TodoModel

/// A time of day as the server keeps it: microseconds since midnight.
struct PostgresTime: PostgresCodable {
    let time: TimeOfDay

    static var postgresType: PostgresType { PostgresType(rawValue: 1083) }

    init(_ time: TimeOfDay) { self.time = time }

    func encode(into bytes: inout [UInt8]) {
        withUnsafeBytes(of: (Int64(time.minutes) * 60_000_000).bigEndian) { bytes.append(contentsOf: $0) }
    }

    init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.require(Self.postgresType, count: 8, as: "TimeOfDay")
        let microseconds = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        guard let time = TimeOfDay(minutes: Int(microseconds / 60_000_000)) else {
            throw PostgresCell.Mismatch(expected: "TimeOfDay", reason: "24:00 is not on the clock")
        }
        self.time = time
    }
}

extension Instant {
    var timestamp: PostgresTimestamp { PostgresTimestamp(microsecondsSince1970: microsecondsSince1970) }

    init(_ timestamp: PostgresTimestamp) { self.init(microsecondsSince1970: timestamp.microsecondsSince1970) }
}

extension CivilDate {
    var column: PostgresDate { PostgresDate(daysSince1970: daysSince1970) }

    init(_ date: PostgresDate) { self.init(daysSince1970: date.daysSince1970) }
}

/// One column after another, from the left.
struct ColumnReader {
    let row: PostgresRow
    private(set) var place = 0

    init(_ row: PostgresRow) { self.row = row }

    mutating func next<Value: PostgresDecodable>(_ type: Value.Type = Value.self) throws(PostgresError) -> Value {
        defer { place += 1 }
        return try row.decode(type, at: place)
    }

    mutating func skip(_ count: Int) { place += count }

    mutating func instant() throws(PostgresError) -> Instant { Instant(try next(PostgresTimestamp.self)) }
    mutating func instantIfAny() throws(PostgresError) -> Instant? {
        try next(PostgresTimestamp?.self).map { Instant($0) }
    }
}

extension ColumnReader {
    /// Minutes after midnight.
    mutating func timeOfDay() throws(PostgresError) -> TimeOfDay? {
        try next(Int?.self).flatMap { TimeOfDay(minutes: $0) }
    }

    /// Columns `quiet_from`, `quiet_to`, `quiet_zone`, `quiet_policy`.
    mutating func quietHours() throws(PostgresError) -> QuietHours? {
        let (from, to) = (try timeOfDay(), try timeOfDay())
        let (zone, policy) = (try next(String?.self), try next(String?.self))
        guard let from, let to else { return nil }
        return QuietHours(
            from: from, to: to, zone: zone, policy: policy.flatMap { QuietHours.Policy(rawValue: $0) } ?? .deliverAfter)
    }
}

extension TodoTask {
    /// In the order in which `init(columns:)` reads them.
    static let columnNames = [
        "user_id", "id", "project_id", "parent_id", "title", "description", "status", "priority", "due_date",
        "due_time", "due_zone", "start_date", "estimate_minutes", "tags", "position", "created_at", "updated_at",
        "completed_at", "deleted_at", "version", "seq", "series_id", "occurrence", "recurrence",
    ]

    /// Those columns of `row`: an alias, or a value of the row's type in brackets.
    static func columns(of row: String) -> String {
        columnNames.map { "\(row).\($0)" }.joined(separator: ", ")
    }

    init(columns: inout ColumnReader) throws(PostgresError) {
        let (user, id, project) = (
            try columns.next(UUID.self), try columns.next(UUID.self), try columns.next(UUID.self)
        )
        let parent = try columns.next(UUID?.self)
        let (title, description) = (try columns.next(String.self), try columns.next(String.self))
        let status = Status(rawValue: try columns.next(String.self))
        let priority = Priority(rawValue: try columns.next(Int.self))
        guard let status, let priority else {
            throw .misuse("a task has a status or priority that this release does not know")
        }
        let date = try columns.next(PostgresDate?.self)
        let time = try columns.next(PostgresTime?.self)
        let zone = try columns.next(String?.self)
        self.init(
            user: user, id: id, project: project, parent: parent, title: title, description: description,
            status: status, priority: priority,
            due: date.map { Due(date: CivilDate($0), time: time?.time, zone: zone) },
            start: try columns.next(PostgresDate?.self).map { CivilDate($0) }, estimate: try columns.next(Int?.self),
            tags: try columns.next([String].self), position: try columns.next(String.self),
            created: try columns.instant(), updated: try columns.instant(), completed: try columns.instantIfAny(),
            deleted: try columns.instantIfAny(), version: try columns.next(Int.self), seq: try columns.next(Int.self),
            recurrence: try Series(columns: &columns))
    }

    init(_ row: PostgresRow) throws(PostgresError) {
        var columns = ColumnReader(row)
        try self.init(columns: &columns)
    }
}

extension Project {
    /// In the order in which `init(columns:)` reads them; the role of `actor` comes after them.
    static let columnNames = [
        "user_id", "id", "name", "color", "position", "is_inbox", "is_archived", "created_at", "updated_at",
        "deleted_at", "version", "seq",
    ]

    /// Those columns of `row`: an alias, or a value of the row's type in brackets.
    static func columns(of row: String, for actor: UUID) -> SQLFragment {
        """
        \(raw: columnNames.map { "\(row).\($0)" }.joined(separator: ", ")),
        CASE WHEN \(raw: row).user_id = \(actor) THEN 'owner'
            WHEN \(actor) = ANY (\(raw: row).editors) THEN 'editor' ELSE 'viewer' END
        """
    }

    init(columns: inout ColumnReader) throws(PostgresError) {
        self.init(
            user: try columns.next(), id: try columns.next(), name: try columns.next(), color: try columns.next(),
            position: try columns.next(), isInbox: try columns.next(), isArchived: try columns.next(),
            created: try columns.instant(), updated: try columns.instant(), deleted: try columns.instantIfAny(),
            version: try columns.next(), seq: try columns.next())
        role = Role(rawValue: try columns.next(String.self)) ?? .viewer
    }

    init(_ row: PostgresRow) throws(PostgresError) {
        var columns = ColumnReader(row)
        try self.init(columns: &columns)
    }
}

extension SavedFilter {
    static let columnNames = [
        "user_id", "id", "name", "query", "color", "position", "created_at", "updated_at", "deleted_at", "version",
        "seq",
    ]

    init(columns: inout ColumnReader) throws(PostgresError) {
        self.init(
            user: try columns.next(), id: try columns.next(), name: try columns.next(), query: try columns.next(),
            color: try columns.next(), position: try columns.next(), created: try columns.instant(),
            updated: try columns.instant(), deleted: try columns.instantIfAny(), version: try columns.next(),
            seq: try columns.next())
    }
}

extension SQLFragment {
    /// Whose rows a person may see some of: their own, and those of the owners who share a project with them.
    static func owners(for actor: UUID) -> SQLFragment {
        """
        (ARRAY(SELECT \(actor)::uuid UNION ALL SELECT m.owner_id FROM project_members m WHERE m.member_id = \(actor)))
        """
    }

    /// Whether a person sees the project in `row`.
    static func sees(_ actor: UUID, _ row: String) -> SQLFragment {
        """
        (\(raw: row).user_id = \(actor) OR \(actor) = ANY (\(raw: row).editors) OR \(actor) = ANY (\(raw: row).viewers))
        """
    }

    /// Whether `row` is at none of the versions; false for nil, which stands for any.
    static func isOther(_ row: String, than versions: [Int]?) -> SQLFragment {
        versions.map { "\(raw: row).version <> ALL (\($0))" } ?? "false"
    }

    /// Whether a person may change what is in the project in `row`.
    static func mayWrite(_ actor: UUID, _ row: String) -> SQLFragment {
        "(\(raw: row).user_id = \(actor) OR \(actor) = ANY (\(raw: row).editors))"
    }
}
