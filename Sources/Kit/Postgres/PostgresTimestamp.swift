/// An instant as the server keeps it: whole microseconds. `infinity` and `-infinity` are the extremes of `Int64`; what the
/// server can write and this cannot, the last 30 years before 294277, is `infinity`.
public struct PostgresTimestamp: PostgresCodable, Hashable, Comparable {
    /// Between 1970-01-01 and PostgreSQL's epoch, 2000-01-01.
    static let epochOffset: Int64 = 946_684_800_000_000

    public var microsecondsSince1970: Int64
    public init(microsecondsSince1970: Int64) { self.microsecondsSince1970 = microsecondsSince1970 }

    public static let infinity = PostgresTimestamp(microsecondsSince1970: .max)
    public static let minusInfinity = PostgresTimestamp(microsecondsSince1970: .min)

    public static func < (left: Self, right: Self) -> Bool { left.microsecondsSince1970 < right.microsecondsSince1970 }

    public static var postgresType: PostgresType { .timestamptz }

    public func encode(into bytes: inout [UInt8]) {
        switch microsecondsSince1970 {
        case .max, .min: bytes.append(bigEndian: microsecondsSince1970)
        case let value: bytes.append(bigEndian: value.subtractingClamped(Self.epochOffset))
        }
    }

    /// A `timestamp` without time zone is read as UTC.
    public init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let value = try cell.require(.timestamptz, .timestamp, count: 8, as: "PostgresTimestamp").bigEndian(Int64.self)
        self.init(microsecondsSince1970: value == .min ? value : value.addingClamped(Self.epochOffset))
    }
}

extension Int64 {
    fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
        let (value, overflow) = subtractingReportingOverflow(other)
        return overflow ? .min : value
    }

    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (value, overflow) = addingReportingOverflow(other)
        return overflow ? .max : value
    }
}

/// A day of the proleptic Gregorian calendar.
public struct PostgresDate: PostgresCodable, Hashable, Comparable {
    /// Between 1970-01-01 and PostgreSQL's epoch, 2000-01-01.
    static let epochOffset = 10_957

    public var daysSince1970: Int
    public init(daysSince1970: Int) { self.daysSince1970 = daysSince1970 }

    public static func < (left: Self, right: Self) -> Bool { left.daysSince1970 < right.daysSince1970 }

    public static var postgresType: PostgresType { .date }

    public func encode(into bytes: inout [UInt8]) {
        bytes.append(bigEndian: Int32(clamping: daysSince1970 - Self.epochOffset))
    }

    public init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let days = try cell.require(.date, count: 4, as: "PostgresDate").bigEndian(Int32.self)
        self.init(daysSince1970: Int(days) + Self.epochOffset)
    }
}

extension PostgresDate {
    /// Days are counted from a March 1st, so that the leap day ends a year (H. Hinnant, "chrono-compatible low-level
    /// date algorithms", days_from_civil). Days past the end of a month run on into the next one.
    public init(year: Int, month: Int, day: Int) {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.init(daysSince1970: era * 146_097 + dayOfEra - 719_468)
    }

    public var civil: (year: Int, month: Int, day: Int) {
        let days = daysSince1970 + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
