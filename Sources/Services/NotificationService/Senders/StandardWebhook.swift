internal import Crypto
internal import FoundationEssentials

/// Signatures as the Standard Webhooks specification has them (version 1.0.0): HMAC-SHA256 over id, time and body.
enum StandardWebhook {
    static let secretPrefix = "whsec_"
    /// The specification asks for 24 to 64.
    static let secretBytes = 32

    /// As receivers' libraries take it.
    static func text(ofSecret secret: [UInt8]) -> String { secretPrefix + Data(secret).base64EncodedString() }

    static func makeSecret() -> [UInt8] { SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) } }

    /// The value of `webhook-signature`: one signature for each secret.
    ///
    /// - Parameter timestamp: seconds since 1970.
    static func signature(id: String, timestamp: Int64, body: [UInt8], secrets: [[UInt8]]) -> String {
        let signed = Array("\(id).\(timestamp).".utf8) + body
        return secrets.map { secret in
            let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: secret))
            return "v1,\(Data(code).base64EncodedString())"
        }.joined(separator: " ")
    }
}
