internal import Crypto
internal import StructuredData
internal import TodoResources

/// One key of a Secret in the namespace of the app.
public struct SecretKey: Hashable, Comparable, Sendable {
    public let secret: String
    public let key: String

    public init(_ secret: String, _ key: String) {
        self.secret = secret
        self.key = key
    }

    /// - Parameter reference: a `secretKeyRef`.
    init(_ reference: JSON) { self.init(reference["name"]?.string ?? "", reference["key"]?.string ?? "") }

    public static func < (one: SecretKey, other: SecretKey) -> Bool {
        (one.secret, one.key) < (other.secret, other.key)
    }
}

/// What keys of Secrets hold, in Base64. One that is not there is absent.
public typealias SecretContent = [SecretKey: String]

extension ServiceContext {
    /// What the pods read from Secrets when they start: the variables of the container, and the login of the Component that
    /// their sidecar loads.
    var secretKeys: Set<SecretKey> {
        let variables = ServiceEnvironment(self).variables.compactMap { $0.at("valueFrom", "secretKeyRef") }
        let login = access.map { PubSubComponent(access: $0, app: app, bootstrapServers: []).secretReferences }
        return Set((variables + (login ?? [])).map(SecretKey.init))
    }

    /// Changes when the content of any of `secretKeys` does, and with nothing else. 32 hexadecimal digits of a SHA-256, the
    /// same in every release: with another way to compute it, an upgrade of the operator would roll every pod. Empty when
    /// the content is not known.
    var secretChecksum: String {
        guard let content = inputs.secrets else { return "" }
        var hash = SHA256()
        for key in secretKeys.sorted() {
            // "absent" is no Base64.
            for part in [key.secret, key.key, content[key] ?? "absent"] {
                hash.update(data: Array("\(part.utf8.count):\(part)".utf8))
            }
        }
        return hash.finalize().hexadecimal(16)
    }
}

extension SHA256Digest {
    /// The first `count` bytes, in two digits each.
    func hexadecimal(_ count: Int) -> String {
        prefix(count).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
