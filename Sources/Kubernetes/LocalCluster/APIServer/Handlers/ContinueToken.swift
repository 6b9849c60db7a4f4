internal import StructuredData

/// Where a list that came in pages goes on: opaque to clients.
struct ContinueToken: Sendable, Hashable {
    /// The revision that all pages show; nil when the client accepted the present state for the rest.
    var revision: UInt64?
    /// The first key of the next page.
    var start: String

    init(revision: UInt64?, start: String) {
        self.revision = revision
        self.start = start
    }

    init?(_ text: String) {
        guard let bytes = Base64.decoded(text), let json = try? JSON(parsing: bytes),
            json["v"]?.string == "meta.k8s.io/v1",
            let start = json["start"]?.string, let revision = json["rv"]?.int
        else { return nil }
        self.start = start
        self.revision = revision < 0 ? nil : UInt64(revision)
    }

    var text: String {
        let json: JSON = ["v": "meta.k8s.io/v1", "rv": JSON(revision.map { Int($0) } ?? -1), "start": .string(start)]
        return Base64.url(json.encoded())
    }
}

/// Base 64 (RFC 4648), with the plain and the URL alphabet.
enum Base64 {
    private static let standardAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func standard(_ bytes: some Collection<UInt8>) -> String {
        let text = encode(bytes, standardAlphabet)
        return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    }

    /// Without padding.
    static func url(_ bytes: some Collection<UInt8>) -> String { encode(bytes, urlAlphabet) }

    private static func encode(_ bytes: some Collection<UInt8>, _ alphabet: [UInt8]) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count * 4 / 3 + 4)
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                result.append(alphabet[Int(buffer >> bits & 63)])
            }
        }
        if bits > 0 { result.append(alphabet[Int(buffer << (6 - bits) & 63)]) }
        return String(decoding: result, as: UTF8.self)
    }

    /// Either alphabet, padded or not; nil for anything else.
    static func decoded(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for character in text.utf8 {
            let value: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "/"), UInt8(ascii: "_"): value = 63
            case UInt8(ascii: "="): continue
            default: return nil
            }
            buffer = buffer << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(truncatingIfNeeded: buffer >> bits))
            }
        }
        return result
    }
}
