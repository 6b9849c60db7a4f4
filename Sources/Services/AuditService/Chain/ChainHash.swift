public import Crypto

/// The SHA-256 that ties an entry, or a checkpoint, to everything before it.
public struct ChainHash: Sendable, Hashable {
    static let byteCount = 32

    /// Words rather than `SIMD32`: a value that wants more than 16 bytes of alignment corrupts the memory of a task that
    /// holds it across a suspension (Swift 6.3).
    private struct Words: Hashable {
        var first: UInt64 = 0
        var second: UInt64 = 0
        var third: UInt64 = 0
        var fourth: UInt64 = 0
    }

    private var words = Words()

    /// What the first entry of a shard and the first checkpoint follow.
    public static let zero = ChainHash()

    private init() {}

    public init(_ digest: SHA256Digest) {
        words = digest.withUnsafeBytes { $0.loadUnaligned(as: Words.self) }
    }

    /// Nil unless there are 32 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    /// Reads 64 hexadecimal digits in lower case; nil when they are anything else.
    public init?(hex digits: some Collection<UInt8>) {
        guard digits.count == 2 * Self.byteCount else { return nil }
        let isRead = withUnsafeMutableBytes(of: &words) { bytes in
            var place = 0
            for digit in digits {
                guard let number = Hex.value(of: digit) else { return false }
                bytes[place / 2] = bytes[place / 2] << 4 | number
                place += 1
            }
            return true
        }
        guard isRead else { return nil }
    }

    public var bytes: [UInt8] { withBytes { Array($0) } }

    /// 64 hexadecimal digits in lower case.
    public var hex: String {
        var digits: [UInt8] = []
        withBytes { Hex.append($0, to: &digits) }
        return String(decoding: digits, as: UTF8.self)
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(of: words, body)
    }
}

extension ChainHash: CustomStringConvertible {
    public var description: String { hex }
}

/// Hexadecimal in lower case.
enum Hex {
    private static let digits: StaticString = "0123456789abcdef"

    static func append(_ source: some Sequence<UInt8>, to bytes: inout [UInt8]) {
        for byte in source {
            bytes.append(digits.utf8Start[Int(byte >> 4)])
            bytes.append(digits.utf8Start[Int(byte & 15)])
        }
    }

    static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
