/// Positions in a list that a person orders by hand: texts compared byte by byte, between any two of which there is
/// another. So a move writes one row, and a client can place what it hears of by comparing strings.
///
/// A position is a fraction in base 62 (digits `0-9A-Za-z`, whose bytes ascend) and never ends in `0`.
public enum FractionalIndex {
    /// A list that is split at the same place for hundreds of times still fits.
    public static let lengthLimit = 200

    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// A position above `low` and below `high`; nil stands for the end of the list. Nil when there is none: one of them
    /// is no position, or `low` is not below `high`.
    public static func between(_ low: String?, _ high: String?) -> String? {
        let lows = low.map { Array($0.utf8) } ?? []
        let highs = high.map { Array($0.utf8) }
        guard low.map(isValid) ?? true, high.map(isValid) ?? true else { return nil }
        if let highs, !lows.lexicographicallyPrecedes(highs) { return nil }
        var result: [UInt8] = []
        var bound = highs
        var place = 0
        while true {
            let lowDigit = place < lows.count ? value(lows[place]) : 0
            let highDigit = bound.map { place < $0.count ? value($0[place]) : 0 } ?? digits.count
            let middle = (lowDigit + highDigit) / 2
            if middle > lowDigit { return String(decoding: result + [digits[middle]], as: UTF8.self) }
            result.append(digits[lowDigit])
            // Once below the upper bound in one digit, the rest is free.
            if highDigit > lowDigit { bound = nil }
            place += 1
        }
    }

    /// The position of what is added at an instant: after all that was added before, without looking at the list.
    public static func end(at instant: Instant) -> String {
        var rest = UInt64(clamping: instant.microsecondsSince1970)
        var text = [UInt8](repeating: digits[0], count: timeLength)
        for place in text.indices.reversed() {
            text[place] = digits[Int(rest % 62)]
            rest /= 62
        }
        return String(decoding: text + [digits[1]], as: UTF8.self)
    }

    /// The position at the end of a list whose last one is `last`, nil when it is empty: where it can be, one that what is
    /// added later is behind, too.
    public static func end(at instant: Instant, behind last: String?) -> String {
        let end = Self.end(at: instant)
        guard let last, !last.utf8.lexicographicallyPrecedes(end.utf8) else { return end }
        return between(last, nil) ?? end
    }

    public static func isValid(_ position: String) -> Bool {
        let bytes = position.utf8
        return !bytes.isEmpty && bytes.count <= lengthLimit && bytes.last != digits[0]
            && bytes.allSatisfy { digits.contains($0) }
    }

    /// Enough for microseconds until the year 8700 or so.
    private static let timeLength = 10

    private static func value(_ digit: UInt8) -> Int {
        switch digit {
        case ...UInt8(ascii: "9"): Int(digit - UInt8(ascii: "0"))
        case ...UInt8(ascii: "Z"): Int(digit - UInt8(ascii: "A")) + 10
        default: Int(digit - UInt8(ascii: "a")) + 36
        }
    }
}
