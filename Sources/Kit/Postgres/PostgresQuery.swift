/// A statement and its parameters. Values that are interpolated become parameters, never part of the SQL:
///
///     let query: PostgresQuery = "SELECT title FROM tasks WHERE user_id = \(user) AND id = \(id)"
///     let named = query.named("task.by-id")
public struct PostgresQuery: Sendable {
    /// What errors and traces call the statement; the beginning of its text when it has no name.
    public var name: String?
    public let sql: String
    let parameters: PostgresParameters

    /// `sql` refers to the parameters as `$1`, `$2`, …
    public init(name: String? = nil, _ sql: String, _ parameters: [any PostgresEncodable] = []) {
        self.name = name
        self.sql = sql
        var encoded = PostgresParameters()
        for parameter in parameters { encoded.append(parameter) }
        self.parameters = encoded
    }

    /// The same query under a name.
    public func named(_ name: String) -> PostgresQuery {
        var copy = self
        copy.name = name
        return copy
    }

    var statementKey: StatementCache.Key { StatementCache.Key(sql: sql, types: parameters.types) }

    var label: StatementLabel { StatementLabel(name: name, sql: sql) }
}

/// What errors call a statement: its name or, worked out only when there is an error, the beginning of its text.
struct StatementLabel: Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    private static let length = 60
    let name: String?
    let sql: String

    init(name: String?, sql: String) {
        self.name = name
        self.sql = sql
    }

    init(stringLiteral value: String) { self.init(name: value, sql: "") }

    var description: String {
        if let name { return name }
        let line = sql.onOneLine()
        return line.count <= Self.length ? line : line.prefix(Self.length) + "…"
    }
}

extension PostgresQuery: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) { self.init(value) }

    public init(stringInterpolation: StringInterpolation) {
        name = nil
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
    }

    public struct StringInterpolation: StringInterpolationProtocol, Sendable {
        var sql = ""
        var parameters = PostgresParameters()

        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + interpolationCount * 3)
        }

        public mutating func appendLiteral(_ literal: String) { sql += literal }

        public mutating func appendInterpolation(_ value: some PostgresEncodable) {
            parameters.append(value)
            sql += "$\(parameters.count)"
        }

        /// A name of a table, column or channel, quoted.
        public mutating func appendInterpolation(identifier: String) {
            sql += PostgresQuery.quoted(identifier: identifier)
        }

        /// SQL as it stands. Never pass what came from outside the program.
        public mutating func appendInterpolation(raw: String) { sql += raw }
    }

    /// `"name"`, with its quotes doubled (PostgreSQL documentation, 4.1.1).
    public static func quoted(identifier: String) -> String {
        // Of bytes: a quote and a combining mark behind it are one Character, which is not a quote.
        let parts = identifier.utf8.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
        return "\"" + parts.map { String(Substring($0)) }.joined(separator: "\"\"") + "\""
    }
}

/// The parameters of one statement, in the form in which libpq takes them.
struct PostgresParameters: Sendable {
    private(set) var types: [UInt32] = []
    private var lengths: [Int32] = []
    private var bytes: [UInt8] = []

    var count: Int { types.count }

    mutating func append<Value: PostgresEncodable>(_ value: Value) {
        types.append(Value.postgresType.rawValue)
        guard !value.isPostgresNull else { return lengths.append(-1) }
        let start = bytes.count
        value.encode(into: &bytes)
        lengths.append(Int32(bytes.count - start))
    }

    /// Lends the arrays that `PQsendQueryParams` and `PQsendQueryPrepared` take: count, values, lengths, formats.
    func withPointers<Result>(
        _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Result
    ) -> Result {
        guard count > 0 else { return body(0, nil, nil, nil) }
        return bytes.withUnsafeBytes { bytes in
            // An empty value needs an address that is not NULL.
            let empty: StaticString = ""
            let base = bytes.baseAddress ?? UnsafeRawPointer(empty.utf8Start)
            return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { formats in
                    var offset = 0
                    for index in 0..<count {
                        let length = Int(lengths[index])
                        let value = length < 0 ? nil : (base + offset).assumingMemoryBound(to: CChar.self)
                        values.initializeElement(at: index, to: value)
                        formats.initializeElement(at: index, to: 1)
                        offset += max(0, length)
                    }
                    return body(Int32(count), values.baseAddress, lengths, UnsafePointer(formats.baseAddress))
                }
            }
        }
    }
}
