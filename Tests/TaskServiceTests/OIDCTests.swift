import Crypto
import Foundation
import HTTPTypes
import StructuredData
import TaskService
import Testing

@Suite(.timeLimit(.minutes(10))) struct OIDCTests {
    private func environment(_ provider: Provider) -> [String: String] {
        ["OIDC_ISSUER": provider.issuer, "OIDC_AUDIENCE": "todo", "SIGN_UP": "closed"]
    }

    @Test func `a token of the identity provider opens the account of its subject`() async throws {
        try await Provider.with { provider in
            try await RunningService.with(environment(provider)) { service in
                let token = try provider.token()
                let me = try await service.send(.get, "/v1/me", token: token)
                #expect(
                    me.status == 200 && me.json["email"] == "ada@example.com" && me.json["name"] == "Ada", "\(me.text)")
                #expect(try await service.send(.post, "/v1/tasks", ["title": "x"], token: token).status == 201)
                let again = try provider.token(["email": "new@example.com"])
                #expect(
                    try await service.send(.get, "/v1/me", token: again).json.id == me.json.id, "the subject counts")
                let other = try provider.token(["sub": "ben-1", "email": "ben@example.com"])
                let ben = try await service.send(.get, "/v1/me", token: other)
                #expect(ben.status == 200 && ben.json.id != me.json.id)
                let thief = try provider.token(["sub": "eve-1"])
                #expect(try await service.send(.get, "/v1/me", token: thief).status == 403, "the address is Ada's")
            }
        }
    }

    /// As those of Auth0 do.
    @Test func `the name of a provider may end with a slash`() async throws {
        try await Provider.with(ending: "/") { provider in
            try await RunningService.with(environment(provider)) { service in
                let token = try provider.token()
                #expect(try await service.send(.get, "/v1/me", token: token).status == 200)
            }
        }
    }

    @Test func `a provider of a private authority is trusted by that one's certificate`() async throws {
        try await Provider.withPrivateAuthority { provider, authority in
            let token = try provider.token()
            for (more, status) in [([:], 503), (["OIDC_CA": authority], 200)] {
                try await RunningService.with(environment(provider).merging(more) { $1 }) { service in
                    let answer = try await service.send(.get, "/v1/me", token: token)
                    #expect(answer.status == status, "\(answer.text)")
                }
            }
        }
    }

    @Test func `any other token is refused with the reason`() async throws {
        try await Provider.with { provider in
            try await RunningService.with(environment(provider)) { service in
                let past = JSON(Int(Date().timeIntervalSince1970) - 100)
                let good = try provider.token()
                let unsigned = good.split(separator: ".")[..<2].joined(separator: ".") + "."
                let tokens: [(String, String)] = try [
                    (provider.token(["exp": past]), "expired"),
                    (provider.token(["iss": "http://evil.example"]), "issuer"),
                    (provider.token(["aud": "other"]), "audience"),
                    (provider.token(["email_verified": false]), "verified"),
                    (provider.token(["sub": ""]), "subject"),
                    (provider.token(["nbf": JSON(Int(Date().timeIntervalSince1970) + 600)]), "yet"),
                    (provider.token(key: P256.Signing.PrivateKey()), "signed"),
                    (provider.token(header: ["alg": "none"]), "signed"),
                    (provider.token(header: ["alg": "HS256"]), "signed"),
                    (provider.token(header: ["kid": "k2"]), "signed"),
                    (unsigned, "signed"), (String(good.dropLast(4)) + "AAAA", "signed"), ("a.b.c", "not valid"),
                ]
                for (token, reason) in tokens {
                    let answer = try await service.send(.get, "/v1/me", token: token)
                    #expect(
                        answer.status == 401 && answer.json["detail"]?.string?.contains(reason) == true,
                        "\(reason): \(answer.text)")
                }
            }
        }
    }

    @Test func `a fetch of the keys serves all who come meanwhile`() async throws {
        try await Provider.with { provider in
            provider.documents.slow(by: .milliseconds(300))
            try await RunningService.with(environment(provider)) { service in
                let token = try provider.token()
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<16 {
                        group.addTask { try await service.send(.get, "/v1/me", token: token).status }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses == Array(repeating: 200, count: 16))
                #expect(provider.documents.requests("keys") == 1)
            }
        }
    }

    @Test func `keys that are known are good while the provider is slow or away`() async throws {
        try await Provider.with { provider in
            try await RunningService.with(
                environment(provider), configure: { $0.identityProvider?.freshness = .milliseconds(1) }
            ) { service in
                let token = try provider.token()
                #expect(try await service.send(.get, "/v1/me", token: token).status == 200)
                provider.documents.slow(by: .seconds(6))
                func wait() async throws -> Duration {
                    let begin = ContinuousClock.now
                    #expect(try await service.send(.get, "/v1/me", token: token).status == 200)
                    return begin.duration(to: .now)
                }
                // On a busy machine an answer takes long by itself: then once more, when they are fetched again.
                var waited = try await wait()
                for _ in 0..<3 where waited > .seconds(4) {
                    try await Task.sleep(for: .seconds(11))  // longer than a failure keeps them from being fetched
                    waited = try await wait()
                }
                #expect(waited < .seconds(4), "nobody waits for newer keys")
            }
            provider.documents.slow(by: .zero)
            try await RunningService.with(
                environment(provider), configure: { $0.identityProvider?.freshness = .milliseconds(1) }
            ) { service in
                let token = try provider.token()
                #expect(try await service.send(.get, "/v1/me", token: token).status == 200)
                try await provider.stop()
                for _ in 0..<20 { #expect(try await service.send(.get, "/v1/me", token: token).status == 200) }
                let other = try provider.token(header: ["kid": "k2"])
                let answer = try await service.send(.get, "/v1/me", token: other)
                #expect(answer.status == 503, "whether that is one of newer keys nobody can tell: \(answer.text)")
            }
        }
    }

    @Test func `keys that are too old are good for nothing`() async throws {
        try await Provider.with { provider in
            try await RunningService.with(
                environment(provider),
                configure: {
                    $0.identityProvider?.freshness = .milliseconds(1)
                    $0.identityProvider?.lifetime = .milliseconds(500)
                }
            ) { service in
                let token = try provider.token()
                #expect(try await service.send(.get, "/v1/me", token: token).status == 200)
                try await provider.stop()
                let header: HTTPFields = [.authorization: "Bearer \(token)"]
                var last = 200
                for _ in 0..<500 where last != 503 {
                    last = try await service.send(.get, "/v1/me", headers: header).status
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(last == 503)
            }
        }
    }

    @Test func `tokens with made-up keys, and a provider that fails, do not have it asked each time`() async throws {
        try await Provider.with { provider in
            try await RunningService.with(environment(provider)) { service in
                provider.documents.fail(true)
                let token = try provider.token()
                let begin = ContinuousClock.now
                // Where the machine takes its time it is asked more often: every ten seconds.
                func most(_ count: Int) -> Int { count + Int((ContinuousClock.now - begin) / Duration.seconds(10)) }
                for _ in 0..<50 { #expect(try await service.send(.get, "/v1/me", token: token).status == 503) }
                let asked = provider.documents.requests("configuration")
                #expect((1...most(10)).contains(asked), "\(asked)")
                provider.documents.fail(false)
                let me = try await service.eventually(.get, "/v1/me", token: token) { $0.status == 200 }
                #expect(me.status == 200, "it is asked again")
                for number in 0..<50 {
                    let made = try provider.token(header: ["kid": .string("x\(number)")])
                    #expect(try await service.send(.get, "/v1/me", token: made).status == 401)
                }
                #expect(provider.documents.requests("keys") <= most(3))
            }
        }
    }

    @Test func `who signs in there erases the account with a fresh token and the address`() async throws {
        try await Provider.with { provider in
            try await RunningService.with(environment(provider)) { service in
                let now = Int(Date().timeIntervalSince1970)
                let old = try provider.token(["auth_time": JSON(now - 600), "iat": JSON(now)])
                let me = try await service.send(.get, "/v1/me", token: old).json.id
                let erasure: JSON = ["email": " Ada@example.com"]
                let personal = try await service.send(
                    .post, "/v1/tokens", ["name": "x", "scopes": ["account"]], token: old
                ).json["token"]?.string
                let undated = try provider.token(["iat": .null])
                let future = try provider.token(["auth_time": JSON(now + 600)])
                for token in [old, undated, future, personal] {
                    let refused = try await service.send(.post, "/v1/me/erase", erasure, token: token)
                    #expect(refused.status == 403 && refused.text.contains("sign in again"), "\(refused.text)")
                }
                // The same subject was asked for a moment ago: what is remembered of it says nothing of this token.
                let fresh = try provider.token(["iat": JSON(now - 10)])
                for body in [[:], ["email": "eve@example.com"], ["password": "x"]] as [JSON] {
                    let refused = try await service.send(.post, "/v1/me/erase", body, token: fresh)
                    #expect(refused.status == 422 && refused.errors.first?.hasPrefix("email: ") == true)
                }
                #expect(try await service.send(.get, "/v1/me", token: old).json.id == me)
                #expect(try await service.send(.post, "/v1/me/erase", erasure, token: fresh).status == 204)
                let back = try await service.send(.get, "/v1/me", token: fresh)
                #expect(back.status == 403 && back.text.contains("sign in again"), "\(back.text)")
                let later = try provider.token(["iat": JSON(Int(Date().timeIntervalSince1970) + 1)])
                let new = try await service.send(.get, "/v1/me", token: later)
                #expect(new.status == 200 && new.json.id != me, "\(new.text)")
                #expect(try await service.send(.get, "/v1/me", token: fresh).json.id == new.json.id)
            }
        }
    }

    @Test func `a token that may be older than what is known of erasures makes no account`() async throws {
        try await Provider.with { provider in
            try await RunningService.with(environment(provider)) { service in
                for issued in [JSON(Int(Date().timeIntervalSince1970) - 31 * 86_400), .null] {
                    let refused = try await service.send(.get, "/v1/me", token: provider.token(["iat": issued]))
                    #expect(refused.status == 403 && refused.text.contains("sign in again"), "\(refused.text)")
                }
            }
        }
    }

    @Test func `who signs in there sets a password with a fresh token, and then needs it`() async throws {
        try await Provider.with { provider in
            try await RunningService.with(environment(provider)) { service in
                let now = Int(Date().timeIntervalSince1970)
                let (old, fresh) = (
                    try provider.token(["auth_time": JSON(now - 600)]),
                    try provider.token(["auth_time": JSON(now - 60)])
                )
                let change: JSON = ["password": ["new": .string(RunningService.password)]]
                #expect(try await service.send(.patch, "/v1/me", change, token: old).status == 403)
                #expect(try await service.send(.patch, "/v1/me", change, token: fresh).status == 200)
                let session = try await service.send(
                    .post, "/v1/sessions",
                    ["email": "ada@example.com", "password": .string(RunningService.password)], token: nil)
                #expect(session.status == 201, "\(session.text)")
                let again = try await service.send(.patch, "/v1/me", change, token: fresh)
                #expect(again.errors == ["password.current: is not the password of this account"])
                let address: JSON = [
                    "email": "new@example.com", "password": ["current": .string(RunningService.password)],
                ]
                let moved = try await service.send(.patch, "/v1/me", address, token: fresh)
                #expect(moved.errors == ["email: is the identity provider's: change it there"])
                let erased = try await service.send(
                    .post, "/v1/me/erase", ["email": "ada@example.com"], token: fresh)
                #expect(erased.errors == ["password: is required"])
            }
        }
    }
}
