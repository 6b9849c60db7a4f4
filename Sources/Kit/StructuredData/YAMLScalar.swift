/// How Kubernetes reads an unquoted scalar: YAML 1.1 as go-yaml v2 resolves it, without dates.
enum YAMLScalar {
    private static let words: [String: JSON] = {
        var words: [String: JSON] = ["": .null, "~": .null]
        for word in ["null", "Null", "NULL"] { words[word] = .null }
        for word in ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"] { words[word] = true }
        for word in ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"] {
            words[word] = false
        }
        return words
    }()

    /// Numbers that JSON cannot write.
    static let notFinite: Set<String> = [
        ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
    ]

    /// The value of a plain scalar; a string when it is nothing else.
    static func value(ofPlain text: String) -> JSON {
        guard let first = text.utf8.first else { return .null }
        switch first {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            return number(text).map(JSON.number) ?? .string(text)
        default: return words[text] ?? .string(text)
        }
    }

    /// Whether a reader would take the plain `text` for this very string: not for a boolean, a number, null, a date or
    /// a base-60 number, which some readers still know.
    static func isString(_ text: String) -> Bool {
        if text == "<<" || notFinite.contains(text) { return false }
        guard case .string = value(ofPlain: text) else { return false }
        guard let first = text.utf8.first, first.isDigit || first == UInt8(ascii: "+") || first == UInt8(ascii: "-")
        else { return true }
        return !isBase60(text.utf8) && !isDate(text.utf8)
    }

    /// An integer in any of the bases, or a decimal fraction. What JSON can spell keeps its text.
    private static func number(_ text: String) -> JSONNumber? {
        if let number = JSONNumber(text: text) { return number }
        let digits = text.filter { $0 != "_" }
        if let value = integer(digits) { return JSONNumber(value) }
        return decimal(digits)
    }

    private static func integer(_ text: String) -> Int? {
        var rest = text[...]
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        guard let first = rest.utf8.first, first.isDigit else { return nil }
        var radix = 10
        if first == UInt8(ascii: "0"), rest.utf8.count > 1 {
            switch rest.dropFirst().first {
            case "x", "X": radix = 16
            case "b", "B": radix = 2
            default: radix = 8
            }
            let hasLetter = rest.dropFirst().first.map { "xXbBoO".contains($0) } ?? false
            rest = rest.dropFirst(hasLetter ? 2 : 1)
        }
        guard let start = rest.first, start != "+", start != "-" else { return nil }
        return Int((isNegative ? "-" : "") + rest, radix: radix)
    }

    /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, respelled in the grammar of JSON.
    private static func decimal(_ text: String) -> JSONNumber? {
        var rest = text.utf8[...]
        var sign = ""
        if let mark = rest.first, mark == UInt8(ascii: "-") || mark == UInt8(ascii: "+") {
            if mark == UInt8(ascii: "-") { sign = "-" }
            rest.removeFirst()
        }
        let whole = rest.prefix { $0.isDigit }
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix { $0.isDigit }
            rest = rest.dropFirst(1 + fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        let significant = String(Substring(whole.drop { $0 == UInt8(ascii: "0") }))
        let number =
            sign + (significant.isEmpty ? "0" : significant) + (fraction.isEmpty ? "" : ".\(Substring(fraction))")
            + String(Substring(rest))
        return JSONNumber(text: number)
    }

    /// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
    private static func isBase60(_ text: String.UTF8View) -> Bool {
        var parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)[...]
        guard parts.count > 1, var first = parts.popFirst(), let last = parts.popLast() else { return false }
        if let sign = first.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { first.removeFirst() }
        guard first.first?.isDigit ?? false, first.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: "_") }) else {
            return false
        }
        let end = last.prefix { $0 != UInt8(ascii: ".") }
        return (parts + [end]).allSatisfy { part in
            guard let first = part.first, part.allSatisfy(\.isDigit) else { return false }
            return part.count == 1 || part.count == 2 && first < UInt8(ascii: "6")
        }
    }

    /// A date, or a date and time, as YAML 1.1 readers recognise one: `2001-12-14`, `2001-12-14T21:59:43Z`.
    private static func isDate(_ text: String.UTF8View) -> Bool {
        let day = text.prefix { $0.isDigit || $0 == UInt8(ascii: "-") }
        let parts = day.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, parts[1...].allSatisfy({ (1...2).contains($0.count) }) else {
            return false
        }
        guard let next = text.dropFirst(day.count).first else { return true }
        return next | 0x20 == UInt8(ascii: "t") || next == UInt8(ascii: " ")
    }
}
