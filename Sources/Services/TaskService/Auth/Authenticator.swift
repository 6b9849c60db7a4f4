internal import Concurrency
internal import Crypto
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import ServiceHTTP
internal import TodoModel
internal import TodoStore

/// Who sent a request.
struct Bearer: Sendable {
    var user: User
    /// Nil for a token that is not kept in the database.
    var token: UUID?
    var scopes: Set<Scope>
    /// What requests are counted under.
    var limitKey: String
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
/// is revoked here is forgotten at once, one that is revoked by another replica within that time.
final class Authenticator: Sendable {
    static let cookie = "todo_session"
    private static let memory: Duration = .seconds(5)
    private static let capacity = 10_000

    /// Whose account the operator's token opens.
    static let operatorID = UUID(uuid: (0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1))
    private static let operatorProfile = AccountStore.Profile(email: "operator@todo.invalid", name: "Operator")

    private struct Entry {
        let bearer: Bearer
        let expiry: ContinuousClock.Instant
    }

    private let database: TodoDatabase
    /// The present one, and one that is still taken after a rotation.
    private let operatorTokens: [SHA256Digest]
    private let provider: IdentityProvider?
    private let known = Lock<[TokenSecret: Entry]>([:])
    private let operatorUser = Lock<Entry?>(nil)
    private let logins = Lock<[String: Entry]>([:])
    private let clock = ContinuousClock()

    init(database: TodoDatabase, operatorTokens: [String], provider: IdentityProvider?) {
        self.database = database
        self.operatorTokens = operatorTokens.map { Self.digest(of: $0) }
        self.provider = provider
    }

    /// Throws 401, or 403 for a write by cookie that another site may have sent.
    func bearer(of request: Request) async throws -> Bearer {
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
        if let secret = TokenSecret(text) { return try await bearer(secret) }
        // Digests are compared in constant time, and tell nothing of the token's length.
        let digest = Self.digest(of: text)
        if operatorTokens.contains(where: { $0 == digest }) { return try await theOperator() }
        if let provider, let token = JSONWebToken(text) {
            return try await bearer(provider.identify(token), at: provider.issuer)
        }
        throw Problem.unauthorized("the token is not valid", isInvalid: true)
    }

    /// Forgets what is known of somebody's tokens: they changed.
    func forget(_ user: UUID) {
        known.withLock { known in known = known.filter { $0.key.user != user } }
        logins.withLock { logins in logins = logins.filter { $0.value.bearer.user.id != user } }
        if user == Self.operatorID { operatorUser.withLock { $0 = nil } }
    }

    private func bearer(_ secret: TokenSecret) async throws -> Bearer {
        let now = clock.now
        if let entry = known.withLock({ $0[secret] }), entry.expiry > now { return entry.bearer }
        guard let (token, user) = try await database.tokens.authenticate(secret) else {
            known.withLock { $0[secret] = nil }
            throw Problem.unauthorized("the token is not valid, or no longer", isInvalid: true)
        }
        let bearer = Bearer(user: user, token: token.id, scopes: token.scopes, limitKey: token.id.uuidString)
        known.withLock { known in
            if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
            known[secret] = Entry(bearer: bearer, expiry: now + Self.memory)
        }
        return bearer
    }

    /// The account of who was identified elsewhere, which is made when there is none.
    private func bearer(_ login: IdentityProvider.Login, at issuer: String) async throws -> Bearer {
        let now = clock.now
        if let entry = logins.withLock({ $0[login.subject] }), entry.expiry > now { return entry.bearer }
        let user = try await user(login, at: issuer)
        let bearer = Bearer(user: user, token: nil, scopes: Set(Scope.allCases), limitKey: "login \(login.subject)")
        logins.withLock { logins in
            if logins.count >= Self.capacity { logins.removeAll(keepingCapacity: true) }
            logins[login.subject] = Entry(bearer: bearer, expiry: now + Self.memory)
        }
        return bearer
    }

    private func user(_ login: IdentityProvider.Login, at issuer: String) async throws -> User {
        if let user = try await database.accounts.user(issuer: issuer, subject: login.subject) { return user }
        do {
            return try await database.accounts.create(
                .init(email: login.email, name: login.name), password: nil, login: (issuer, login.subject))
        } catch StoreError.emailTaken {
            // Another request may have been faster; else the address is somebody's who signs in by password.
            if let user = try await database.accounts.user(issuer: issuer, subject: login.subject) { return user }
            throw Problem(.forbidden, "the address has an account that signs in otherwise: use that, or erase it first")
        }
    }

    private func theOperator() async throws -> Bearer {
        let now = clock.now
        if let entry = operatorUser.withLock({ $0 }), entry.expiry > now { return entry.bearer }
        let user = try await database.accounts.ensure(Self.operatorProfile, id: Self.operatorID)
        let bearer = Bearer(
            user: user, token: nil, scopes: Set(Scope.allCases), limitKey: "operator", mayExportAudit: true)
        operatorUser.withLock { $0 = Entry(bearer: bearer, expiry: now + Self.memory) }
        return bearer
    }

    private static func digest(of token: some StringProtocol) -> SHA256Digest { SHA256.hash(data: Array(token.utf8)) }
}
