internal import Crypto
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import ServiceHTTP
internal import TodoModel
internal import TodoStore

/// Who sent a request.
struct Bearer: Sendable {
    /// Not more than the id: the rest of an account is not believed for seconds, since another replica may change it.
    var user: UUID
    /// Nil for a token that is not kept in the database.
    var token: UUID?
    var scopes: Set<Scope>
    /// What requests are counted under.
    var limitKey: String
    /// When the person last proved who they are at the identity provider, in seconds since 1970; nil for tokens of ours.
    var proven: Int64?
    /// Whether the whole audit log, which is of everybody, may be taken out: by the operator's token alone.
    var mayExportAudit = false

    /// The value of the header `Todo-Scopes`, by which other services know what the token is good for.
    var scopeNames: String {
        (scopes.map(\.rawValue).sorted() + (mayExportAudit ? ["audit:export"] : [])).joined(separator: " ")
    }
}

/// Finds out who sent a request: by a session or personal token in `Authorization` (RFC 6750) or in the page's cookie, by
/// the token that the operator gave the service, or by one of the identity provider.
///
/// What the database said of a token is believed for a few seconds, so that most requests cost no look-up; a token that
/// is revoked here is forgotten at once, one that is revoked by another replica within that time. A request with
/// `Cache-Control: no-cache` (RFC 9111, section 5.2.1.4) is answered by what the database says now.
final class Authenticator: Sendable {
    static let cookie = "todo_session"

    /// Whose account the operator's token opens.
    static let operatorID = UUID(uuid: (0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1))
    private static let operatorProfile = AccountStore.Profile(email: "operator@todo.invalid", name: "Operator")

    private let database: TodoDatabase
    /// The present one, and one that is still taken after a rotation.
    private let operatorTokens: [SHA256Digest]
    private let provider: IdentityProvider?
    private let tokens = BearerMemory<TokenSecret>()
    /// By subject.
    private let logins = BearerMemory<String>()
    private let operators = BearerMemory<UUID>()

    init(database: TodoDatabase, operatorTokens: [String], provider: IdentityProvider?) {
        self.database = database
        self.operatorTokens = operatorTokens.map { Self.digest(of: $0) }
        self.provider = provider
    }

    /// Throws 401, or 403 for a write by cookie that another site may have sent.
    /// - Parameter asksAnew: what is believed of the token is forgotten first, also without `no-cache`.
    func bearer(of request: Request, asksAnew: Bool = false) async throws -> Bearer {
        let text: Substring
        if let header = request.headers[.authorization] {
            let parts = header.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else {
                throw Problem.unauthorized("send Authorization: Bearer <token>", isInvalid: true)
            }
            text = parts[1].trimmingBlanks()
        } else if let cookie = request.cookies[Self.cookie] {
            try request.requireSameOrigin()
            text = cookie.value[...]
        } else {
            throw Problem.unauthorized("send Authorization: Bearer <token>", isInvalid: false)
        }
        let asksAnew = asksAnew || request.headers[.cacheControl]?.contains("no-cache") == true
        if let secret = TokenSecret(text) { return try await bearer(secret, asksAnew) }
        // Digests are compared in constant time, and tell nothing of the token's length.
        let digest = Self.digest(of: text)
        if operatorTokens.contains(where: { $0 == digest }) { return try await theOperator() }
        if let provider, let token = JSONWebToken(text) {
            return try await bearer(provider.identify(token), at: provider.issuer, asksAnew)
        }
        throw Problem.unauthorized("the token is not valid", isInvalid: true)
    }

    /// Forgets what is known of somebody's tokens: they changed.
    func forget(_ user: UUID) {
        tokens.forget(user)
        logins.forget(user)
        operators.forget(user)
    }

    private func bearer(_ secret: TokenSecret, _ asksAnew: Bool) async throws -> Bearer {
        try await tokens.bearer(secret, asksAnew: asksAnew) {
            guard let token = try await database.tokens.authenticate(secret) else {
                throw Problem.unauthorized("the token is not valid, or no longer", isInvalid: true)
            }
            return Bearer(user: secret.user, token: token.id, scopes: token.scopes, limitKey: token.id.uuidString)
        }
    }

    private func bearer(
        _ login: IdentityProvider.Login, at issuer: String, _ asksAnew: Bool
    ) async throws -> Bearer {
        var bearer = try await logins.bearer(login.subject, asksAnew: asksAnew) {
            Bearer(
                user: try await user(login, at: issuer).id, token: nil, scopes: Set(Scope.allCases),
                limitKey: "login \(login.subject)")
        }
        // Of this token: what is remembered came with another one.
        bearer.proven = login.proven
        return bearer
    }

    /// The account of who was identified elsewhere, which is made when there is none.
    private func user(_ login: IdentityProvider.Login, at issuer: String) async throws -> User {
        if let user = try await database.accounts.user(issuer: issuer, subject: login.subject) { return user }
        try await requireNoErasure(since: login, at: issuer)
        do {
            return try await database.accounts.create(
                .init(email: login.email, name: login.name), password: nil, login: (issuer, login.subject))
        } catch StoreError.emailTaken {
            // Another request may have been faster; else the address is somebody's who signs in by password.
            if let user = try await database.accounts.user(issuer: issuer, subject: login.subject) { return user }
            throw Problem(.forbidden, "the address has an account that signs in otherwise: use that, or erase it first")
        }
    }

    /// Throws 403 for a token that may be older than the erasure of the person's last account: that would come back, empty,
    /// with the next request of whoever still has the token.
    private func requireNoErasure(since login: IdentityProvider.Login, at issuer: String) async throws {
        let erased = try await database.accounts.erasure(issuer: issuer, subject: login.subject)
        let start = erased ?? Instant.now() - AccountStore.erasureMemory
        guard let issued = login.issued, issued > start.millisecondsSince1970 / 1000 else {
            throw Problem(
                .forbidden, "the token is too old to make an account by: sign in again at the identity provider")
        }
    }

    private func theOperator() async throws -> Bearer {
        try await operators.bearer(Self.operatorID) {
            Bearer(
                user: try await database.accounts.ensure(Self.operatorProfile, id: Self.operatorID).id, token: nil,
                scopes: Set(Scope.allCases), limitKey: "operator", mayExportAudit: true)
        }
    }

    private static func digest(of token: some StringProtocol) -> SHA256Digest { SHA256.hash(data: Array(token.utf8)) }
}
