/// Reads the fields of one protobuf message (encoding of proto2 and proto3), never beyond its end.
struct WireReader {
    enum Value {
        case integer(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field's number and value; nil at the end.
    mutating func next() throws(ProtobufError) -> (number: Int, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let key = try variableInteger()
        guard let number = Int(exactly: key >> 3), number > 0 else { throw .malformed("field number 0") }
        switch key & 7 {
        case 0: return (number, .integer(try variableInteger()))
        case 1: return (number, .bytes(try take(8)))
        case 2:
            guard let count = Int(exactly: try variableInteger()) else { throw .malformed("a length out of range") }
            return (number, .bytes(try take(count)))
        case 5: return (number, .bytes(try take(4)))
        case let type: throw .malformed("wire type \(type)")
        }
    }

    private mutating func take(_ count: Int) throws(ProtobufError) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw .malformed("a field ends beyond its message") }
        let taken = rest.prefix(count)
        rest = rest.dropFirst(count)
        return taken
    }

    private mutating func variableInteger() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        for place in 0..<10 {
            guard let byte = rest.popFirst() else { throw .malformed("a number ends early") }
            value |= UInt64(byte & 0x7F) << UInt64(7 * place)
            if byte < 0x80 { return value }
        }
        throw .malformed("a number longer than 64 bits")
    }
}
