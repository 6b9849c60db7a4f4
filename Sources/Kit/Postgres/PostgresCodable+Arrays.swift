public import FoundationEssentials

/// A type whose arrays can be sent and read. `UInt8` is one, too: its array is `bytea`.
public protocol PostgresArrayElement: Sendable {
    static var postgresArrayType: PostgresType { get }
    static func encodeArray(_ elements: [Self], into bytes: inout [UInt8])
    static func decodeArray(_ cell: PostgresCell) throws(PostgresCell.Mismatch) -> [Self]
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    public static var postgresType: PostgresType { Element.postgresArrayType }
    public func encode(into bytes: inout [UInt8]) { Element.encodeArray(self, into: &bytes) }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    public init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch) { self = try Element.decodeArray(cell) }
}

extension UInt8: PostgresArrayElement {
    public static var postgresArrayType: PostgresType { .bytea }
    public static func encodeArray(_ elements: [UInt8], into bytes: inout [UInt8]) {
        bytes.append(contentsOf: elements)
    }
    public static func decodeArray(_ cell: PostgresCell) throws(PostgresCell.Mismatch) -> [UInt8] {
        Array(try cell.require(.bytea, as: "bytes"))
    }
}

/// So that `[[UInt8]]` is `bytea[]`.
extension [UInt8]: PostgresArrayElement { public static var postgresArrayType: PostgresType { .init(rawValue: 1001) } }
extension Bool: PostgresArrayElement { public static var postgresArrayType: PostgresType { .init(rawValue: 1000) } }
extension Int16: PostgresArrayElement { public static var postgresArrayType: PostgresType { .init(rawValue: 1005) } }
extension Int32: PostgresArrayElement { public static var postgresArrayType: PostgresType { .init(rawValue: 1007) } }
extension String: PostgresArrayElement { public static var postgresArrayType: PostgresType { .init(rawValue: 1009) } }
extension Int: PostgresArrayElement { public static var postgresArrayType: PostgresType { .init(rawValue: 1016) } }
extension Int64: PostgresArrayElement { public static var postgresArrayType: PostgresType { .init(rawValue: 1016) } }
extension Double: PostgresArrayElement { public static var postgresArrayType: PostgresType { .init(rawValue: 1022) } }
extension PostgresDate: PostgresArrayElement {
    public static var postgresArrayType: PostgresType { .init(rawValue: 1182) }
}
extension PostgresTimestamp: PostgresArrayElement {
    public static var postgresArrayType: PostgresType { .init(rawValue: 1185) }
}
extension UUID: PostgresArrayElement { public static var postgresArrayType: PostgresType { .init(rawValue: 2951) } }
extension PostgresJSON: PostgresArrayElement {
    public static var postgresArrayType: PostgresType { .init(rawValue: 3807) }
}
extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement & PostgresCodable {
    public static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }
}

/// The binary form of one-dimensional arrays (`array_send` in the server): dimensions, NULL flag, element type, then
/// for the dimension its length and lower bound, then each element with its length, -1 for NULL.
extension PostgresArrayElement where Self: PostgresCodable {
    public static func encodeArray(_ elements: [Self], into bytes: inout [UInt8]) {
        bytes.append(bigEndian: Int32(elements.isEmpty ? 0 : 1))
        bytes.append(bigEndian: Int32(elements.contains(where: \.isPostgresNull) ? 1 : 0))
        bytes.append(bigEndian: postgresType.rawValue)
        guard !elements.isEmpty else { return }
        bytes.append(bigEndian: Int32(elements.count))
        bytes.append(bigEndian: Int32(1))
        for element in elements { bytes.append(lengthPrefixed: element) }
    }

    public static func decodeArray(_ cell: PostgresCell) throws(PostgresCell.Mismatch) -> [Self] {
        let expected = "[\(Self.self)]"
        func mismatch(_ reason: String) -> PostgresCell.Mismatch { .init(expected: expected, reason: reason) }
        guard let bytes = cell.bytes else { throw mismatch("it is NULL") }
        guard bytes.count >= 12 else { throw mismatch("it is not an array") }
        let dimensions = bytes.bigEndian(Int32.self)
        if dimensions == 0 { return [] }
        guard dimensions == 1, bytes.count >= 20 else { throw mismatch("it has \(dimensions) dimensions") }
        let elementType = PostgresType(rawValue: bytes.bigEndian(UInt32.self, at: 8))
        let count = Int(bytes.bigEndian(Int32.self, at: 12))
        var elements: [Self] = []
        elements.reserveCapacity(min(max(0, count), bytes.count / 4))
        var offset = 20
        for _ in 0..<max(0, count) {
            guard offset + 4 <= bytes.count else { throw mismatch("it ends early") }
            let length = Int(bytes.bigEndian(Int32.self, at: offset))
            offset += 4
            guard length >= 0 else {
                elements.append(try Self(postgres: PostgresCell(type: elementType, bytes: nil)))
                continue
            }
            guard offset + length <= bytes.count else { throw mismatch("it ends early") }
            let element = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
            elements.append(try Self(postgres: PostgresCell(type: elementType, bytes: element)))
            offset += length
        }
        return elements
    }
}

extension [UInt8] {
    /// Appends a value as arrays and binary COPY hold it: its length, then its bytes; -1 for NULL.
    mutating func append(lengthPrefixed value: some PostgresEncodable) {
        guard !value.isPostgresNull else { return append(bigEndian: Int32(-1)) }
        let start = count
        append(bigEndian: Int32(0))
        value.encode(into: &self)
        let length = UInt32(count - start - 4)
        for byte in 0..<4 { self[start + byte] = UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32(byte))) }
    }
}
