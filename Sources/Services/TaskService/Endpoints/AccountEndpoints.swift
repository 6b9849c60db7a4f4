internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `/v1/accounts`, `/v1/sessions`, `/v1/me`.
struct AccountEndpoints: Sendable {
    private static let sessionLifetime: Int64 = 30 * 86_400
    /// How long a sign-in at the identity provider counts as one just now, in seconds.
    private static let freshness: Int64 = 300
    /// By how much clocks may differ, in seconds.
    private static let leeway: Int64 = 60

    let isSignUpOpen: Bool
    let passwords: PasswordHasher
    let authenticator: Authenticator
    /// Of attempts to sign in, by address and network, so that a stranger keeps nobody from it who is elsewhere; and of
    /// signed-in people to say their password, by account.
    let attempts: RateLimiter
    /// Of attempts to sign in from wherever, by address.
    let spreadAttempts: RateLimiter
    private let exports = ExportGate()

    var all: [Endpoint] { [signUp, signIn, signOut, me, update, export, erase] }

    private var signUp: Endpoint {
        Endpoint(
            method: .post, path: "/v1/accounts", name: "signUp", summary: "Make an account, where sign-up is open.",
            access: .everybody, body: .json("SignUp"), outcomes: [.init(status: .created, schema: "User")]
        ) { call in
            guard isSignUpOpen else {
                throw Problem(.forbidden, "sign-up is closed here: ask who runs this service for an account")
            }
            let signUp = try SignUp(call.body)
            try attempts.admit("sign-up \(signUp.email)")
            let password = try await passwords.hash(signUp.password, isNew: true)
            let profile = AccountStore.Profile(
                email: signUp.email, name: signUp.name, zone: signUp.zone, dayStart: signUp.dayStart)
            return Answer(.created, try await call.database.accounts.create(profile, password: password).json)
        }
    }

    private var signIn: Endpoint {
        Endpoint(
            method: .post, path: "/v1/sessions", name: "signIn",
            summary: "Sign in by password: for a token, or for a cookie that scripts cannot read.", access: .everybody,
            body: .json("SignIn"),
            outcomes: [.init(status: .created, schema: "Session", headers: ["Set-Cookie"])]
        ) { call in
            var reader = try MemberReader(call.body, of: "a sign-in")
            let (email, password) = (reader.email("email"), reader.string("password"))
            let wantsCookie = reader.bool("cookie") ?? false
            for name in ["email", "password"] where reader.value(name) == nil { reader.fail(name, "is required") }
            try reader.finish()
            // In this order: what one network has too many of is not taken from the others.
            try attempts.admit("sign-in \(email ?? "") \(call.request.headers.clientNetwork)")
            try spreadAttempts.admit(email ?? "")
            let known = try await call.database.accounts.credentials(email: email ?? "")
            guard try await passwords.verify(password ?? "", against: known?.password), let user = known?.user else {
                throw Problem.unauthorized("the address or the password is wrong", isInvalid: true)
            }
            return try await session(of: user, wantsCookie: wantsCookie, call)
        }
    }

    private func session(of user: User, wantsCookie: Bool, _ call: Call) async throws -> Answer {
        let expires = Instant(
            microsecondsSince1970: Instant.now().microsecondsSince1970 + Self.sessionLifetime * 1_000_000)
        let program = String((call.request.headers[.userAgent] ?? "unknown").prefix(AccessToken.nameLimit))
        let (token, secret) = try await call.database.tokens.create(
            .session, named: program, scopes: Set(Scope.allCases), expires: expires, of: user.id)
        var body: JSONObject = ["id": JSON(token.id), "expiresAt": JSON(expires), "user": user.json]
        if !wantsCookie { body["token"] = .string(secret.text) }
        var answer = Answer(.created, .object(body))
        if wantsCookie {
            answer = answer.with(
                .setCookie, cookie(secret.text, maxAge: Self.sessionLifetime, isSecure: call.request.cameByTLS))
        }
        return answer
    }

    private func cookie(_ value: String, maxAge: Int64, isSecure: Bool) -> String {
        "\(Authenticator.cookie)=\(value); Path=/; Max-Age=\(maxAge); HttpOnly; SameSite=Strict\(isSecure ? "; Secure" : "")"
    }

    private var signOut: Endpoint {
        Endpoint(
            method: .delete, path: "/v1/sessions/current", name: "signOut",
            summary: "End the session whose token or cookie this request bears.",
            outcomes: [.init(status: .noContent, headers: ["Set-Cookie"])]
        ) { call in
            guard let token = call.bearer?.token else {
                throw Problem(.forbidden, "the token of this request is no session: it cannot be ended")
            }
            try await call.database.tokens.revoke(token, of: call.user())
            authenticator.forget(try call.user())
            return Answer(.noContent).with(
                .setCookie, cookie("", maxAge: 0, isSecure: call.request.cameByTLS))
        }
    }

    private var me: Endpoint {
        Endpoint(
            method: .get, path: "/v1/me", name: "getMe", summary: "Your account.",
            outcomes: [.init(status: .ok, schema: "User", headers: ["ETag", "Todo-Scopes"])]
        ) { call in
            let user = try await call.account()
            // Always whole: this path is everybody's, and two people's accounts may be at the same version.
            return Answer(.ok, user.json).with(.eTag, EntityTag.text(user.version))
                .with(.todoScopes, call.bearer?.scopeNames ?? "")
        }
    }

    private var update: Endpoint {
        Endpoint(
            method: .patch, path: "/v1/me", name: "updateMe",
            summary:
                "Change your account. A new address or password needs the present password or, where there is none, a token of the last five minutes; a new password ends all your other sessions.",
            access: .bearer(.account),
            body: .patch("UserPatch"), isConditional: true,
            outcomes: [.init(status: .ok, schema: "User", headers: ["ETag"])]
        ) { call in
            var members = call.body
            let change = members["password"]
            members["password"] = nil
            // An account that was read may be sent back whole.
            if let email = members["email"], try await email.string == call.account().email { members["email"] = nil }
            let patch = try User.Patch(members)
            if patch.email != nil { try await requireOwnAddress(call) }
            let secrets = try change.map { try PasswordChange($0, mayLackNew: patch.email != nil) }
            if secrets != nil || patch.email != nil { try await requireOwner(secrets?.current, call) }
            let password: String? = if let new = secrets?.new { try await passwords.hash(new) } else { nil }
            let user = try await save(patch, password: password, call)
            if password != nil { authenticator.forget(user.id) }
            return Answer(.ok, user.json).with(.eTag, EntityTag.text(user.version))
        }
    }

    /// Writes all of a change or nothing.
    private func save(_ patch: User.Patch, password: String?, _ call: Call) async throws -> User {
        let (id, versions) = (try call.user(), call.ifMatch)
        guard let password else {
            return try await call.database.accounts.update(id, patch, ifVersion: versions)
        }
        return try await call.database.transaction { database in
            let user = try await database.accounts.setPassword(
                password, of: id, keeping: call.bearer?.token, ifVersion: versions)
            guard patch != User.Patch() else { return user }
            return try await database.accounts.update(id, patch)
        }
    }

    /// Throws 422 where the address is what the identity provider says.
    private func requireOwnAddress(_ call: Call) async throws {
        guard try await !call.database.accounts.hasLogin(call.user()) else {
            throw ValidationError([.init("email", "is the identity provider's: change it there")])
        }
    }

    /// Throws unless it is the person who asks, and not only somebody who got hold of the token.
    private func requireOwner(_ password: String?, _ call: Call) async throws {
        if let stored = try await storedPassword(call) {
            try await require(password, toBe: stored, field: "password.current")
        } else {
            try requireFreshLogin(call)
        }
    }

    /// What was made of the account's password; nil for somebody who signs in elsewhere. Counts as an attempt: one of the
    /// account's own, so that a stranger who tries its address keeps nobody from it who has signed in.
    private func storedPassword(_ call: Call) async throws -> String? {
        let user = try await call.account()
        try attempts.admit("password of \(user.id)")
        guard let known = try await call.database.accounts.credentials(email: user.email), known.user.id == user.id
        else { throw Problem(.conflict, "the address of this account was changed a moment ago; try again") }
        return known.password
    }

    /// Throws 422 unless it is the account's.
    private func require(_ password: String?, toBe stored: String, field: String) async throws {
        guard try await passwords.verify(password ?? "", against: stored) else {
            throw ValidationError([.init(field, "is not the password of this account")])
        }
    }

    /// Throws 403 unless the person signed in at the identity provider within the last minutes: that stands for the
    /// password that they do not have.
    private func requireFreshLogin(_ call: Call) throws {
        let now = Instant.now().millisecondsSince1970 / 1000
        guard let proven = call.bearer?.proven, (now - Self.freshness...now + Self.leeway).contains(proven) else {
            throw Problem(
                .forbidden,
                "this account has no password: sign in again at the identity provider, and use the token that it then "
                    + "gives within \(Self.freshness / 60) minutes")
        }
    }

    private var export: Endpoint {
        Endpoint(
            method: .get, path: "/v1/me/export", name: "exportMe",
            summary: "All that is kept of you and of what you own.", access: .bearer(.account),
            outcomes: [.init(status: .ok, schema: "Export")]
        ) { call in
            let user = try call.user()
            let pass = try exports.enter(user)
            let export = try await call.database.accounts.export(user)
            var answer = Answer(
                .ok,
                headers: [
                    .contentType: "application/json",
                    .contentDisposition: #"attachment; filename="todo-export.json""#,
                ])
            answer.stream = { write in
                defer { pass.end() }
                try await export.write(write)
            }
            return answer
        }
    }

    private var erase: Endpoint {
        Endpoint(
            method: .post, path: "/v1/me/erase", name: "eraseMe",
            summary:
                "Erase your account and all that you own, for good: with its password or, where it has none, with its address and a token of the last five minutes.",
            access: .bearer(.account),
            body: .json("Erase"), isRepeatable: false, outcomes: [.init(status: .noContent)]
        ) { call in
            var reader = try MemberReader(call.body, of: "an erasure")
            let (password, email) = (reader.string("password"), reader.email("email"))
            try reader.finish()
            if let stored = try await storedPassword(call) {
                guard password != nil else { throw ValidationError([.init("password", "is required")]) }
                try await require(password, toBe: stored, field: "password")
            } else {
                try requireFreshLogin(call)
                guard try await email == call.account().email else {
                    throw ValidationError([.init("email", "must be the address of the account that is to be erased")])
                }
            }
            try await call.database.accounts.erase(call.user())
            authenticator.forget(try call.user())
            return Answer(.noContent)
        }
    }
}

/// The member `password` of a change of an account.
private struct PasswordChange {
    let current: String?
    let new: String?

    /// - Parameter mayLackNew: the present one is sent for something else.
    init(_ json: JSON, mayLackNew: Bool) throws(ValidationError) {
        var reader: MemberReader
        do {
            reader = try MemberReader(json, of: "a new password")
        } catch {
            throw ValidationError([.init("password", "must be an object such as {\"current\": \"…\", \"new\": \"…\"}")])
        }
        (current, new) = (reader.string("current"), reader.string("new"))
        let lengths = SignUp.passwordLengths
        let isMissing = new == nil && mayLackNew
        if !isMissing, !lengths.contains(new?.unicodeScalars.count ?? 0) {
            reader.fail("new", "must have \(lengths.lowerBound) to \(lengths.upperBound) characters")
        }
        do {
            try reader.finish()
        } catch {
            throw ValidationError(error.fields.map { .init("password.\($0.field)", $0.message) })
        }
    }
}

extension Request {
    /// As the proxy in front says, which is what ends TLS.
    fileprivate var cameByTLS: Bool { headers[.forwardedProto]?.lowercased() == "https" }
}
