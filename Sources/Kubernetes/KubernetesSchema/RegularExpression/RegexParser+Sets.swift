extension RegexParser {
    private static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
    private static let words: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
    private static let spaces: [ClosedRange<UInt32>] = [9...10, 12...13, 32...32]
    private static let posix: [String: [ClosedRange<UInt32>]] = [
        "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A], "alpha": [0x41...0x5A, 0x61...0x7A], "ascii": [0...0x7F],
        "blank": [9...9, 32...32], "cntrl": [0...0x1F, 0x7F...0x7F], "digit": digits, "graph": [0x21...0x7E],
        "lower": [0x61...0x7A], "print": [0x20...0x7E], "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E],
        "space": [9...13, 32...32], "upper": [0x41...0x5A], "word": words,
        "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
    ]

    /// After a backslash outside brackets.
    mutating func parseEscape(from start: Int) throws(SyntaxError) -> RegexNode {
        guard let scalar = next else { throw SyntaxError(message: "trailing backslash at end of expression: ``") }
        switch scalar {
        case "A": return assertion(.textStart)
        case "z": return assertion(.textEnd)
        case "b": return assertion(.wordBoundary)
        case "B": return assertion(.noWordBoundary)
        default: break
        }
        if let set = try parseClassEscape(from: start) { return .set(set) }
        return literal(try parseCharacterEscape(from: start))
    }

    private mutating func assertion(_ assertion: RegexAssertion) -> RegexNode {
        position += 1
        return .assertion(assertion)
    }

    /// `\d`, `\W`, `\pL`, `\P{Lu}`; nil when the escape is of one character.
    private mutating func parseClassEscape(from start: Int) throws(SyntaxError) -> RegexSet? {
        guard let scalar = next else { return nil }
        switch scalar {
        case "d", "D", "w", "W", "s", "S":
            position += 1
            let ranges =
                switch scalar {
                case "d", "D": Self.digits
                case "w", "W": Self.words
                default: Self.spaces
                }
            return RegexSet(ranges, isNegated: scalar.properties.isUppercase)
        case "p", "P":
            position += 1
            var isNegated = scalar == "P"
            var name = ""
            if take("{") {
                if take("^") { isNegated.toggle() }
                while let part = next, part != "}" {
                    name.unicodeScalars.append(part)
                    position += 1
                }
                _ = take("}")
            } else if let letter = next {
                name.unicodeScalars.append(letter)
                position += 1
            }
            guard let categories = Self.categories(named: name) else {
                throw SyntaxError(message: "invalid character class range: `\(text(start..<position))`")
            }
            var set = RegexSet()
            set.categories = [RegexSet.Category(categories: categories, isNegated: isNegated)]
            return set
        default: return nil
        }
    }

    private mutating func parseCharacterEscape(from start: Int) throws(SyntaxError) -> Unicode.Scalar {
        guard let scalar = next else { throw SyntaxError(message: "trailing backslash at end of expression: ``") }
        position += 1
        switch scalar {
        case "a": return "\u{7}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{B}"
        case "x":
            var digits = ""
            if take("{") {
                while let digit = next, digit != "}" {
                    digits.unicodeScalars.append(digit)
                    position += 1
                }
                _ = take("}")
            } else {
                let end = min(position + 2, scalars.count)
                digits = text(position..<end)
                position = end
            }
            if let value = UInt32(digits, radix: 16), let result = Unicode.Scalar(value) { return result }
        case "0"..."7" where scalar == "0" || next.map { ("0"..."7").contains($0) } == true:
            var value = scalar.value - 48
            for _ in 0..<2 {
                guard let digit = next, ("0"..."7").contains(digit) else { break }
                value = value * 8 + digit.value - 48
                position += 1
            }
            if let result = Unicode.Scalar(value) { return result }
        default:
            let isWord = scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
            if scalar.isASCII, !isWord { return scalar }
        }
        throw SyntaxError(message: "invalid escape sequence: `\(text(start..<position))`")
    }

    /// After `[`.
    mutating func parseBracket(from start: Int) throws(SyntaxError) -> RegexSet {
        var set = RegexSet()
        set.isNegated = take("^")
        var isFirst = true
        while let scalar = next, scalar != "]" || isFirst {
            isFirst = false
            if try parsePOSIXClass(into: &set) { continue }
            if scalar == "\\" {
                position += 1
                if let inner = try parseClassEscape(from: position - 1) {
                    add(inner, to: &set)
                    continue
                }
                position -= 1
            }
            let itemStart = position
            let low = try parseBracketCharacter(from: start)
            var high = low
            if next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" {
                position += 1
                high = try parseBracketCharacter(from: start)
            }
            guard low.value <= high.value else {
                throw SyntaxError(message: "invalid character class range: `\(text(itemStart..<position))`")
            }
            set.ranges.append(low.value...high.value)
        }
        guard take("]") else {
            throw SyntaxError(message: "missing closing ]: `\(text(start..<scalars.count))`")
        }
        return flags.ignoresCase ? set.foldingCase() : set
    }

    private mutating func parseBracketCharacter(from start: Int) throws(SyntaxError) -> Unicode.Scalar {
        guard let scalar = next else {
            throw SyntaxError(message: "missing closing ]: `\(text(start..<scalars.count))`")
        }
        position += 1
        return scalar == "\\" ? try parseCharacterEscape(from: position - 1) : scalar
    }

    private mutating func parsePOSIXClass(into set: inout RegexSet) throws(SyntaxError) -> Bool {
        guard scalars[position...].starts(with: "[:".unicodeScalars) else { return false }
        var end = position + 2
        while end + 1 < scalars.count, !(scalars[end] == ":" && scalars[end + 1] == "]") { end += 1 }
        guard end + 1 < scalars.count else { return false }
        var name = text(position + 2..<end)
        let isNegated = name.hasPrefix("^")
        if isNegated { name.removeFirst() }
        guard let ranges = Self.posix[name] else {
            throw SyntaxError(message: "invalid character class range: `\(text(position..<end + 2))`")
        }
        position = end + 2
        add(RegexSet(ranges, isNegated: isNegated), to: &set)
        return true
    }

    private func add(_ inner: RegexSet, to set: inout RegexSet) {
        set.categories += inner.categories
        guard inner.isNegated else {
            set.ranges += inner.ranges
            return
        }
        var low: UInt32 = 0
        for range in inner.ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > low { set.ranges.append(low...range.lowerBound - 1) }
            low = range.upperBound + 1
        }
        set.ranges.append(low...0x10FFFF)
    }

    /// The categories of `L`, `Lu`, …; nil when there is none of that name.
    private static func categories(named name: String) -> Set<Unicode.GeneralCategory>? {
        switch name {
        case "L": [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter]
        case "Lu": [.uppercaseLetter]
        case "Ll": [.lowercaseLetter]
        case "Lt": [.titlecaseLetter]
        case "Lm": [.modifierLetter]
        case "Lo": [.otherLetter]
        case "M": [.nonspacingMark, .spacingMark, .enclosingMark]
        case "Mn": [.nonspacingMark]
        case "Mc": [.spacingMark]
        case "N": [.decimalNumber, .letterNumber, .otherNumber]
        case "Nd": [.decimalNumber]
        case "Nl": [.letterNumber]
        case "No": [.otherNumber]
        case "P":
            [
                .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
                .finalPunctuation, .otherPunctuation,
            ]
        case "S": [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol]
        case "Z": [.spaceSeparator, .lineSeparator, .paragraphSeparator]
        case "Zs": [.spaceSeparator]
        case "C": [.control, .format, .surrogate, .privateUse, .unassigned]
        case "Cc": [.control]
        case "Cf": [.format]
        default: nil
        }
    }
}
