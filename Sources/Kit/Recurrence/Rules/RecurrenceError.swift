/// Why a text is no rule, cron expression, duration or date, or why it does not fit the start.
public struct RecurrenceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// How many Unicode scalars of the text come before the mistake.
    public let offset: Int
    /// What is wrong and what is allowed.
    public let message: String

    public init(offset: Int, message: String) {
        self.offset = offset
        self.message = message
    }

    /// - Parameter byte: where in the UTF-8 form of `text` the mistake begins.
    init(_ message: String, in text: String, at byte: Int) {
        let offset = text.utf8.prefix(byte).count { $0 & 0xC0 != 0x80 }
        self.init(offset: offset, message: message)
    }

    public var description: String { "\(message) (at character \(offset + 1))" }
}

/// A piece of a text, and where in its UTF-8 form it begins.
struct TextPiece {
    let text: Substring
    let start: Int

    init(_ text: String) { (self.text, start) = (text[...], 0) }

    private init(_ text: Substring, at start: Int) { (self.text, self.start) = (text, start) }

    /// The pieces between separators; empty ones too.
    func split(_ separator: Character) -> [TextPiece] {
        var start = start
        return text.split(separator: separator, omittingEmptySubsequences: false).map { piece in
            defer { start += piece.utf8.count + 1 }
            return TextPiece(piece, at: start)
        }
    }

    /// What is before and after the first separator; nil without one.
    func cut(at separator: Character) -> (TextPiece, TextPiece)? {
        guard let place = text.firstIndex(of: separator) else { return nil }
        let left = text[..<place]
        return (
            TextPiece(left, at: start),
            TextPiece(text[text.index(after: place)...], at: start + left.utf8.count + 1)
        )
    }

    func dropFirst(_ count: Int) -> TextPiece {
        let rest = text.dropFirst(count)
        return TextPiece(rest, at: start + text.utf8.count - rest.utf8.count)
    }

    func dropLast(_ count: Int) -> TextPiece { TextPiece(text.dropLast(count), at: start) }

    /// A number of up to nine digits without a sign.
    var number: Int? {
        (1...9).contains(text.utf8.count) ? decimal(text.utf8) : nil
    }

    var isEmpty: Bool { text.isEmpty }
    var upper: String { text.uppercased() }
}
