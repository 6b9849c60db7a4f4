internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials
internal import StructuredData

/// A JSON Web Token with a signature (RFC 7519, RFC 7515 section 3.1), taken apart and believed in nothing yet.
struct JSONWebToken: Sendable {
    private static let longest = 16 << 10

    let header: JSON
    let claims: JSON
    let signature: Data
    /// What was signed.
    let signed: Data

    /// Nil when the text is anything else.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.longest, parts.count == 3, let header = Data(base64URL: parts[0]),
            let claims = Data(base64URL: parts[1]), let signature = Data(base64URL: parts[2]),
            let headerJSON = try? JSON(parsing: header, limits: Self.limits),
            let claimsJSON = try? JSON(parsing: claims, limits: Self.limits)
        else { return nil }
        (self.header, self.claims, self.signature) = (headerJSON, claimsJSON, signature)
        signed = Data("\(parts[0]).\(parts[1])".utf8)
    }

    private static let limits = JSONLimits(maxDepth: 16, maxBytes: longest)
}

/// A public key of an identity provider (RFC 7517).
struct JSONWebKey: Sendable {
    private enum Material: Sendable {
        case rsa(_RSA.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    let id: String?
    private let material: Material

    /// Nil for one that is not for signatures, or of a kind that is not known here.
    init?(_ json: JSON) {
        guard json["use"]?.string ?? "sig" == "sig" else { return nil }
        func bytes(_ name: String) -> Data? { json[name]?.string.flatMap { Data(base64URL: $0) } }
        switch (json["kty"]?.string, json["crv"]?.string) {
        case ("RSA", _):
            guard let n = bytes("n"), let e = bytes("e"), n.count >= 256,
                let key = try? _RSA.Signing.PublicKey(n: n, e: e)
            else { return nil }
            material = .rsa(key)
        case ("EC", "P-256"):
            guard let x = bytes("x"), let y = bytes("y"),
                let key = try? P256.Signing.PublicKey(rawRepresentation: x + y)
            else { return nil }
            material = .p256(key)
        case ("OKP", "Ed25519"):
            guard let x = bytes("x"), let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x) else {
                return nil
            }
            material = .ed25519(key)
        default: return nil
        }
        id = json["kid"]?.string
    }

    /// Whether the key signed the token. What the token says of its algorithm must be what the key is for, and never
    /// decides how it is checked (RFC 8725, section 3.1).
    func signed(_ token: JSONWebToken) -> Bool {
        switch (material, token.header["alg"]?.string) {
        case (.rsa(let key), "RS256"):
            return key.isValidSignature(
                .init(rawRepresentation: token.signature), for: SHA256.hash(data: token.signed),
                padding: .insecurePKCS1v1_5)
        case (.p256(let key), "ES256"):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: token.signature) else {
                return false
            }
            return key.isValidSignature(signature, for: token.signed)
        case (.ed25519(let key), "EdDSA"): return key.isValidSignature(token.signature, for: token.signed)
        default: return false
        }
    }
}

extension Data {
    /// Base64url without padding (RFC 7515, section 2).
    init?(base64URL text: some StringProtocol) {
        guard !text.utf8.contains(where: { "+/=".utf8.contains($0) }) else { return nil }
        let base64 = String(text).replacing("-", with: "+").replacing("_", with: "/")
        self.init(base64Encoded: base64 + String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4))
    }
}
