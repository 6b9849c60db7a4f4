internal import FoundationEssentials
internal import SwiftASN1

/// Certificate authorities in PEM (RFC 7468), as OpenSSL reads them: text around them is passed over, and one that is
/// damaged spoils them all. Whether they are to be trusted is not looked at.
enum CertificateBundle {
    /// Why nothing can be held against them, to follow the name of what holds them; nil when they can be used.
    static func problem(in bytes: some Sequence<UInt8>) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return "is not text" }
        let begins = text.matches(of: /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----/)
        guard !begins.isEmpty else { return "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)" }
        let ends = begins.dropFirst().map(\.range.lowerBound) + [text.endIndex]
        for (index, (begin, end)) in zip(begins, ends).enumerated() {
            let block = text[begin.range.upperBound..<end]
            guard let length = block.firstRange(of: "-----END \(begin.1)-----"),
                isCertificate(block[..<length.lowerBound])
            else { return "holds a certificate that is damaged, number \(index + 1) of \(begins.count)" }
        }
        return nil
    }

    private static func isCertificate(_ base64: Substring) -> Bool {
        guard let bytes = Data(base64Encoded: String(base64.filter { !$0.isWhitespace })),
            let node = try? DER.parse(firstElement(of: Array(bytes))), case .constructed(let parts) = node.content
        else { return false }
        // RFC 5280, section 4.1: what is signed, how, and the signature.
        return node.identifier == .sequence && parts.map(\.identifier) == [.sequence, .sequence, .bitString]
    }

    /// In a "TRUSTED CERTIFICATE" there follows what it is trusted for.
    private static func firstElement(of der: [UInt8]) -> ArraySlice<UInt8> {
        guard der.count > 1 else { return der[...] }
        let digits = der[1] < 0x80 ? 0 : Int(der[1] & 0x7f)
        guard digits <= 4, der.count >= 2 + digits else { return der[...] }
        let length = digits == 0 ? Int(der[1]) : der[2..<2 + digits].reduce(0) { $0 << 8 | Int($1) }
        return der.prefix(2 + digits + length)
    }
}
