public import FoundationEssentials

extension FixedWidthInteger where Self: PostgresEncodable {
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
}

extension FixedWidthInteger where Self: PostgresDecodable {
    /// Takes any of the server's integers whose value fits.
    public init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.require(.int8, .int4, .int2, as: "\(Self.self)")
        let value: Int64? =
            switch bytes.count {
            case 8: bytes.bigEndian(Int64.self)
            case 4: Int64(bytes.bigEndian(Int32.self))
            case 2: Int64(bytes.bigEndian(Int16.self))
            default: nil
            }
        guard let value, let exact = Self(exactly: value) else {
            throw PostgresCell.Mismatch(expected: "\(Self.self)", reason: "the number is out of range")
        }
        self = exact
    }
}

extension Int: PostgresCodable { public static var postgresType: PostgresType { .int8 } }
extension Int64: PostgresCodable { public static var postgresType: PostgresType { .int8 } }
extension Int32: PostgresCodable { public static var postgresType: PostgresType { .int4 } }
extension Int16: PostgresCodable { public static var postgresType: PostgresType { .int2 } }

extension Bool: PostgresCodable {
    public static var postgresType: PostgresType { .bool }
    public func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
    public init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch) {
        self = try cell.require(.bool, count: 1, as: "Bool")[0] != 0
    }
}

extension Double: PostgresCodable {
    public static var postgresType: PostgresType { .float8 }
    public func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: bitPattern) }
    public init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.require(.float8, .float4, as: "Double")
        self =
            bytes.count == 4
            ? Double(Float(bitPattern: bytes.bigEndian(UInt32.self))) : Double(bitPattern: bytes.bigEndian(UInt64.self))
    }
}

extension String: PostgresCodable {
    public static var postgresType: PostgresType { .text }
    public func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }

    /// Takes text types, JSON, and types of the database's own (enums) whose binary form is text.
    public init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch) {
        guard let bytes = cell.bytes else { throw PostgresCell.Mismatch(expected: "String", reason: "it is NULL") }
        let text: UnsafeRawBufferPointer.SubSequence
        if cell.type.isText {
            text = bytes[...]
        } else if cell.type == .jsonb, bytes.first == PostgresJSON.jsonbVersion {
            text = bytes.dropFirst()
        } else {
            throw PostgresCell.Mismatch(expected: "String", reason: "the types do not fit; cast it with ::text")
        }
        guard let string = String(validating: text, as: UTF8.self) else {
            throw PostgresCell.Mismatch(expected: "String", reason: "it is not UTF-8")
        }
        self = string
    }
}

extension UUID: PostgresCodable {
    public static var postgresType: PostgresType { .uuid }
    public func encode(into bytes: inout [UInt8]) { withUnsafeBytes(of: uuid) { bytes.append(contentsOf: $0) } }
    public init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.require(.uuid, count: 16, as: "UUID")
        self.init(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}

/// The text of a `json` or `jsonb` value, as bytes: what it means is for a JSON parser.
public struct PostgresJSON: PostgresCodable, Hashable {
    static let jsonbVersion: UInt8 = 1

    public var bytes: [UInt8]
    public init(bytes: [UInt8]) { self.bytes = bytes }

    public static var postgresType: PostgresType { .jsonb }

    public func encode(into bytes: inout [UInt8]) {
        bytes.append(Self.jsonbVersion)
        bytes.append(contentsOf: self.bytes)
    }

    public init(postgres cell: PostgresCell) throws(PostgresCell.Mismatch) {
        let bytes = try cell.require(.jsonb, .json, as: "JSON")
        if cell.type == .jsonb, bytes.first != Self.jsonbVersion {
            throw PostgresCell.Mismatch(expected: "JSON", reason: "jsonb of an unknown version")
        }
        self.bytes = Array(cell.type == .jsonb ? bytes.dropFirst() : bytes[...])
    }
}
