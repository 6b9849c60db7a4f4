internal import Crypto
internal import StructuredData

/// Signs and checks the tokens of service accounts: JWT (RFC 7519) with ES256, by a key of the server.
struct TokenIssuer: Sendable {
    static let issuer = "https://kubernetes.default.svc.cluster.local"

    /// What a token says of its bearer.
    struct Claims: Sendable, Hashable {
        var namespace: String
        var serviceAccount: String
        var uid: String
        var audiences: [String]
        /// Seconds since 1970.
        var issuedAt: Int
        var expiresAt: Int
        var id: String
        /// The Secret without which the token is not good; nil for one that was asked for.
        var secret: String?
    }

    private let key: P256.Signing.PrivateKey

    init(key: P256.Signing.PrivateKey = P256.Signing.PrivateKey()) { self.key = key }

    init(pem: String) throws { key = try P256.Signing.PrivateKey(pemRepresentation: pem) }

    var pem: String { key.pemRepresentation }

    func token(_ claims: Claims) throws -> String {
        let header: JSON = ["alg": "ES256", "typ": "JWT", "kid": .string(keyID)]
        let text = Base64.url(header.encoded()) + "." + Base64.url(claims.json.encoded())
        let signature = try key.signature(for: Array(text.utf8))
        return text + "." + Base64.url(Array(signature.rawRepresentation))
    }

    /// The claims of a token that this server signed and that has not expired at `now`; nil for every other text.
    func claims(of token: String, now: Int) -> Claims? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let signature = Base64.decoded(String(parts[2])),
            let parsed = try? P256.Signing.ECDSASignature(rawRepresentation: signature),
            key.publicKey.isValidSignature(parsed, for: Array("\(parts[0]).\(parts[1])".utf8)),
            let payload = Base64.decoded(String(parts[1])), let json = try? JSON(parsing: payload),
            let claims = Claims(json), claims.issuedAt <= now + 60, now < claims.expiresAt
        else { return nil }
        return claims
    }

    private var keyID: String {
        Base64.url(Array(SHA256.hash(data: key.publicKey.derRepresentation)))
    }
}

extension TokenIssuer.Claims {
    fileprivate init?(_ json: JSON) {
        guard json["iss"]?.string == TokenIssuer.issuer, let expiresAt = json["exp"]?.int,
            let issuedAt = json["iat"]?.int,
            let namespace = json.at("kubernetes.io", "namespace")?.string,
            let name = json.at("kubernetes.io", "serviceaccount", "name")?.string,
            let uid = json.at("kubernetes.io", "serviceaccount", "uid")?.string
        else { return nil }
        self.init(
            namespace: namespace, serviceAccount: name, uid: uid,
            audiences: json["aud"]?.array?.compactMap(\.string) ?? [], issuedAt: issuedAt, expiresAt: expiresAt,
            id: json["jti"]?.string ?? "", secret: json.at("kubernetes.io", "secret", "name")?.string)
    }

    fileprivate var json: JSON {
        var json: JSON = [
            "aud": .array(audiences.map { .string($0) }), "exp": JSON(expiresAt), "iat": JSON(issuedAt),
            "iss": .string(TokenIssuer.issuer), "jti": .string(id),
            "kubernetes.io": [
                "namespace": .string(namespace),
                "serviceaccount": ["name": .string(serviceAccount), "uid": .string(uid)],
            ],
            "nbf": JSON(issuedAt), "sub": .string("system:serviceaccount:\(namespace):\(serviceAccount)"),
        ]
        if let secret { json.set(.string(secret), at: "kubernetes.io", "secret", "name") }
        return json
    }
}
