/// What an input may cost before it is refused.
public struct JSONLimits: Sendable, Hashable {
    /// How deep arrays and objects may be nested: 1 allows `[]` but not `[[]]`. Never more than `deepest`.
    public var maxDepth: Int
    /// The size of the input in bytes.
    public var maxBytes: Int

    /// Values this deep can be walked recursively on the 512 KiB of stack that a worker thread has.
    public static let deepest = 256
    /// 256 levels, 256 MiB.
    public static let `default` = JSONLimits()

    public init(maxDepth: Int = JSONLimits.deepest, maxBytes: Int = 256 << 20) {
        self.maxDepth = min(maxDepth, Self.deepest)
        self.maxBytes = maxBytes
    }
}

/// Why and where a text is not JSON.
public struct JSONParseError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was found or missed, as in `expected a value, found "}"`.
    public let message: String
    /// Bytes before the fault.
    public let offset: Int
    /// Line of the fault, from 1.
    public let line: Int
    /// Byte of the fault within its line, from 1.
    public let column: Int

    public var description: String { "line \(line), column \(column): \(message)" }

    init(_ message: String, at offset: Int, in bytes: UnsafeBufferPointer<UInt8>) {
        let before = bytes.prefix(offset)
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        self.message = message
        self.offset = offset
        line = before.count { $0 == UInt8(ascii: "\n") } + 1
        column = offset - lineStart + 1
    }
}
