/// A resource quantity (`100m`, `1.5Gi`, `2e3`), read, compared and printed as Kubernetes does.
///
/// The value is exact down to a nano; finer ones are rounded up, away from zero. Values that leave the range of
/// 2^63 - 1 whole units are capped there.
public struct Quantity: Sendable {
    public enum Form: Sendable {
        case binary, decimal, exponent
    }

    /// The value in nanos: 128 bits hold 2^63 units with room to spare.
    public let nanos: Int128
    public let form: Form

    static let nanosPerUnit: Int128 = 1_000_000_000
    static let largest = Int128(Int64.max) * nanosPerUnit

    public init(nanos: Int128, form: Form) {
        self.nanos = min(max(nanos, -Self.largest), Self.largest)
        self.form = form
    }

    /// Nil when `text` is not a quantity.
    public init?(_ text: String) {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(whole.count)
        var fraction = Substring()
        if rest.first == "." {
            rest.removeFirst()
            fraction = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(fraction.count)
        }
        guard !(whole.isEmpty && fraction.isEmpty), let scale = Scale(suffix: rest) else { return nil }
        let magnitude = scale.nanos(whole: whole, fraction: fraction)
        self.init(nanos: isNegative ? -magnitude : magnitude, form: scale.form)
    }

    /// The value rounded up to a whole number.
    public var roundedUp: Int {
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: Self.nanosPerUnit)
        return Int(quotient + (remainder > 0 ? 1 : 0))
    }

    public var isInteger: Bool { nanos % Self.nanosPerUnit == 0 }
    public var double: Double { Double(nanos) / 1e9 }

    /// The canonical form: no fraction, the largest suffix that leaves none (`1500m` for `1.5`).
    public var canonical: String {
        if nanos == 0 { return "0" }
        switch form {
        case .binary:
            return isInteger && nanos.magnitude >= 1024 * Self.nanosPerUnit.magnitude ? binaryText : decimalText
        case .decimal: return decimalText
        case .exponent: return text(suffixes: Self.exponents)
        }
    }

    private var decimalText: String { text(suffixes: Self.decimals) }

    private var binaryText: String {
        var value = nanos / Self.nanosPerUnit
        var index = 0
        while index < Self.binaries.count - 1, value % 1024 == 0 {
            value /= 1024
            index += 1
        }
        return "\(value)\(Self.binaries[index])"
    }

    private func text(suffixes: [String]) -> String {
        var value = nanos
        var index = 0
        while index < suffixes.count - 1, value % 1000 == 0 {
            value /= 1000
            index += 1
        }
        return "\(value)\(suffixes[index])"
    }

    static let binaries = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
    static let decimals = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]
    static let exponents = ["e-9", "e-6", "e-3", "", "e3", "e6", "e9", "e12", "e15", "e18"]
}

extension Quantity: Comparable, Hashable {
    public static func == (left: Quantity, right: Quantity) -> Bool { left.nanos == right.nanos }
    public static func < (left: Quantity, right: Quantity) -> Bool { left.nanos < right.nanos }
    public func hash(into hasher: inout Hasher) { hasher.combine(nanos) }
}

extension Quantity {
    /// What a suffix stands for: a power of ten or of two.
    private struct Scale {
        let form: Form
        var powerOfTen = 0
        var powerOf1024 = 0

        init?(suffix: Substring) {
            if let index = Quantity.binaries.firstIndex(of: String(suffix)), index > 0 {
                form = .binary
                powerOf1024 = index
            } else if let index = Quantity.decimals.firstIndex(of: String(suffix)) {
                form = .decimal
                powerOfTen = (index - 3) * 3
            } else if let mark = suffix.first, mark == "e" || mark == "E", let power = Int(suffix.dropFirst()) {
                form = .exponent
                powerOfTen = min(max(power, -100), 100)
            } else {
                return nil
            }
        }

        /// Digits beyond a nano round up; values beyond the range stop at it.
        func nanos(whole: Substring, fraction: Substring) -> Int128 {
            var result: Int128 = 0
            let multiplier = (0..<powerOf1024).reduce(Int128(1)) { product, _ in product * 1024 }
            let digits = Array(whole.utf8) + Array(fraction.utf8)
            let point = whole.utf8.count + powerOfTen + 9
            var carriesUp = false
            for (place, digit) in digits.enumerated() {
                if place < point {
                    result = min(result * 10 + Int128(digit - 48), Quantity.largest)
                } else if digit != 48 {
                    carriesUp = true
                }
            }
            if point > digits.count {
                for _ in digits.count..<point { result = min(result * 10, Quantity.largest) }
            }
            let (product, overflows) = result.multipliedReportingOverflow(by: multiplier)
            // With a binary suffix the digits cut off are worth more than a nano.
            guard powerOf1024 > 0, carriesUp, !overflows else {
                return (overflows ? Quantity.largest : product) + (carriesUp ? 1 : 0)
            }
            return product + multiplier
        }
    }
}
