/// `'%s has %d'.format([…])`
enum CELFormat {
    static func format(_ template: String, _ values: [CELValue]) throws(CELError) -> String {
        var result = ""
        var arguments = values[...]
        var scalars = template.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            if scalars.first == "%" {
                scalars.removeFirst()
                result += "%"
                continue
            }
            var precision = 6
            if scalars.first == "." {
                scalars.removeFirst()
                let digits = scalars.prefix { ("0"..."9").contains($0) }
                scalars = scalars.dropFirst(digits.count)
                precision = min(Int(String(digits)) ?? 6, 100)
            }
            guard let verb = scalars.popFirst() else { throw .evaluation("unexpected end of string") }
            guard let value = arguments.popFirst() else {
                throw .evaluation("index \(values.count) out of range")
            }
            result += try text(of: value, verb: verb, precision: precision)
        }
        return result
    }

    private static func text(of value: CELValue, verb: Unicode.Scalar, precision: Int) throws(CELError) -> String {
        switch (verb, value) {
        case ("s", _): return try display(value)
        case ("d", .int), ("d", .uint): return CELConversion.text(value) ?? ""
        case ("d", .double(let number)): return CELConversion.text(number)
        case ("f", .double(let number)): return fixed(number, precision)
        case ("f", .int(let number)): return fixed(Double(number), precision)
        case ("e", .double(let number)): return scientific(number, precision)
        case ("b", .int(let number)): return String(number, radix: 2)
        case ("b", .uint(let number)): return String(number, radix: 2)
        case ("b", .bool(let flag)): return flag ? "1" : "0"
        case ("o", .int(let number)): return String(number, radix: 8)
        case ("o", .uint(let number)): return String(number, radix: 8)
        case ("x", .int(let number)): return String(number, radix: 16)
        case ("X", .int(let number)): return String(number, radix: 16, uppercase: true)
        case ("x", .uint(let number)): return String(number, radix: 16)
        case ("X", .uint(let number)): return String(number, radix: 16, uppercase: true)
        case ("x", .string(let text)): return hex(Array(text.utf8), uppercase: false)
        case ("X", .string(let text)): return hex(Array(text.utf8), uppercase: true)
        case ("x", .bytes(let bytes)): return hex(bytes, uppercase: false)
        case ("X", .bytes(let bytes)): return hex(bytes, uppercase: true)
        case ("d", _), ("f", _), ("e", _), ("b", _), ("o", _), ("x", _), ("X", _):
            throw .evaluation("error during formatting: \(value.typeName) cannot be formatted as %\(verb)")
        default: throw .evaluation("could not parse formatting clause: unrecognized formatting clause \"\(verb)\"")
        }
    }

    private static func display(_ value: CELValue) throws(CELError) -> String {
        switch value {
        case .list(let list):
            var parts: [String] = []
            for element in list.values { parts.append(try display(element)) }
            return "[\(parts.joined(separator: ", "))]"
        case .map(let map):
            var parts: [String] = []
            for member in map.members { parts.append("\(try display(member.key)): \(try display(member.value))") }
            return "{\(parts.sorted().joined(separator: ", "))}"
        default:
            guard let text = CELConversion.text(value) else { throw .noSuchOverload }
            return text
        }
    }

    private static func hex(_ bytes: [UInt8], uppercase: Bool) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: uppercase) }.joined()
    }

    /// Decimal notation with exactly `precision` decimals, ties to even as in Go.
    private static func fixed(_ number: Double, _ precision: Int) -> String {
        guard number.isFinite else { return CELConversion.text(number) }
        var scale = 1.0
        for _ in 0..<precision { scale *= 10 }
        let scaled = (number.magnitude * scale).rounded(.toNearestOrEven)
        guard scaled < 1e18 else { return CELConversion.text(number) }
        var digits = String(Int(scaled))
        digits = String(repeating: "0", count: max(0, precision + 1 - digits.count)) + digits
        let whole = digits.dropLast(precision)
        return (number < 0 ? "-" : "") + whole + (precision > 0 ? "." + digits.suffix(precision) : "")
    }

    private static func scientific(_ number: Double, _ precision: Int) -> String {
        guard number.isFinite else { return CELConversion.text(number) }
        var mantissa = number.magnitude
        var exponent = 0
        while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
        while mantissa > 0, mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
        let power = String(exponent.magnitude)
        return (number < 0 ? "-" : "") + fixed(mantissa, precision) + "e" + (exponent < 0 ? "-" : "+")
            + (power.count < 2 ? "0" : "") + power
    }
}
