/// One entry of a log segment or snapshot: `length u32 | crc32c u32 | payload`, little endian.
enum JournalRecord {
    case put(TableID, StoredObject)
    case delete(TableID, key: String, revision: UInt64)
    /// Opens a snapshot: the revision that it shows.
    case snapshotStart(revision: UInt64)
    /// Closes a snapshot: how many objects it has. A snapshot without it was not finished.
    case snapshotEnd(count: UInt64)

    static let headerSize = 8

    /// Appends the record in its frame.
    func write(into bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: Self.headerSize))
        writePayload(into: &bytes)
        let payload = bytes[(start + Self.headerSize)...]
        bytes.replace(UInt32(payload.count), at: start)
        bytes.replace(CRC32C.checksum(payload), at: start + 4)
    }

    private func writePayload(into bytes: inout [UInt8]) {
        switch self {
        case .put(let table, let object):
            bytes.append(1)
            bytes.append(integer: object.revision)
            bytes.append(table)
            bytes.append(text: object.key)
            bytes.append(integer: UInt32(object.revisionOffset))
            bytes.append(integer: UInt32(object.labels.count))
            for (key, value) in object.labels {
                bytes.append(text: key)
                bytes.append(text: value)
            }
            bytes.append(contentsOf: object.bytes)
        case .delete(let table, let key, let revision):
            bytes.append(2)
            bytes.append(integer: revision)
            bytes.append(table)
            bytes.append(text: key)
        case .snapshotStart(let revision):
            bytes.append(3)
            bytes.append(integer: revision)
        case .snapshotEnd(let count):
            bytes.append(4)
            bytes.append(integer: count)
        }
    }

    /// Reads the record at `offset` and moves past it; nil when there is no whole and sound record.
    static func read(_ bytes: [UInt8], at offset: inout Int) -> JournalRecord? {
        var header = ByteReader(bytes[offset...])
        guard let length = header.integer(UInt32.self), let sum = header.integer(UInt32.self),
            let payload = header.bytes(Int(length)), CRC32C.checksum(payload) == sum,
            let record = decode(payload)
        else { return nil }
        offset += headerSize + Int(length)
        return record
    }

    private static func decode(_ payload: ArraySlice<UInt8>) -> JournalRecord? {
        var reader = ByteReader(payload)
        guard let kind = reader.integer(UInt8.self), let number = reader.integer(UInt64.self) else { return nil }
        switch kind {
        case 1: return decodePut(&reader, revision: number)
        case 2:
            guard let table = reader.table(), let key = reader.text() else { return nil }
            return .delete(table, key: key, revision: number)
        case 3: return .snapshotStart(revision: number)
        case 4: return .snapshotEnd(count: number)
        default: return nil
        }
    }

    private static func decodePut(_ reader: inout ByteReader, revision: UInt64) -> JournalRecord? {
        guard let table = reader.table(), let key = reader.text(), let offset = reader.integer(UInt32.self),
            let labelCount = reader.integer(UInt32.self)
        else { return nil }
        var labels: [String: String] = [:]
        for _ in 0..<labelCount {
            guard let key = reader.text(), let value = reader.text() else { return nil }
            labels[key] = value
        }
        let bytes = Array(reader.rest)
        guard Int(offset) <= bytes.count else { return nil }
        return .put(
            table,
            StoredObject(key: key, revision: revision, bytes: bytes, labels: labels, revisionOffset: Int(offset)))
    }
}

/// Reads little-endian integers and counted texts; nil past the end.
private struct ByteReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func integer<T: FixedWidthInteger>(_ type: T.Type) -> T? {
        bytes(MemoryLayout<T>.size)?.reversed().reduce(T.zero) { ($0 << 8) | T(truncatingIfNeeded: $1) }
    }

    mutating func text() -> String? {
        guard let count = integer(UInt32.self), let bytes = bytes(Int(count)) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    mutating func table() -> TableID? {
        guard let group = text(), let plural = text() else { return nil }
        return TableID(group: group, plural: plural)
    }
}

extension [UInt8] {
    fileprivate mutating func append<T: FixedWidthInteger>(integer value: T) {
        for shift in stride(from: 0, to: T.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> T(shift))) }
    }

    fileprivate mutating func append(text: String) {
        append(integer: UInt32(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    fileprivate mutating func append(_ table: TableID) {
        append(text: table.group)
        append(text: table.plural)
    }

    fileprivate mutating func replace(_ value: UInt32, at index: Int) {
        for byte in 0..<4 { self[index + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
    }
}
