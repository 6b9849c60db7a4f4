/// Splits CEL source into tokens.
struct CELLexer {
    enum Token: Sendable, Hashable {
        case identifier(String)
        case int(Int), uint(UInt), double(Double)
        /// The magnitude of `Int.min`, which is an integer only behind a minus.
        case intMinMagnitude
        case string(String), bytes([UInt8])
        /// Operators and punctuation.
        case symbol(String)
        case end
    }

    private static let symbols: Set<String> = [
        "&&", "||", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "!", "<", ">", "?", ":", "(", ")", "[", "]", "{",
        "}", ".", ",",
    ]

    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ source: String) {
        scalars = Array(source.unicodeScalars)
    }

    static func tokens(of source: String) throws(CELError) -> [(token: Token, offset: Int)] {
        var lexer = CELLexer(source)
        var tokens: [(Token, Int)] = []
        while true {
            let (token, offset) = try lexer.next()
            tokens.append((token, offset))
            if token == .end { return tokens }
        }
    }

    private mutating func next() throws(CELError) -> (Token, Int) {
        skipBlanks()
        let start = position
        guard let scalar = peek() else { return (.end, start) }
        if let literal = try stringLiteral() { return (literal, start) }
        if isDigit(scalar) || (scalar == "." && peek(1).map(isDigit) == true) { return (try number(), start) }
        if isLetter(scalar) {
            while let scalar = peek(), isLetter(scalar) || isDigit(scalar) { position += 1 }
            return (.identifier(text(start..<position)), start)
        }
        if scalar == "`" { return (try quotedIdentifier(), start) }
        for end in [start + 2, start + 1] where end <= scalars.count {
            let symbol = text(start..<end)
            guard Self.symbols.contains(symbol) else { continue }
            position = end
            return (.symbol(symbol), start)
        }
        throw CELError(kind: .syntax, message: "Syntax error: token recognition error at: '\(scalar)'", offset: start)
    }

    private mutating func skipBlanks() {
        while let scalar = peek() {
            switch scalar {
            case " ", "\t", "\n", "\r", "\u{C}": position += 1
            case "/" where peek(1) == "/":
                while let scalar = peek(), scalar != "\n" { position += 1 }
            default: return
            }
        }
    }

    private mutating func quotedIdentifier() throws(CELError) -> Token {
        let start = position
        guard let end = scalars[(start + 1)...].firstIndex(of: "`"), end > start + 1 else {
            throw CELError(kind: .syntax, message: "Syntax error: token recognition error at: '`'", offset: start)
        }
        position = end + 1
        return .identifier(text(start + 1..<end))
    }

    private mutating func number() throws(CELError) -> Token {
        let start = position
        if peek() == "0", let mark = peek(1), mark == "x" || mark == "X" {
            position += 2
            while let scalar = peek(), scalar.properties.isASCIIHexDigit { position += 1 }
            return try integer(text(start + 2..<position), radix: 16, from: start)
        }
        var isDouble = false
        while let scalar = peek(), isDigit(scalar) { position += 1 }
        if peek() == ".", peek(1).map(isDigit) == true {
            isDouble = true
            position += 1
            while let scalar = peek(), isDigit(scalar) { position += 1 }
        }
        if let mark = peek(), mark == "e" || mark == "E" {
            let signed = peek(1) == "+" || peek(1) == "-" ? 2 : 1
            if peek(signed).map(isDigit) == true {
                isDouble = true
                position += signed
                while let scalar = peek(), isDigit(scalar) { position += 1 }
            }
        }
        let digits = text(start..<position)
        if !isDouble { return try integer(digits, radix: 10, from: start) }
        guard let value = Double(digits.hasPrefix(".") ? "0" + digits : digits), value.isFinite else {
            throw CELError(kind: .syntax, message: "invalid double literal", offset: start)
        }
        return .double(value)
    }

    private mutating func integer(_ digits: String, radix: Int, from start: Int) throws(CELError) -> Token {
        if peek() == "u" || peek() == "U" {
            position += 1
            if let value = UInt(digits, radix: radix) { return .uint(value) }
            throw CELError(kind: .syntax, message: "invalid uint literal", offset: start)
        }
        if let value = Int(digits, radix: radix) { return .int(value) }
        if UInt(digits, radix: radix) == Int.min.magnitude { return .intMinMagnitude }
        throw CELError(kind: .syntax, message: "invalid int literal", offset: start)
    }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        position + ahead < scalars.count ? scalars[position + ahead] : nil
    }

    private func text(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return String(view)
    }

    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
    }
}

extension CELLexer {
    /// Reads `"…"`, `'…'`, `"""…"""`, with prefixes `r` (raw) and `b` (bytes); nil when no literal begins here.
    private mutating func stringLiteral() throws(CELError) -> Token? {
        let start = position
        var isRaw = false
        var isBytes = false
        var ahead = 0
        while let prefix = peek(ahead), ahead < 2 {
            if !isRaw, prefix == "r" || prefix == "R" {
                isRaw = true
            } else if !isBytes, prefix == "b" || prefix == "B" {
                isBytes = true
            } else {
                break
            }
            ahead += 1
        }
        guard let quote = peek(ahead), quote == "\"" || quote == "'" else { return nil }
        position += ahead + 1
        let isTriple = peek() == quote && peek(1) == quote
        if isTriple { position += 2 }
        var bytes: [UInt8] = []
        while let scalar = peek() {
            if scalar == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
                position += isTriple ? 3 : 1
                return isBytes ? .bytes(bytes) : .string(String(decoding: bytes, as: UTF8.self))
            }
            if scalar == "\n", !isTriple { break }
            position += 1
            if scalar == "\\", !isRaw {
                try escape(into: &bytes, isBytes: isBytes, from: position - 1)
            } else {
                bytes += Array(String(scalar).utf8)
            }
        }
        throw CELError(kind: .syntax, message: "Syntax error: unterminated string literal", offset: start)
    }

    private mutating func escape(into bytes: inout [UInt8], isBytes: Bool, from start: Int) throws(CELError) {
        let failure = CELError(kind: .syntax, message: "Syntax error: invalid escape sequence", offset: start)
        guard let scalar = peek() else { throw failure }
        position += 1
        let simple: [Unicode.Scalar: UInt8] = [
            "a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, "\"": 34, "`": 96, "?": 63,
        ]
        if let byte = simple[scalar] {
            bytes.append(byte)
            return
        }
        let (count, radix): (Int, Int)
        switch scalar {
        case "x", "X": (count, radix) = (2, 16)
        case "u": (count, radix) = (4, 16)
        case "U": (count, radix) = (8, 16)
        case "0"..."3":
            position -= 1
            (count, radix) = (3, 8)
        default: throw failure
        }
        guard position + count <= scalars.count,
            let value = UInt32(text(position..<position + count), radix: radix)
        else { throw failure }
        position += count
        if isBytes, count < 4 {
            bytes.append(UInt8(truncatingIfNeeded: value))
        } else {
            guard let scalar = Unicode.Scalar(value) else { throw failure }
            bytes += Array(String(scalar).utf8)
        }
    }
}
