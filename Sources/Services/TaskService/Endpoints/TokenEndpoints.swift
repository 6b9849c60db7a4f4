internal import HTTPTypes
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `/v1/tokens`: a person's own, for their programs.
struct TokenEndpoints: Sendable {
    let authenticator: Authenticator

    var all: [Endpoint] {
        [
            Endpoint(
                method: .get, path: "/v1/tokens", name: "listTokens",
                summary: "Your sessions and personal tokens, newest first.", access: .bearer(.account),
                outcomes: [.init(status: .ok, schema: "TokenList")]
            ) { call in
                let tokens = try await call.database.tokens.all(of: call.user())
                return Answer(.ok, ["items": .array(tokens.map(\.json))])
            },
            Endpoint(
                method: .post, path: "/v1/tokens", name: "createToken",
                summary: "Make a personal token, with scopes that yours has. Its secret is shown this once.",
                access: .bearer(.account), body: .json("TokenDraft"), isRepeatable: false,
                outcomes: [.init(status: .created, schema: "NewToken")]
            ) { call in try await create(call) },
            Endpoint(
                method: .delete, path: "/v1/tokens/{id}", name: "deleteToken",
                summary: "Revoke a token, or end a session.", access: .bearer(.account),
                outcomes: [.init(status: .noContent)]
            ) { call in
                try await call.database.tokens.revoke(call.id(), of: call.user())
                authenticator.forget(try call.user())
                return Answer(.noContent)
            },
        ]
    }

    private func create(_ call: Call) async throws -> Answer {
        var reader = try MemberReader(call.body, of: "a token")
        let name = reader.line("name", limit: AccessToken.nameLimit)
        for name in ["name", "scopes"] where reader.value(name) == nil { reader.fail(name, "is required") }
        let words = reader.value("scopes")?.array?.map { $0.string.flatMap { Scope(rawValue: $0) } } ?? []
        if reader.value("scopes") != nil, words.isEmpty || words.contains(nil) {
            reader.fail("scopes", "must be a list of \(Scope.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let expires = reader.string("expiresAt").flatMap { Instant($0) }
        if reader.value("expiresAt")?.string != nil, expires.map({ $0 <= .now() }) ?? true {
            reader.fail("expiresAt", "must be a time to come, as in 2030-01-31T09:00:00Z")
        }
        try reader.finish()
        let scopes = Set(words.compactMap { $0 })
        guard scopes.isSubset(of: call.bearer?.scopes ?? []) else {
            throw Problem(.forbidden, "a token makes none that may do more than itself")
        }
        let (token, secret) = try await call.database.tokens.create(
            .personal, named: name ?? "", scopes: scopes, expires: expires, of: call.user())
        var body = token.json
        body["token"] = .string(secret.text)
        return Answer(.created, body)
    }
}
