/// Text in header fields (RFC 5322, section 2.2; RFC 2047).
enum HeaderText {
    /// RFC 2047, section 2: an encoded word has at most 75 characters, a line with one 76.
    private static let longestWord = 75
    private static let longestLine = 76
    private static let start = "=?utf-8?B?"
    private static let end = "?="

    /// Unstructured text, as it is where it is plain enough, else in encoded words. Control characters become blanks.
    ///
    /// - Parameter column: how many characters stand before it in its line.
    static func encode(_ text: String, after column: Int) -> String {
        let text = withoutControls(text)
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f } && !text.contains("=?")
        return isPlain && column + text.utf8.count <= longestLine ? text : words(text, after: column)
    }

    /// A display name: as it is when it is made of atoms, else in encoded words, which need no quoting.
    static func phrase(_ name: String, after column: Int) -> String {
        let name = withoutControls(name)
        let isPlain = name.utf8.allSatisfy { isAtom($0) || $0 == 0x20 } && column + name.utf8.count <= longestLine
        return isPlain ? name : words(name, after: column)
    }

    private static func withoutControls(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) ? " " : $0 }))
    }

    /// RFC 5322, section 3.2.3.
    private static func isAtom(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-/^_`{|}~".utf8.contains(byte)
        }
    }

    /// Blanks between encoded words do not count, so a text may be cut between any two scalars.
    private static func words(_ text: String, after column: Int) -> String {
        var words: [String] = []
        var piece: [UInt8] = []
        var room = longestLine - column
        func fits(_ count: Int) -> Bool {
            start.utf8.count + (count + 2) / 3 * 4 + end.utf8.count <= min(longestWord, room)
        }
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if !piece.isEmpty, !fits(piece.count + bytes.count) {
                words.append(start + Base64.encode(piece) + end)
                piece = []
                room = longestLine - 1
            }
            piece += bytes
        }
        words.append(start + Base64.encode(piece) + end)
        return words.joined(separator: "\r\n ")
    }
}

/// RFC 2045, section 6.7.
enum QuotedPrintable {
    private static let longestLine = 76

    /// `text` in lines of at most 76 characters that end in CRLF; every line of it ends one.
    static func encode(_ text: String) -> String {
        text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { content in
            line(Array(content.last == UInt8(ascii: "\r") ? content.dropLast() : content))
        }.joined(separator: "\r\n")
    }

    private static func line(_ bytes: [UInt8]) -> String {
        var result = ""
        var column = 0
        for (place, byte) in bytes.enumerated() {
            let isLast = place == bytes.count - 1
            let isBlank = byte == 0x20 || byte == 0x09
            // What stands at the end of a line may get lost when it is a blank.
            let isPlain = (0x21...0x7e).contains(byte) && byte != UInt8(ascii: "=") || (isBlank && !isLast)
            let token = isPlain ? String(UnicodeScalar(byte)) : "=" + hex(byte)
            if column + token.utf8.count > longestLine - (isLast ? 0 : 1) {
                result += "=\r\n"
                column = 0
            }
            result += token
            column += token.utf8.count
        }
        return result
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.utf8.count == 1 ? "0" + digits : digits
    }
}

/// RFC 4648, section 4.
enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

    static func encode(_ bytes: [UInt8]) -> String {
        var result = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                result.append(place <= group.count ? digits[bits >> (18 - 6 * place) & 63] : "=")
            }
        }
        return result
    }
}
