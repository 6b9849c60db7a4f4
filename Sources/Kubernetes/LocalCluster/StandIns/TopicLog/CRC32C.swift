/// The Castagnoli checksum (RFC 3720, appendix B.4), eight bytes a step.
enum CRC32C {
    /// Table `k` gives what a byte does to the sum when `k` more bytes follow it in the step.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = []
        for byte in UInt32(0)..<256 {
            var sum = byte
            for _ in 0..<8 { sum = sum & 1 == 1 ? 0x82F6_3B78 ^ (sum >> 1) : sum >> 1 }
            tables.append(sum)
        }
        for index in 256..<2048 {
            let before = tables[index - 256]
            tables.append(tables[Int(before & 255)] ^ (before >> 8))
        }
        return tables
    }()

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            var sum = ~UInt32(0)
            var place = 0
            while place + 8 <= bytes.count {
                var word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                word ^= UInt64(sum)
                sum = 0
                for table in stride(from: 7 << 8, through: 0, by: -256) {
                    sum ^= tables[table + Int(UInt8(truncatingIfNeeded: word))]
                    word >>= 8
                }
                place += 8
            }
            while place < bytes.count {
                sum = tables[Int(UInt8(truncatingIfNeeded: sum) ^ bytes[place])] ^ (sum >> 8)
                place += 1
            }
            return ~sum
        }
    }
}
