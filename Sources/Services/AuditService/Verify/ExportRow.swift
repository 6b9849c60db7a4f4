internal import Glibc

/// A row of an export: `{"entry":{…},"hash":"…"}`, the whole line being canonical JSON (RFC 8785).
///
/// Only what the order of rows needs is read. Nothing more has to be: the hash is over the very bytes of the entry, so
/// any other spelling of it is another entry.
struct ExportRow {
    static let opening: StaticString = #"{"entry":"#
    private static let middle: StaticString = #","hash":""#
    private static let closing: StaticString = #""}"#

    let shard: Int
    let index: Int
    let hash: ChainHash
    /// The bytes that are hashed.
    let entry: UnsafeRawBufferPointer

    /// Nil when `line`, without its line feed, is not a row.
    init?(_ line: UnsafeRawBufferPointer) {
        let tail = Self.middle.utf8CodeUnitCount + 2 * ChainHash.byteCount + Self.closing.utf8CodeUnitCount
        guard line.count > Self.opening.utf8CodeUnitCount + tail else { return nil }
        let end = line.count - tail
        var frame = Scanner(bytes: UnsafeRawBufferPointer(rebasing: line[end...]))
        var scanner = Scanner(bytes: UnsafeRawBufferPointer(rebasing: line[..<end]))
        guard frame.skip(Self.middle), let hash = ChainHash(hex: frame.rest.prefix(2 * ChainHash.byteCount)),
            frame.rest.dropFirst(2 * ChainHash.byteCount).elementsEqual(Self.closing.bytes),
            scanner.skip(Self.opening)
        else { return nil }
        entry = scanner.rest
        self.hash = hash
        guard scanner.skip(#"{"actor":"#), scanner.skipTextOrNull(), scanner.skip(#","content":"#),
            scanner.skipTextOrNull(), scanner.skip(#","event":"#), scanner.skipTextOrNull(),
            scanner.skip(#","index":"#), let index = scanner.number(), scanner.skip(#","recorded":"#),
            scanner.skipTextOrNull(), scanner.skip(#","shard":"#), let shard = scanner.number()
        else { return nil }
        self.index = index
        self.shard = shard
    }

    /// Appends the line of an entry, with its line feed.
    static func write(_ entry: AuditEntry, hash: ChainHash, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: opening.bytes)
        entry.writeCanonical(into: &bytes)
        bytes.append(contentsOf: middle.bytes)
        hash.withBytes { Hex.append($0, to: &bytes) }
        bytes.append(contentsOf: closing.bytes)
        bytes.append(UInt8(ascii: "\n"))
    }
}

/// Walks over JSON whose layout is known.
private struct Scanner {
    let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[offset...]) }

    mutating func skip(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard offset + length <= bytes.count, let base = bytes.baseAddress,
            memcmp(base + offset, text.utf8Start, length) == 0
        else { return false }
        offset += length
        return true
    }

    /// The members before the shard hold no escapes: ids, instants and Base64.
    mutating func skipTextOrNull() -> Bool {
        if skip("null") { return true }
        guard skip("\""), let base = bytes.baseAddress,
            let quote = memchr(base + offset, Int32(UInt8(ascii: "\"")), bytes.count - offset)
        else { return false }
        offset = UnsafeRawPointer(quote) - base + 1
        return true
    }

    /// Digits without zeros in front, at most 18.
    mutating func number() -> Int? {
        let start = offset
        var value = 0
        while offset < bytes.count, case let digit = bytes[offset] &- UInt8(ascii: "0"), digit < 10 {
            value = value * 10 + Int(digit)
            offset += 1
            guard offset - start <= 18 else { return nil }
        }
        let length = offset - start
        return length == 0 || (length > 1 && bytes[start] == UInt8(ascii: "0")) ? nil : value
    }
}

extension StaticString {
    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
