import Glibc  // links libm, which the conversion of Double to Int calls in debug builds

/// A JSON number as it was written.
///
/// Two numbers are equal when their values are: `1`, `1.0` and `1e0`, `0.5` and `0.50`. Only those with an exponent beyond
/// a million are compared by their texts.
public struct JSONNumber: Sendable {
    public let text: String

    public init(_ value: Int) { text = String(value) }

    /// The shortest text that reads back as `value`. JSON has no infinities and no NaN: the former become the largest
    /// finite number of their sign, the latter zero.
    public init(_ value: Double) {
        let limit = Double.greatestFiniteMagnitude
        let finite = value.isNaN ? 0 : min(max(value, -limit), limit)
        let whole = Int(exactly: finite).flatMap { $0.magnitude < 1_000_000_000_000_000 ? String($0) : nil }
        text = whole ?? "\(finite)"
    }

    /// The number that `text` spells by the grammar of RFC 8259 section 6, or nil.
    public init?(text: String) {
        guard JSONNumber.isValid(text.utf8) else { return nil }
        self.text = text
    }

    /// `text` must follow the number grammar of RFC 8259 section 6; the parser checks it.
    init(validated text: String) { self.text = text }

    /// The exact value as an integer, also of texts such as `1e3` and `2.0`; nil when it has a fraction or leaves
    /// `Int`.
    public var int: Int? { Int(text) ?? integerOfDecimal }

    /// The nearest double; infinite where the number is beyond its range.
    public var double: Double { Double(text) ?? .nan }
}

extension JSONNumber: Hashable {
    public static func == (left: JSONNumber, right: JSONNumber) -> Bool {
        if left.text == right.text { return true }
        if let left = Int(left.text), let right = Int(right.text) { return left == right }
        guard let value = left.decimal else { return false }
        return value == right.decimal
    }

    public func hash(into hasher: inout Hasher) {
        if let value = int {
            hasher.combine(value)
        } else if let decimal {
            hasher.combine(decimal)
        } else {
            hasher.combine(text)
        }
    }
}

extension JSONNumber {
    /// Whether `bytes` follow the number grammar of RFC 8259 section 6.
    static func isValid(_ bytes: some Collection<UInt8>) -> Bool {
        var rest = bytes[...]
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let whole = rest.prefix { $0.isDigit }
        guard let first = whole.first, first != UInt8(ascii: "0") || whole.count == 1 else { return false }
        rest.removeFirst(whole.count)
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            guard let fraction = rest.first, fraction.isDigit else { return false }
            rest = rest.drop { $0.isDigit }
        }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest.removeFirst() }
            guard let exponent = rest.first, exponent.isDigit else { return false }
            rest = rest.drop { $0.isDigit }
        }
        return rest.isEmpty
    }

    /// A value in the one form that all its spellings have.
    private struct Decimal: Hashable {
        let isNegative: Bool
        /// Without zeros at either end; none for zero.
        let digits: ArraySlice<UInt8>
        /// The power of ten that the last digit counts.
        let exponent: Int
    }

    /// The exact value, by moving the decimal point: a detour over `Double` would round beyond 2^53. Nil when the exponent
    /// is beyond a million.
    private var decimal: Decimal? {
        var digits: [UInt8] = []
        var decimals = 0
        var rest = text.utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        var isFraction = false
        while let byte = rest.first, byte | 0x20 != UInt8(ascii: "e") {
            rest.removeFirst()
            if byte == UInt8(ascii: ".") {
                isFraction = true
            } else {
                digits.append(byte)
                if isFraction { decimals += 1 }
            }
        }
        let exponentText = rest.isEmpty ? "0" : String(rest.dropFirst()) ?? "0"
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            decimals -= 1
        }
        guard let significant = digits.firstIndex(where: { $0 != UInt8(ascii: "0") }) else {
            return Decimal(isNegative: false, digits: [], exponent: 0)
        }
        guard let exponent = Int(exponentText), (-1_000_000...1_000_000).contains(exponent) else { return nil }
        return Decimal(isNegative: isNegative, digits: digits[significant...], exponent: exponent - decimals)
    }

    private var integerOfDecimal: Int? {
        guard let decimal else { return nil }
        let (digits, zeros) = (decimal.digits, decimal.exponent)
        if digits.isEmpty { return 0 }
        guard (0...19).contains(zeros), digits.count <= 19 else { return nil }
        let magnitude = String(decoding: digits, as: UTF8.self) + String(repeating: "0", count: zeros)
        return Int((decimal.isNegative ? "-" : "") + magnitude)
    }
}

extension UInt8 {
    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }
}
