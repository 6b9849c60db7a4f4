/// Why a query cannot be read, where, and what would be right.
public struct TaskQueryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where the mistake begins, in characters (Unicode scalars) from the start of the query.
    public let offset: Int
    /// How many characters it is long.
    public let length: Int
    /// The same place, in bytes of UTF-8.
    public let utf8Range: Range<Int>
    /// One sentence for the person who wrote the query.
    public let message: String

    public var description: String { "\(message) (at character \(offset + 1))" }

    init(_ message: String, at range: Range<Int>, of text: [Unicode.Scalar]) {
        let range = range.clamped(to: 0..<text.count)
        self.message = message
        offset = range.lowerBound
        length = range.count
        func bytes(_ scalars: ArraySlice<Unicode.Scalar>) -> Int { scalars.reduce(0) { $0 + UTF8.width($1) } }
        let start = bytes(text[..<range.lowerBound])
        utf8Range = start..<(start + bytes(text[range]))
    }
}
