/// The outer levels of a text in JSON, and where in it the values below them are written: for what is mostly passed on.
/// All of it is checked as strictly as `JSON(parsing:)` does; nothing is made of what lies deeper.
public struct JSONOutline: Sendable {
    public enum Content: Sendable {
        /// No container, or one below the levels that were asked for.
        case text
        case array([JSONOutline])
        /// In the order of the text; names may come twice.
        case object([Member])
    }

    public struct Member: Sendable {
        public let name: String
        public let value: JSONOutline
    }

    /// The places of the value's bytes, without the space around it.
    public let range: Range<Int>
    public let content: Content

    init(range: Range<Int>, content: Content) {
        self.range = range
        self.content = content
    }

    /// - Parameter levels: of containers whose elements and members are told apart; 1 is the outermost one alone.
    public init(of bytes: [UInt8], levels: Int, limits: JSONLimits = .default) throws(JSONParseError) {
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONParseError) -> JSONOutline in
                var parser = try JSONParser(buffer, limits: limits, reportsDuplicates: false)
                return try parser.outline(levels: levels)
            }
        }
        self = try result.get()
    }

    /// Of an object; of two with that name the last one.
    public subscript(name: String) -> JSONOutline? {
        guard case .object(let members) = content else { return nil }
        return members.last { $0.name.hasSameBytes(as: name) }?.value
    }
}
