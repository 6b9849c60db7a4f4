import HTTPTransport
import HTTPTypes
import Recurrence
import StructuredData
import TaskService
import Testing
import TodoModel

@Suite(.timeLimit(.minutes(10))) struct AccountRoutesTests {
    @Test func `the operator's token alone may take the audit log out`() async throws {
        try await RunningService.with { service in
            let scopes = try #require(HTTPField.Name("Todo-Scopes"))
            let own = try await service.send(.get, "/v1/me").headers[scopes]
            #expect(own == "account tasks:read tasks:write audit:export")
            let ada = try await service.person("ada")
            #expect(try await ada.send(.get, "/v1/me").headers[scopes] == "account tasks:read tasks:write")
        }
    }

    @Test func `nobody makes an account where sign-up is closed`() async throws {
        try await RunningService.with(["SIGN_UP": "closed"]) { service in
            let body: JSON = ["email": "a@example.com", "password": .string(RunningService.password)]
            let answer = try await service.send(.post, "/v1/accounts", body, token: nil)
            #expect(answer.status == 403)
            #expect(try await service.send(.get, "/v1/me").status == 200, "the operator's token opens its own")
        }
    }

    @Test func `one address has one account, in whatever case`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let body: JSON = ["email": " ADA@example.com ", "password": .string(RunningService.password)]
            let again = try await service.send(.post, "/v1/accounts", body, token: nil)
            #expect(again.status == 409 && again.json["errors"]?[0]?["field"] == "email")
            let session = try await service.send(.post, "/v1/sessions", body, token: nil)
            #expect(session.status == 201 && session.json["user"]?.id == ada.id)
            for wrong in [
                ["email": "ada@example.com", "password": "wrong password"],
                ["email": "eve@example.com", "password": "x"],
            ] as [JSON] {
                #expect(try await service.send(.post, "/v1/sessions", wrong, token: nil).status == 401)
            }
        }
    }

    @Test func `guessing is slowed down`() async throws {
        try await RunningService.with { service in
            _ = try await service.person("ada")
            var statuses: [Int] = []
            while statuses.count < 60, statuses.last != 429 {
                let body: JSON = ["email": "ada@example.com", "password": "a wrong guess"]
                statuses.append(try await service.send(.post, "/v1/sessions", body, token: nil).status)
            }
            #expect(statuses.first == 401 && statuses.last == 429 && statuses.count > 19)
        }
    }

    /// Signs in through a proxy: the status.
    private func signIn(_ email: String, _ password: String, from address: String, to service: RunningService)
        async throws -> Int
    {
        let forwarded = try #require(HTTPField.Name("X-Forwarded-For"))
        return try await service.send(
            .post, "/v1/sessions", ["email": .string(email), "password": .string(password)],
            headers: [forwarded: address], token: nil
        ).status
    }

    @Test func `who guesses at an address does not shut out who is elsewhere`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            var (status, guesses) = (0, 0)
            while guesses < 60, status != 429 {
                // Before what the proxy saw stands what the guesser made up.
                status = try await signIn(
                    ada.email, "a wrong guess", from: "198.51.100.\(guesses), 203.0.113.9", to: service)
                guesses += 1
            }
            #expect(status == 429 && guesses > 19)
            let own = try await signIn(ada.email, RunningService.password, from: "198.51.100.1", to: service)
            #expect(own == 201)
        }
    }

    @Test func `guesses from everywhere are slowed down, too`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            var statuses: [Int] = []
            while statuses.count < 400, statuses.last != 429 {
                let place = "10.0.\(statuses.count / 200).\(statuses.count % 200)"
                statuses.append(try await signIn(ada.email, "a wrong guess", from: place, to: service))
            }
            #expect(statuses.first == 401 && statuses.last == 429 && statuses.count > 99)
        }
    }

    @Test func `who guesses at an address does not shut out who has signed in`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            func guess() async throws -> Int {
                let body: JSON = ["email": .string(ada.email), "password": "a wrong guess"]
                return try await service.send(.post, "/v1/sessions", body, token: nil).status
            }
            var (status, guesses) = (0, 0)
            while guesses < 60, status != 429 {
                status = try await guess()
                guesses += 1
            }
            #expect(status == 429)
            let (old, new) = (JSON.string(RunningService.password), JSON.string("a new password"))
            let changed = try await ada.send(.patch, "/v1/me", ["password": ["current": old, "new": new]])
            #expect(changed.status == 200, "\(changed.text)")
            let erased = try await ada.send(.post, "/v1/me/erase", ["password": new])
            #expect(erased.status == 204, "\(erased.text)")
        }
    }

    @Test func `guesses at the password of who has signed in are slowed down`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            var statuses: [Int] = []
            while statuses.count < 60, statuses.last != 429 {
                let change: JSON = ["password": ["current": "a wrong guess", "new": "a new password"]]
                statuses.append(try await ada.send(.patch, "/v1/me", change).status)
            }
            #expect(statuses.first == 422 && statuses.last == 429 && statuses.count > 19)
        }
    }

    /// Each check of a password takes long here, as it does outside of tests.
    @Test func `sign-ins with invented addresses shut nobody out`() async throws {
        try await RunningService.with(configure: { $0.passwordCost = 1 << 13 }) { service in
            let ada = try await service.person("ada")
            let crowd = CurlTransport(configuration: .init(maxConnectionsPerHost: 100))
            let end = ContinuousClock.now + .seconds(5)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for guest in 0..<45 {
                    group.addTask {
                        var n = 0
                        while ContinuousClock.now < end {
                            let body: JSON = ["email": .string("guest-\(guest)-\(n)@example.com"), "password": "guess"]
                            let answer = try await crowd.send(
                                ClientRequest(
                                    method: .post, url: "http://127.0.0.1:\(service.port)/v1/sessions",
                                    headers: [.contentType: "application/json"], body: .bytes(body.encoded())))
                            let text = String(decoding: try await answer.body.collect(upTo: 1 << 16), as: UTF8.self)
                            #expect(!text.contains("too many people"))
                            n += 1
                        }
                    }
                }
                group.addTask {
                    try await Task.sleep(for: .seconds(1))
                    let body: JSON = ["email": .string(ada.email), "password": .string(RunningService.password)]
                    for _ in 0..<10 {
                        let answer = try await RunningService.patiently {
                            let answer = try await service.send(.post, "/v1/sessions", body, token: nil)
                            #expect(!answer.text.contains("too many people"))
                            return answer
                        }
                        #expect(answer.status == 201, "\(answer.text)")
                    }
                }
                try await group.waitForAll()
            }
            crowd.close()
        }
    }

    @Test func `a cookie signs in, for requests of the page only`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let body: JSON = [
                "email": .string(ada.email), "password": .string(RunningService.password), "cookie": true,
            ]
            let answer = try await service.send(
                .post, "/v1/sessions", body, headers: [HTTPField.Name("X-Forwarded-Proto")!: "https"], token: nil)
            #expect(answer.json["token"] == nil)
            let cookie = try #require(answer.headers[.setCookie])
            for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Secure"] { #expect(cookie.contains("; \(part)")) }
            let value = String(cookie.prefix { $0 != ";" })
            func create(_ headers: HTTPFields) async throws -> Int {
                var headers = headers
                headers[.cookie] = value
                return try await service.send(.post, "/v1/tasks", ["title": "x"], headers: headers, token: nil).status
            }
            let (site, own) = (HTTPField.Name("Sec-Fetch-Site")!, "http://127.0.0.1:\(service.port)")
            #expect(try await service.send(.get, "/v1/me", headers: [.cookie: value], token: nil).json.id == ada.id)
            #expect(try await create([site: "same-origin"]) == 201)
            #expect(try await create([.origin: own]) == 201)
            for headers in [
                [:], [site: "cross-site"], [site: "same-site"], [.origin: "http://evil.example"], [.origin: "null"],
            ] as [HTTPFields] {
                #expect(try await create(headers) == 403)
            }
            let out = try await service.send(
                .delete, "/v1/sessions/current", headers: [.cookie: value, site: "same-origin"], token: nil)
            #expect(out.status == 204 && out.headers[.setCookie]?.contains("Max-Age=0") == true)
            #expect(try await service.send(.get, "/v1/me", headers: [.cookie: value], token: nil).status == 401)
        }
    }

    @Test func `a new password needs the old one, and ends other sessions`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let other = try await service.send(
                .post, "/v1/sessions", ["email": .string(ada.email), "password": .string(RunningService.password)],
                token: nil
            ).json["token"]?.string
            let wrong = try await ada.send(.patch, "/v1/me", ["password": ["current": "x", "new": "a new password"]])
            #expect(wrong.status == 422 && wrong.errors == ["password.current: is not the password of this account"])
            let short = try await ada.send(
                .patch, "/v1/me", ["password": ["current": .string(RunningService.password), "new": "short"]])
            #expect(short.status == 422 && short.errors.first?.hasPrefix("password.new: ") == true)
            let changed = try await ada.send(
                .patch, "/v1/me",
                ["name": "Ada L.", "password": ["current": .string(RunningService.password), "new": "a new password"]])
            #expect(changed.status == 200 && changed.json["name"] == "Ada L.")
            #expect(try await ada.send(.get, "/v1/me").status == 200)
            #expect(try await service.send(.get, "/v1/me", token: other).status == 401)
        }
    }

    @Test func `a new address needs the password, the same one does not`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let own = JSON.string(RunningService.password)
            for body in [
                ["email": "new@example.com"], ["email": "new@example.com", "password": ["current": "x"]],
                ["email": "new@example.com", "password": ["new": "a new password"]],
            ] as [JSON] {
                let refused = try await ada.send(.patch, "/v1/me", body)
                #expect(refused.status == 422, "\(refused.text)")
                #expect(refused.errors == ["password.current: is not the password of this account"])
            }
            var me = try await ada.send(.get, "/v1/me").json
            me["name"] = "Ada L."
            let renamed = try await ada.send(.patch, "/v1/me", me)
            #expect(renamed.status == 200 && renamed.json["name"] == "Ada L.", "\(renamed.text)")
            let alone = try await ada.send(.patch, "/v1/me", ["password": ["current": own]])
            #expect(alone.status == 422 && alone.errors.first?.hasPrefix("password.new: ") == true)
            let changed = try await ada.send(
                .patch, "/v1/me", ["email": "new@example.com", "password": ["current": own]])
            #expect(changed.status == 200 && changed.json["email"] == "new@example.com", "\(changed.text)")
            let session = try await service.send(
                .post, "/v1/sessions", ["email": "new@example.com", "password": own], token: nil)
            #expect(session.status == 201, "\(session.text)")
        }
    }

    @Test func `nobody takes the operator's address`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let (email, password): (JSON, JSON) = ("operator@todo.invalid", .string(RunningService.password))
            let signUp = try await service.send(
                .post, "/v1/accounts", ["email": email, "password": password], token: nil)
            let patch = try await ada.send(.patch, "/v1/me", ["email": email, "password": ["current": password]])
            for answer in [signUp, patch] {
                #expect(answer.status == 422 && answer.errors == ["email: must not be of the reserved domain invalid"])
            }
            #expect(try await service.send(.get, "/v1/me").json["email"] == email)
        }
    }

    @Test func `a change of the account is made whole or not at all`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let ben = try await service.person("ben")
            let password: JSON = ["current": .string(RunningService.password), "new": "a new password"]
            func signIn(_ password: String) async throws -> Int {
                let body: JSON = ["email": .string(ada.email), "password": .string(password)]
                return try await service.send(.post, "/v1/sessions", body, token: nil).status
            }
            let taken = try await ada.send(.patch, "/v1/me", ["email": .string(ben.email), "password": password])
            #expect(taken.status == 409)
            #expect(try await signIn(RunningService.password) == 201)
            let late = try await ada.send(
                .patch, "/v1/me", ["password": password], headers: [.ifMatch: "\"7\""])
            #expect(late.status == 412)
            #expect(try await signIn(RunningService.password) == 201)
            let tag = try #require(try await ada.send(.get, "/v1/me").headers[.eTag])
            let changed = try await ada.send(
                .patch, "/v1/me", ["name": "Ada L.", "password": password], headers: [.ifMatch: tag])
            #expect(changed.status == 200 && changed.json["name"] == "Ada L.", "\(changed.text)")
            #expect(try await signIn(RunningService.password) == 401)
            #expect(try await signIn("a new password") == 201)
        }
    }

    @Test func `days are those of the account as it is, whichever replica changed it`() async throws {
        try await RunningService.with { one in
            try await RunningService.with(database: one.databaseURI) { other in
                let ada = try await one.person("ada")
                // 25 hours apart: what is today in one zone is never today in the other.
                let zones = ["Pacific/Pago_Pago", "Pacific/Kiritimati"]
                for zone in zones {
                    #expect(try await ada.send(.patch, "/v1/me", ["zone": .string(zone)]).status == 200)
                    let table = try #require(ZoneTable.named(zone))
                    let day = try await table.today()
                    _ = try await ada.make("/v1/tasks", ["title": .string(zone), "due": ["date": .string(day.text)]])
                }
                for zone in zones + zones {
                    #expect(try await ada.send(.patch, "/v1/me", ["zone": .string(zone)]).status == 200)
                    for replica in [one, other] {
                        let page = try await replica.send(.get, "/v1/tasks?q=due:today", token: ada.token)
                        let titles = page.json["items"]?.array?.compactMap { $0["title"]?.string }
                        #expect(titles == [zone])
                    }
                }
            }
        }
    }

    @Test func `a token of too many requests waits`() async throws {
        try await RunningService.with(["RATE_LIMIT": "1"]) { service in
            let ada = try await service.person("ada")
            var refused = 0
            let start = ContinuousClock.now
            for _ in 0..<40 {
                let answer = try await ada.send(.get, "/v1/me")
                if answer.status == 429 {
                    refused += 1
                    #expect(answer.headers[.retryAfter] == "1")
                }
            }
            // Ten at once, and one more for each second that went by.
            let admitted = 40 - refused
            #expect(admitted >= 10 && Double(admitted) <= 11 + (ContinuousClock.now - start) / .seconds(1))
            #expect(try await service.send(.get, "/v1/me").status == 200, "another token goes on")
        }
    }

    @Test func `a revoked token is good for nothing at once`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let token = try await ada.make("/v1/tokens", ["name": "x", "scopes": ["tasks:read"]])
            #expect(try await service.send(.get, "/v1/tasks", token: token["token"]?.string).status == 200)
            #expect(try await ada.send(.delete, "/v1/tokens/\(token.id)").status == 204)
            #expect(try await service.send(.get, "/v1/tasks", token: token["token"]?.string).status == 401)
            let past = try await ada.send(
                .post, "/v1/tokens", ["name": "x", "scopes": ["tasks:read"], "expiresAt": "2020-01-01T00:00:00Z"])
            #expect(past.status == 422)
        }
    }
}
