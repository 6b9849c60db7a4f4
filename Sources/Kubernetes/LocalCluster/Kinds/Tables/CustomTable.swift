internal import StructuredData

/// Tables of custom resources, by the columns of their definition.
enum CustomTable {
    static func layout(_ columns: [PrinterColumn]) -> TableLayout {
        let definitions = columns.map {
            TableColumn($0.name, type: $0.type, format: $0.format, priority: $0.priority, $0.description)
        }
        return TableLayout(columns: [.name] + definitions) { object, now in
            [object.at("metadata", "name") ?? ""] + columns.map { cell($0, of: object, now: now) }
        }
    }

    /// Null when the path finds nothing, or a value of another type than the column's.
    private static func cell(_ column: PrinterColumn, of object: JSON, now: Int) -> JSON {
        guard let value = column.path.find(in: object).first, !value.isNull else { return .null }
        switch column.type {
        case "integer": return value.int.map { JSON($0) } ?? value.double.flatMap(truncated) ?? .null
        case "number": return value.number.map(JSON.number) ?? .null
        case "boolean": return value.bool.map(JSON.bool) ?? .null
        case "date": return value.string.map { .string(Moment.age(of: $0, now: now)) } ?? .null
        default: return .string(value.string ?? value.text)
        }
    }

    private static func truncated(_ value: Double) -> JSON? {
        Int(exactly: value.rounded(.towardZero)).map { JSON($0) }
    }
}
