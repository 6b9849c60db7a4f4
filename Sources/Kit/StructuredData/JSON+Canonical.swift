internal import Glibc  // links libm, which the conversion of Double to Int calls in debug builds

extension JSON {
    /// The value in the one form that RFC 8785 (JSON Canonicalization Scheme) allows, for hashes and signatures: no
    /// blanks, members sorted by the UTF-16 units of their names, numbers as ECMAScript writes the nearest double.
    ///
    /// Integers beyond 2^53 lose digits by that; put them into strings. Throws when a number is beyond any double.
    public func canonical() throws(JSONCanonicalizationError) -> [UInt8] {
        var writer = JSONWriter(bytes: [], form: .canonical, indent: 0)
        writer.write(self)
        if let number = writer.unwritable { throw JSONCanonicalizationError(number: number) }
        return writer.bytes
    }
}

/// A number that canonical JSON cannot hold.
public struct JSONCanonicalizationError: Error, Sendable, Hashable, CustomStringConvertible {
    public let number: JSONNumber
    public var description: String { "the number \(number.text) is too large for canonical JSON; send it as a string" }
}

extension JSONNumber {
    /// The nearest double as `Number::toString` of ECMAScript writes it (RFC 8785, section 3.2.2.3); nil when it is infinite.
    var canonicalText: String? {
        let value = double
        guard value.isFinite else { return nil }
        if value == 0 { return "0" }
        let (digits, point) = value.magnitude.shortestDigits
        return (value < 0 ? "-" : "") + Self.ecmaScript(digits, point: point)
    }

    /// - Parameter point: how many digits stand before the decimal point; the specification's `n`.
    private static func ecmaScript(_ digits: String, point: Int) -> String {
        let count = digits.utf8.count
        func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }
        switch point {
        case count...21 where count <= 21: return digits + zeros(point - count)
        case 1...21: return digits.prefix(point) + "." + digits.dropFirst(point)
        case -5...0: return "0." + zeros(-point) + digits
        default:
            let fraction = count > 1 ? "." + digits.dropFirst() : ""
            return "\(digits.prefix(1))\(fraction)e\(point > 0 ? "+" : "-")\(abs(point - 1))"
        }
    }
}

extension Double {
    /// The fewest digits that read back as this positive number, without zeros at either end, and how many of them
    /// stand before the decimal point. Swift and ECMAScript choose the same digits; they differ in how they lay them out.
    fileprivate var shortestDigits: (digits: String, point: Int) {
        let parts = description.split(separator: "e")
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let all = mantissa.joined()
        let significant = all.drop { $0 == "0" }
        let trailing = significant.reversed().prefix { $0 == "0" }.count
        return (
            String(significant.dropLast(trailing)),
            mantissa[0].utf8.count + exponent - (all.utf8.count - significant.utf8.count)
        )
    }
}
