/// Conversions between types, as the functions named after types do them.
enum CELConversion {
    static func convert(_ value: CELValue, to type: String) throws(CELError) -> CELValue {
        switch type {
        case "dyn": return value
        case "type": return .type(value.typeName)
        case "bool":
            switch value {
            case .bool: return value
            case .string("true"), .string("True"), .string("TRUE"), .string("t"), .string("1"): return .bool(true)
            case .string("false"), .string("False"), .string("FALSE"), .string("f"), .string("0"): return .bool(false)
            default: break
            }
        case "int": return .int(try int(value))
        case "uint": return .uint(try uint(value))
        case "double":
            switch value {
            case .double: return value
            case .int(let value): return .double(Double(value))
            case .uint(let value): return .double(Double(value))
            case .string(let text): if let value = Double(text) { return .double(value) }
            default: break
            }
        case "string": if let text = text(value) { return .string(text) }
        case "bytes":
            if case .bytes = value { return value }
            if case .string(let text) = value { return .bytes(Array(text.utf8)) }
        case "timestamp":
            if case .timestamp = value { return value }
            if case .string(let text) = value, let time = Timestamp(text) { return .timestamp(time) }
            if case .int(let seconds) = value {
                return .timestamp(try timestamp(Timestamp(seconds: seconds, nanoseconds: 0), adding: 0))
            }
        case "duration":
            if case .duration = value { return value }
            if case .string(let text) = value, let duration = GoDuration(text) { return .duration(duration) }
        default: break
        }
        throw .evaluation("type conversion error from '\(value.typeName)' to '\(type)'")
    }

    private static func int(_ value: CELValue) throws(CELError) -> Int {
        switch value {
        case .int(let value): return value
        case .uint(let value): if let value = Int(exactly: value) { return value }
        case .double(let value): if let value = Int(exactly: value.rounded(.towardZero)) { return value }
        case .string(let text):
            if let value = Int(text) { return value }
            throw .evaluation("type conversion error from 'string' to 'int'")
        case .timestamp(let time): return time.seconds
        default: throw .noSuchOverload
        }
        throw .evaluation("integer overflow")
    }

    private static func uint(_ value: CELValue) throws(CELError) -> UInt {
        switch value {
        case .uint(let value): return value
        case .int(let value): if let value = UInt(exactly: value) { return value }
        case .double(let value): if let value = UInt(exactly: value.rounded(.towardZero)) { return value }
        case .string(let text):
            if let value = UInt(text) { return value }
            throw .evaluation("type conversion error from 'string' to 'uint'")
        default: throw .noSuchOverload
        }
        throw .evaluation("unsigned integer overflow")
    }

    /// What `string()` gives; nil for what has no text.
    static func text(_ value: CELValue) -> String? {
        switch value {
        case .bool(let value): String(value)
        case .int(let value): String(value)
        case .uint(let value): String(value)
        case .double(let value): text(value)
        case .string(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        case .timestamp(let time): time.text
        case .duration(let duration): duration.text
        case .ip(let address): address.text
        case .cidr(let cidr): "\(cidr.address.text)/\(cidr.prefixLength)"
        case .quantity(let quantity): quantity.canonical
        case .null: "null"
        case .type(let name): name
        default: nil
        }
    }

    /// Whole numbers have no decimals, as in Go.
    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && value.magnitude < 1e15 ? String(Int(value)) : "\(value)"
    }

    /// Timestamps reach from year 1 to year 9999.
    static func timestamp(_ time: Timestamp, adding nanoseconds: Int128) throws(CELError) -> Timestamp {
        let total = Int128(time.seconds) * 1_000_000_000 + Int128(time.nanoseconds) + nanoseconds
        var (seconds, rest) = total.quotientAndRemainder(dividingBy: 1_000_000_000)
        if rest < 0 { (seconds, rest) = (seconds - 1, rest + 1_000_000_000) }
        guard (-62_135_596_800...253_402_300_799).contains(seconds) else {
            throw .evaluation("timestamp out of range")
        }
        return Timestamp(seconds: Int(seconds), nanoseconds: Int(rest))
    }
}
