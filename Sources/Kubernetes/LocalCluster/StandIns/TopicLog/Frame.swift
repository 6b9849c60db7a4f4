/// A record on disk: its length, the checksum of its payload (both 32 bits, little endian), its payload.
enum Frame {
    static let headSize = 8
    /// Longer than any record: a length beyond is garbage.
    static let largestPayload = 64 << 20

    /// Appends a frame whose payload is what `write` appends.
    /// - Returns: the frame's length.
    static func append(to bytes: inout [UInt8], _ write: (inout [UInt8]) -> Void) -> Int {
        let start = bytes.count
        bytes.append(contentsOf: [0, 0, 0, 0, 0, 0, 0, 0])
        write(&bytes)
        let length = bytes.count - start
        bytes.withUnsafeMutableBytes { raw in
            let sum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: raw[(start + headSize)...]))
            raw.storeBytes(of: UInt32(length - headSize).littleEndian, toByteOffset: start, as: UInt32.self)
            raw.storeBytes(of: sum.littleEndian, toByteOffset: start + 4, as: UInt32.self)
        }
        return length
    }

    /// The payload of the frame at `offset`; nil when there is no whole and sound one.
    static func payload(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UnsafeRawBufferPointer? {
        guard bytes.count - offset >= headSize else { return nil }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        let sum = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
        // No record is empty: zeros that a file system left behind are no frames.
        guard length > 0, length <= largestPayload, bytes.count - offset - headSize >= length else { return nil }
        let start = offset + headSize
        let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
        return CRC32C.checksum(payload) == sum ? payload : nil
    }
}

// MARK: - Fields

extension [UInt8] {
    mutating func append(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    mutating func append(text: String) {
        var text = text
        text.withUTF8 {
            append(UInt32($0.count))
            append(contentsOf: $0)
        }
    }

    mutating func append(field: [UInt8]) {
        append(UInt32(field.count))
        append(contentsOf: field)
    }
}

/// Reads fields in the order in which they were appended. Past the end it gives nil.
struct FieldReader {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) -> Value? {
        let size = MemoryLayout<Value>.size
        guard bytes.count - place >= size else { return nil }
        defer { place += size }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: Value.self))
    }

    mutating func field() -> UnsafeRawBufferPointer? {
        guard let length = integer(UInt32.self), bytes.count - place >= Int(length) else { return nil }
        defer { place += Int(length) }
        return UnsafeRawBufferPointer(rebasing: bytes[place..<place + Int(length)])
    }

    mutating func text() -> String? { field().map { String(decoding: $0, as: UTF8.self) } }
}
