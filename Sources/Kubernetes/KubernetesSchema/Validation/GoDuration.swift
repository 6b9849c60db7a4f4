/// A duration as Go writes it: `1h30m`, `-1.5s`, `250ms`.
public struct GoDuration: Sendable, Hashable, Comparable {
    public var nanoseconds: Int

    init(nanoseconds: Int) {
        self.nanoseconds = nanoseconds
    }

    /// Nil when `text` is not a duration or leaves the range of 64 bits (about 292 years).
    public init?(_ text: String) {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        if rest == "0" {
            nanoseconds = 0
            return
        }
        guard !rest.isEmpty else { return nil }
        var total: Int128 = 0
        while !rest.isEmpty {
            let whole = rest.prefix(while: Self.isDigit)
            rest = rest.dropFirst(whole.count)
            var fraction = Substring()
            if rest.first == "." {
                rest.removeFirst()
                fraction = rest.prefix(while: Self.isDigit)
                rest = rest.dropFirst(fraction.count)
            }
            let unit = rest.prefix { $0 != "." && !Self.isDigit($0) }
            rest = rest.dropFirst(unit.count)
            guard !(whole.isEmpty && fraction.isEmpty), whole.count < 20, let size = Self.units[String(unit)] else {
                return nil
            }
            total += (Int128(whole.isEmpty ? "0" : String(whole)) ?? 0) * size
            var place = size
            for digit in fraction.utf8 {
                place /= 10
                total += Int128(digit - 48) * place
            }
            guard total <= Int128(Int64.max) else { return nil }
        }
        nanoseconds = Int(isNegative ? -total : total)
    }

    private static let units: [String: Int128] = [
        "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
        "h": 3_600_000_000_000,
    ]

    private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

    public static func < (left: GoDuration, right: GoDuration) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Seconds with as many decimals as needed: `5400s`, `0.25s`, as CEL prints durations.
    var text: String {
        let magnitude = nanoseconds.magnitude
        var result = "\(nanoseconds < 0 ? "-" : "")\(magnitude / 1_000_000_000)"
        if magnitude % 1_000_000_000 != 0 {
            let digits = String(magnitude % 1_000_000_000)
            var decimals = String(repeating: "0", count: 9 - digits.count) + digits
            while decimals.hasSuffix("0") { decimals.removeLast() }
            result += ".\(decimals)"
        }
        return result + "s"
    }
}
