import StructuredData

/// Values of all shapes from a seed, so that a failure can be run again.
struct RandomJSON {
    var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func below(_ limit: Int) -> Int { Int(next() >> 11) % limit }

    mutating func value(depth: Int = 4) -> JSON {
        switch below(depth == 0 ? 5 : 8) {
        case 0: return .null
        case 1: return .bool(below(2) == 0)
        case 2: return .number(JSONNumber(Int(truncatingIfNeeded: next() >> UInt64(below(64)))))
        case 3: return .number(JSONNumber(Double(below(1_000_000)) / 1024 * (below(2) == 0 ? 1e-9 : 1e9)))
        case 4: return .string(text())
        case 5: return .array((0..<below(5)).map { _ in value(depth: depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<below(below(20) == 0 ? 60 : 6) { object[text()] = value(depth: depth - 1) }
            return .object(object)
        }
    }

    static let scalarsThatMislead = [
        "", " ", "~", "null", "true", "False", "y", "Yes", "NO", "on", "off", "1", "-1", "+1", "0777", "0o17", "0x1F",
        "0b1", "1_000", "1.5", ".5", "5.", "1e3", ".inf", "-.Inf", ".NaN", "<<", "=", "2001-01-01", "12:30:45",
        "2001-12-14T21:59:43Z", "- a", "-", "? a", ": a", "a: b", "a #b", "#", "[", "{", "*a", "&a", "!a", "|", ">",
        "%a",
        "@a", "`a", "---", "--- a", "...", "a\nb", "a\n", "\na", "  a\nb", "a\n\n\n", "a \nb", "a\tb", "\ta", "a\r\nb",
        "'a'", "\"a\"", "a'b", "\\", "é", "e\u{301}", "日本語", "😀", "\u{85}", "\u{2028}", "\u{FEFF}a", "\u{7F}",
        "\u{1}", "\u{0}", "a ", "08", "1:20", "0", "-0", "-0x1", "1__0", "_1", "0_", "0x", "0xg", "1e", "e1", "+", ".",
        String(repeating: "long ", count: 40), String(repeating: "k", count: 200),
    ]

    mutating func text() -> String {
        if below(2) == 0 { return Self.scalarsThatMislead[below(Self.scalarsThatMislead.count)] }
        let pools: [ClosedRange<UInt32>] = [0x20...0x7E, 0x20...0x7E, 0x0...0x1F, 0x80...0x2FF, 0x4E00...0x4EFF]
        let wide: ClosedRange<UInt32> = 0x1F600...0x1F64F
        var text = String.UnicodeScalarView()
        for _ in 0..<below(24) {
            let pool = below(30) == 0 ? wide : pools[below(below(4) == 0 ? 5 : 2)]
            if let scalar = Unicode.Scalar(pool.lowerBound + UInt32(below(pool.count))) { text.append(scalar) }
        }
        return String(text)
    }
}
