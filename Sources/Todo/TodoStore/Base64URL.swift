internal import FoundationEssentials

/// Base64url without padding (RFC 4648, section 5).
enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String {
        var text = Array(Data(bytes).base64EncodedData())
        for place in text.indices {
            switch text[place] {
            case UInt8(ascii: "+"): text[place] = UInt8(ascii: "-")
            case UInt8(ascii: "/"): text[place] = UInt8(ascii: "_")
            default: break
            }
        }
        while text.last == UInt8(ascii: "=") { text.removeLast() }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for what is none.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var base64 = Data(text.utf8)
        for place in base64.indices {
            switch base64[place] {
            case UInt8(ascii: "-"): base64[place] = UInt8(ascii: "+")
            case UInt8(ascii: "_"): base64[place] = UInt8(ascii: "/")
            default: break
            }
        }
        while base64.count % 4 > 0 { base64.append(UInt8(ascii: "=")) }
        return Data(base64Encoded: base64).map { Array($0) }
    }
}
