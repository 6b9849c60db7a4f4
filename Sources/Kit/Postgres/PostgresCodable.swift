/// A value that can be a parameter. It is sent in PostgreSQL's binary form.
public protocol PostgresEncodable: Sendable {
    /// The type that the parameter is declared as.
    static var postgresType: PostgresType { get }
    /// Appends the binary form.
    func encode(into bytes: inout [UInt8])
    /// NULL is sent instead of the bytes.
    var isPostgresNull: Bool { get }
}

extension PostgresEncodable {
    public var isPostgresNull: Bool { false }
}

/// A value that can be read from a column, in PostgreSQL's binary form.
public protocol PostgresDecodable: Sendable {
    /// Throws when the cell is NULL or of a type that does not fit.
    init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch)
}

/// A value that is both.
public typealias PostgresCodable = PostgresEncodable & PostgresDecodable

/// One column of one row, while it is being decoded.
public struct PostgresCell {
    public let type: PostgresType
    /// Nil for NULL. Valid only during the call that got the cell.
    public let bytes: UnsafeRawBufferPointer?

    public init(type: PostgresType, bytes: UnsafeRawBufferPointer?) {
        self.type = type
        self.bytes = bytes
    }

    /// Why a cell is not the value that was asked for; says nothing of the value.
    public struct Mismatch: Error {
        let expected: String
        let reason: String

        public init(expected: String, reason: String) {
            self.expected = expected
            self.reason = reason
        }
    }

    /// The bytes of a cell that must be of one of `types`, and `count` bytes long when given.
    public func require(
        _ types: PostgresType..., count: Int? = nil, as expected: String
    ) throws(Mismatch) -> UnsafeRawBufferPointer {
        guard let bytes else { throw Mismatch(expected: expected, reason: "it is NULL") }
        guard types.contains(type) else { throw Mismatch(expected: expected, reason: "the types do not fit") }
        if let count, bytes.count != count {
            throw Mismatch(expected: expected, reason: "\(bytes.count) bytes where \(count) are due")
        }
        return bytes
    }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    public static var postgresType: PostgresType { Wrapped.postgresType }
    public func encode(into bytes: inout [UInt8]) { self?.encode(into: &bytes) }
    public var isPostgresNull: Bool { self?.isPostgresNull ?? true }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    public init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch) {
        self = cell.bytes == nil ? nil : try Wrapped(postgres: cell)
    }
}

extension UnsafeRawBufferPointer {
    func bigEndian<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int = 0) -> Value {
        Value(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
