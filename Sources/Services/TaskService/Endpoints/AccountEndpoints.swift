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

    let isSignUpOpen: Bool
    let passwords: PasswordHasher
    let authenticator: Authenticator
    /// Of attempts to sign in, by address.
    let attempts: RateLimiter

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
            let password = try await passwords.hash(signUp.password)
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
            try attempts.admit("sign-in \(email ?? "")")
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
        var answer = Answer(.created, .object(body)).with(.cacheControl, "no-store")
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
            try await call.database.tokens.revoke(token, of: call.user().id)
            authenticator.forget(try call.user().id)
            return Answer(.noContent).with(
                .setCookie, cookie("", maxAge: 0, isSecure: call.request.cameByTLS))
        }
    }

    private var me: Endpoint {
        Endpoint(
            method: .get, path: "/v1/me", name: "getMe", summary: "Your account.",
            outcomes: [
                .init(status: .ok, schema: "User", headers: ["ETag", "Todo-Scopes"]), .init(status: .notModified),
            ]
        ) { call in
            guard let user = try await call.database.accounts.user(call.user().id) else { throw Problem.notFound }
            return Answer(user.json, version: user.version, to: call).with(
                .todoScopes, call.bearer?.scopeNames ?? "")
        }
    }

    private var update: Endpoint {
        Endpoint(
            method: .patch, path: "/v1/me", name: "updateMe",
            summary: "Change your account. A new password ends all your other sessions.", access: .bearer(.account),
            body: .patch("UserPatch"), isConditional: true,
            outcomes: [.init(status: .ok, schema: "User", headers: ["ETag"])]
        ) { call in
            var members = call.body
            let change = members["password"]
            members["password"] = nil
            let patch = try User.Patch(members)
            var user = try call.user()
            if let change { try await changePassword(change, call) }
            if patch != User.Patch() || change == nil {
                user = try await call.database.accounts.update(user.id, patch, ifVersion: call.ifMatch)
            } else if let changed = try await call.database.accounts.user(user.id) {
                user = changed
            }
            authenticator.forget(user.id)
            return Answer(.ok, user.json).with(.eTag, EntityTag.text(user.version))
        }
    }

    private func changePassword(_ change: JSON, _ call: Call) async throws {
        let user = try call.user()
        var reader: MemberReader
        do {
            reader = try MemberReader(change, of: "a new password")
        } catch {
            throw ValidationError([.init("password", "must be an object such as {\"current\": \"…\", \"new\": \"…\"}")])
        }
        let (current, new) = (reader.string("current"), reader.string("new"))
        let lengths = SignUp.passwordLengths
        if !lengths.contains(new?.unicodeScalars.count ?? 0) {
            reader.fail("new", "must have \(lengths.lowerBound) to \(lengths.upperBound) characters")
        }
        do {
            try reader.finish()
        } catch {
            throw ValidationError(error.fields.map { .init("password.\($0.field)", $0.message) })
        }
        try await requirePassword(current, call, field: "password.current")
        try await call.database.accounts.setPassword(
            passwords.hash(new ?? ""), of: user.id, keeping: call.bearer?.token)
    }

    /// Throws 422 unless it is the account's.
    private func requirePassword(_ password: String?, _ call: Call, field: String) async throws {
        let user = try call.user()
        try attempts.admit("sign-in \(user.email)")
        let known = try await call.database.accounts.credentials(email: user.email)
        guard try await passwords.verify(password ?? "", against: known?.password) else {
            throw ValidationError([.init(field, "is not the password of this account")])
        }
    }

    private var export: Endpoint {
        Endpoint(
            method: .get, path: "/v1/me/export", name: "exportMe",
            summary: "All that is kept of you and of what you own.", access: .bearer(.account),
            outcomes: [.init(status: .ok, schema: "Export")]
        ) { call in
            Answer(.ok, try await call.database.accounts.export(call.user().id))
                .with(.contentDisposition, "attachment; filename=\"todo-export.json\"")
        }
    }

    private var erase: Endpoint {
        Endpoint(
            method: .post, path: "/v1/me/erase", name: "eraseMe",
            summary: "Erase your account and all that you own, for good.", access: .bearer(.account),
            body: .json("Erase"), isRepeatable: false, outcomes: [.init(status: .noContent)]
        ) { call in
            var reader = try MemberReader(call.body, of: "an erasure")
            let password = reader.string("password")
            if reader.value("password") == nil { reader.fail("password", "is required") }
            try reader.finish()
            try await requirePassword(password, call, field: "password")
            try await call.database.accounts.erase(call.user().id)
            authenticator.forget(try call.user().id)
            return Answer(.noContent)
        }
    }
}

extension Request {
    /// As the proxy in front says, which is what ends TLS.
    fileprivate var cameByTLS: Bool { headers[.forwardedProto]?.lowercased() == "https" }
}
