import HTTPTypes
import StructuredData
import Testing

/// What one person or token may do is nothing to the next.
@Suite(.timeLimit(.minutes(10))) struct AccessTests {
    @Test func `a browser shows nobody the account that was signed in before`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let ben = try await service.person("ben")
            let before = try await ada.send(.get, "/v1/me")
            #expect(before.headers[.cacheControl] == "no-store")
            // What a browser sends that kept Ada's: both accounts are new, and so at the same version.
            let tag = try #require(before.headers[.eTag])
            let after = try await ben.send(.get, "/v1/me", headers: [.ifNoneMatch: tag])
            #expect(after.status == 200 && after.headers[.eTag] == tag && after.json.id == ben.id)
        }
    }

    @Test func `nothing of anybody's is left in a browser`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let task = try await ada.make("/v1/tasks", ["title": "x"])
            for path in ["/v1/tasks", "/v1/tasks/\(task.id)", "/v1/changes", "/v1/projects", "/v1/tokens"] {
                #expect(try await ada.send(.get, path).headers[.cacheControl] == "no-store", "\(path)")
            }
        }
    }

    @Test func `a token makes none that may do more than itself`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let keeper = try await ada.make("/v1/tokens", ["name": "keeper", "scopes": ["account"]])
            let secret = try #require(keeper["token"]?.string)
            for (scopes, status) in [(["account"], 201), (["tasks:read"], 403), (["account", "tasks:write"], 403)] {
                let body: JSON = ["name": "x", "scopes": .array(scopes.map { .string($0) })]
                let answer = try await service.send(.post, "/v1/tokens", body, token: secret)
                #expect(answer.status == status, "\(scopes): \(answer.text)")
            }
        }
    }

    @Test func `who waits for changes is told of none once another replica has revoked the token`() async throws {
        try await RunningService.with { one in
            try await RunningService.with(database: one.databaseURI) { other in
                let ada = try await one.person("ada")
                let reader = try await ada.make("/v1/tokens", ["name": "x", "scopes": ["tasks:read"]])
                let secret = try #require(reader["token"]?.string)
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<11 {
                        group.addTask {
                            try await other.send(.get, "/v1/changes?wait=25&after=\(ada.id):1", token: secret).status
                        }
                    }
                    // Ten may wait: so they do when one more may not.
                    var statuses = [try await group.next()]
                    #expect(try await ada.send(.delete, "/v1/tokens/\(reader.id)").status == 204)
                    _ = try await ada.make("/v1/tasks", ["title": "private"])
                    for try await status in group { statuses.append(status) }
                    return statuses
                }
                #expect(statuses == [429] + Array(repeating: 401, count: 10))
            }
        }
    }

    @Test func `who asks anew hears at once that another replica revoked a token`() async throws {
        try await RunningService.with { one in
            try await RunningService.with(database: one.databaseURI) { other in
                let ada = try await one.person("ada")
                #expect(try await other.send(.get, "/v1/me", token: ada.token).status == 200)
                #expect(try await ada.send(.delete, "/v1/sessions/current").status == 204)
                let anew = try await other.send(
                    .get, "/v1/changes", headers: [.cacheControl: "no-cache"], token: ada.token)
                #expect(anew.status == 401)
                #expect(try await other.send(.get, "/v1/me", token: ada.token).status == 401, "it has forgotten it")
            }
        }
    }
}
