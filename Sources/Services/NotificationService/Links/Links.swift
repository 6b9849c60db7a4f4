internal import Crypto
internal import FoundationEssentials
internal import TodoModel

/// What a link in a mail does, without a login: whoever has the link may.
enum LinkAction: UInt8, Sendable, CaseIterable {
    case acknowledge = 1
    case snooze = 2
    case unsubscribe = 3
    case verify = 4

    /// In the path: `/v1/notifications/acknowledge`.
    var name: String { "\(self)" }

    /// How long a link of it is good.
    var lifetime: Duration {
        switch self {
        case .acknowledge, .snooze: .seconds(7 * 86_400)
        case .unsubscribe: .seconds(180 * 86_400)
        case .verify: .seconds(86_400)
        }
    }
}

/// What a link says that is signed.
struct LinkClaim: Sendable, Hashable {
    var action: LinkAction
    var user: UUID
    /// A reminder, or a channel.
    var subject: UUID
    /// Seconds since 1970.
    var expiry: Int64
}

/// Makes and reads signed, expiring links.
struct Links: Sendable {
    static let path = "/v1/notifications"
    private static let version: UInt8 = 1
    private static let claimBytes = 42

    private let key: SymmetricKey
    /// Of links that were sent before a rotation.
    private let previousKey: SymmetricKey?
    /// Where people reach the installation, without a slash at the end.
    private let publicURL: String
    private let now: @Sendable () -> Instant
    init(
        key: SymmetricKey, previousKey: SymmetricKey? = nil, publicURL: String,
        now: @escaping @Sendable () -> Instant
    ) {
        self.key = key
        self.previousKey = previousKey
        self.publicURL = publicURL
        self.now = now
    }

    /// The web page.
    var page: String { "\(publicURL)/" }

    func url(_ action: LinkAction, of user: UUID, about subject: UUID) -> String {
        let expiry = (now() + action.lifetime).microsecondsSince1970 / 1_000_000
        let token = token(LinkClaim(action: action, user: user, subject: subject, expiry: expiry))
        return "\(publicURL)\(Self.path)/\(action.name)?t=\(token)"
    }

    func token(_ claim: LinkClaim) -> String {
        var bytes: [UInt8] = [Self.version, claim.action.rawValue]
        withUnsafeBytes(of: claim.user.uuid) { bytes += $0 }
        withUnsafeBytes(of: claim.subject.uuid) { bytes += $0 }
        withUnsafeBytes(of: claim.expiry.bigEndian) { bytes += $0 }
        let code = HMAC<SHA256>.authenticationCode(for: bytes, using: key)
        return Self.base64url(bytes + Array(code))
    }

    enum Reading: Sendable, Hashable {
        case valid(LinkClaim)
        case expired
        /// Not made by us, or changed.
        case forged
    }

    func read(_ token: String) -> Reading {
        guard let bytes = Self.bytes(token), bytes.count == Self.claimBytes + SHA256.byteCount,
            Self.base64url(bytes) == token
        else { return .forged }
        let (signed, code) = (Array(bytes[..<Self.claimBytes]), bytes[Self.claimBytes...])
        let isOurs = [key, previousKey].compactMap(\.self).contains {
            HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed, using: $0)
        }
        guard isOurs, signed[0] == Self.version, let action = LinkAction(rawValue: signed[1])
        else { return .forged }
        let expiry = signed[34...].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        guard expiry > now().microsecondsSince1970 / 1_000_000 else { return .expired }
        return .valid(
            LinkClaim(action: action, user: UUID(signed[2..<18]), subject: UUID(signed[18..<34]), expiry: expiry))
    }

    /// RFC 4648, section 5, without padding.
    private static func base64url(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return Data(base64Encoded: plain + padding).map { Array($0) }
    }
}

extension UUID {
    fileprivate init(_ bytes: ArraySlice<UInt8>) {
        self = bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}
