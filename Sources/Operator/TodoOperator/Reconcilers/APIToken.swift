internal import FoundationEssentials
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// The token of the HTTP API in its Secret: the operator's random one, or a person's own.
struct APIToken: Sendable, Equatable {
    /// Fewer than 16 characters can be guessed; more than 4096 do not fit into the header lines that proxies pass on.
    static let length = 16...4096

    let value: String

    /// Throws `Hindrance` when it cannot be used.
    init(_ secret: KubernetesObject, of app: TodoApp) throws(AppObservation.Hindrance) {
        let name = "the key token of Secret \(secret.namespace ?? "")/\(secret.name)"
        let remedy = "write a better one there, or delete the Secret to get a new random one"
        guard let encoded = secret.json.at("data", "token")?.string, !encoded.isEmpty else {
            throw .apiToken("\(name) is missing or empty; \(remedy)")
        }
        guard let bytes = Data(base64Encoded: encoded), let token = String(validating: bytes, as: UTF8.self),
            Self.isBearerToken(token)
        else {
            throw .apiToken(
                "\(name) has a character that a bearer token may not have: letters, digits and - . _ ~ + / are allowed, "
                    + "and = at the end, but no line end (RFC 6750); \(remedy)")
        }
        guard Self.length.contains(bytes.count) else {
            throw .apiToken(
                "\(name) has \(bytes.count) characters, and should have \(Self.length.lowerBound) to "
                    + "\(Self.length.upperBound); \(remedy)")
        }
        value = token
    }

    /// `b64token` of RFC 6750 section 2.1.
    static func isBearerToken(_ text: String) -> Bool {
        let padding = text.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let token = text.utf8.dropLast(padding)
        return !token.isEmpty
            && token.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~+/".utf8.contains(byte)
                }
            }
    }
}
