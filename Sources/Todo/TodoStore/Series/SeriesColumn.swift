internal import FoundationEssentials
internal import Postgres
internal import StructuredData
internal import TodoModel

/// A series as the column `recurrence` keeps it, beside `series_id` and `occurrence`.
extension Series {
    var column: PostgresJSON {
        var json = self.json
        json["series"] = JSON?.none
        json["occurrence"] = JSON?.none
        json["start"] = start.json
        json["exdates"] = .array(exdates.map { .string($0.text) })
        json["number"] = JSON(number)
        return PostgresJSON(bytes: json.encoded())
    }

    /// Reads the three columns; nil when they are NULL.
    init?(columns: inout ColumnReader) throws(PostgresError) {
        let id = try columns.next(UUID?.self)
        let occurrence = try columns.next(String?.self)
        let column = try columns.next(PostgresJSON?.self)
        guard let id, let occurrence, let column else { return nil }
        guard let json = try? JSON(parsing: column.bytes), let series = Series(id, occurrence, json) else {
            throw .misuse("a task has a recurrence that this release cannot read")
        }
        self = series
    }

    private init?(_ id: UUID, _ occurrence: String, _ json: JSON) {
        guard let rule = json["rule"]?.string.flatMap({ try? RecurrenceRule($0) }),
            let basis = json["basis"]?.string.flatMap({ Basis(rawValue: $0) }),
            let overdue = json["overdue"]?.string.flatMap({ Overdue(rawValue: $0) }),
            let overdueLimit = json["overdueLimit"]?.int, let number = json["number"]?.int,
            let date = json.at("start", "date")?.string.flatMap({ CivilDate($0) }),
            let wall = LocalDateTime(occurrence) ?? CivilDate(occurrence).map({ LocalDateTime(date: $0) })
        else { return nil }
        let time = json.at("start", "time")?.string.flatMap { TimeOfDay($0) }
        self.init(
            id: id, rule: rule, basis: basis, overdue: overdue, overdueLimit: overdueLimit,
            start: Due(date: date, time: time, zone: json.at("start", "zone")?.string),
            exdates: (json["exdates"]?.array ?? []).compactMap { $0.string.flatMap { LocalDateTime($0) } },
            number: number, occurrence: wall)
    }
}
