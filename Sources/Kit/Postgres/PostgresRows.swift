internal import CPostgres

/// The rows that a statement returned; all in memory.
public struct PostgresRows: Sendable, RandomAccessCollection {
    let result: ResultHandle
    public let endIndex: Int

    init(_ result: ResultHandle) {
        self.result = result
        endIndex = Int(PQntuples(result.pointer))
    }

    public var startIndex: Int { 0 }
    public subscript(position: Int) -> PostgresRow { PostgresRow(result: result, index: Int32(position)) }

    /// What the statement did: `INSERT 0 1`, `SELECT 5`.
    public var commandTag: String { String(cString: PQcmdStatus(result.pointer)) }

    /// How many rows the statement changed or returned.
    public var affected: Int { Int(String(cString: PQcmdTuples(result.pointer))) ?? 0 }

    public var columns: [String] {
        (0..<PQnfields(result.pointer)).map { String(cString: PQfname(result.pointer, $0)) }
    }
}

/// One row. It keeps the memory of the whole result alive.
public struct PostgresRow: Sendable {
    let result: ResultHandle
    let index: Int32

    /// The columns from the left, one for each type: `let (id, title) = try row.decode(UUID.self, String.self)`.
    /// Throws `PostgresError.decoding` when a column does not fit, `.misuse` when there are fewer columns than types.
    public func decode<each Column: PostgresDecodable>(
        _ types: repeat (each Column).Type
    ) throws(PostgresError) -> (repeat each Column) {
        var column: Int32 = 0
        func next<Value: PostgresDecodable>(_ type: Value.Type) throws(PostgresError) -> Value {
            defer { column += 1 }
            return try decode(type, column: column)
        }
        return (repeat try next((each Column).self))
    }

    /// The column called `name`.
    public func decode<Value: PostgresDecodable>(_ name: String, as type: Value.Type = Value.self) throws(PostgresError)
        -> Value
    {
        let column = PQfnumber(result.pointer, PostgresQuery.quoted(identifier: name))
        guard column >= 0 else { throw .misuse("the result has no column \(name)") }
        return try decode(type, column: column)
    }

    /// The column at `place`, counted from 0.
    public func decode<Value: PostgresDecodable>(_ type: Value.Type = Value.self, at place: Int) throws(PostgresError)
        -> Value
    {
        guard let column = Int32(exactly: place), column >= 0 else { throw .misuse("there is no column \(place)") }
        return try decode(type, column: column)
    }

    /// The column at `place`, counted from 0, in PostgreSQL's binary form, nil for NULL: for who turns rows into something
    /// else than values. It lasts as long as the row. Throws when the column is of another type.
    public func bytes(at place: Int, as type: PostgresType) throws(PostgresError) -> UnsafeRawBufferPointer? {
        let (pointer, column) = (result.pointer, Int32(truncatingIfNeeded: place))
        guard PQftype(pointer, column) == type.rawValue, PQfformat(pointer, column) == 1 else {
            throw .misuse("column \(place + 1) of the result is not the \(type) that was asked for, or not there")
        }
        guard PQgetisnull(pointer, index, column) == 0 else { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(pointer, index, column), count: Int(PQgetlength(pointer, index, column)))
    }

    func decode<Value: PostgresDecodable>(_ type: Value.Type, column: Int32) throws(PostgresError) -> Value {
        let pointer = result.pointer
        guard column < PQnfields(pointer) else {
            throw .misuse("column \(column + 1) asked for, but the result has \(PQnfields(pointer))")
        }
        let cellType = PostgresType(rawValue: PQftype(pointer, column))
        var bytes: UnsafeRawBufferPointer?
        if PQgetisnull(pointer, index, column) == 0 {
            let length = Int(PQgetlength(pointer, index, column))
            bytes = UnsafeRawBufferPointer(start: PQgetvalue(pointer, index, column), count: length)
        }
        do throws(PostgresCell.Mismatch) {
            guard PQfformat(pointer, column) == 1 || bytes == nil else {
                throw PostgresCell.Mismatch(expected: "\(type)", reason: "it came as text")
            }
            return try Value(postgres: PostgresCell(type: cellType, bytes: bytes))
        } catch {
            let name = String(cString: PQfname(pointer, column))
            throw .decoding(.init(column: name, expected: error.expected, found: "\(cellType)", reason: error.reason))
        }
    }
}

/// Owns a `PGresult`.
final class ResultHandle: @unchecked Sendable {  // a PGresult does not change once libpq has handed it out
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { self.pointer = pointer }
    deinit { PQclear(pointer) }

    var status: ExecStatusType { PQresultStatus(pointer) }

    var beginsCopy: Bool {
        let status = status
        return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH
    }

    /// The error that the result stands for, or nil when it is a success.
    func error(in statement: StatementLabel) -> PostgresError? {
        guard status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE else { return nil }
        func field(_ code: Character) -> String? {
            PQresultErrorField(pointer, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        guard let sqlState = field("C") else {
            let message = String(cString: PQresultErrorMessage(pointer)).onOneLine()
            return .connectionLost(message, statement: statement.description)
        }
        return .server(
            .init(
                sqlState: sqlState,
                severity: field("V") ?? field("S") ?? "ERROR",
                message: PostgresError.ServerError.redactedMessage(field("M") ?? "", sqlState: sqlState),
                detail: PostgresError.ServerError.redactedDetail(field("D"), sqlState: sqlState),
                hint: field("H"), schema: field("s"), table: field("t"), column: field("c"),
                constraint: field("n"), statement: statement.description))
    }
}
