/// Writes the fields of one protobuf message.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func text(_ number: Int, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        self.bytes(number, Array(value.utf8))
    }

    mutating func texts(_ number: Int, _ values: [String]) {
        for value in values { bytes(number, Array(value.utf8)) }
    }

    mutating func flag(_ number: Int, _ value: Bool?) {
        guard value == true else { return }
        integer(UInt64(number) << 3)
        integer(1)
    }

    mutating func message(_ number: Int, _ fill: (inout WireWriter) -> Void) {
        var inner = WireWriter()
        fill(&inner)
        bytes(number, inner.bytes)
    }

    private mutating func bytes(_ number: Int, _ value: [UInt8]) {
        integer(UInt64(number) << 3 | 2)
        integer(UInt64(value.count))
        bytes += value
    }

    private mutating func integer(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
