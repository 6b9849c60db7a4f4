internal import Crypto
public import FoundationEssentials

/// What the bearer of a token has: whose it is, and 256 random bits. The database keeps a hash of them only.
public struct TokenSecret: Sendable, Hashable {
    public let user: UUID
    private let key: [UInt8]

    private static let prefix = "todo_"
    private static let keyLength = 32

    /// A new one.
    public init(for user: UUID) {
        self.user = user
        key = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
    }

    /// `todo_` and base64url (RFC 4648, section 5) of the user's id and the key. Nil when the text is anything else.
    public init?(_ text: some StringProtocol) {
        guard text.hasPrefix(Self.prefix), text.utf8.count == Self.prefix.utf8.count + 64 else { return nil }
        guard let bytes = Base64URL.decode(text.dropFirst(Self.prefix.count)), bytes.count == 16 + Self.keyLength else {
            return nil
        }
        user = bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
        key = Array(bytes.dropFirst(16))
    }

    public var text: String {
        Self.prefix + Base64URL.encode(withUnsafeBytes(of: user.uuid) { Array($0) } + key)
    }

    /// SHA-256 of the key. The key is random in all its bits, so that a slow hash would protect nothing more.
    var hash: [UInt8] { Array(SHA256.hash(data: key)) }
}
