import HTTPTypes
import PostgresServer
import StructuredData
import Testing
import TodoModel

@Suite(.timeLimit(.minutes(10))) struct JobTests {
    private let path = EventFlow.dailyJobs(of: "api").first?.path ?? ""

    private func call(_ service: RunningService, _ token: String?) async throws -> Int {
        var headers: HTTPFields = [:]
        if let token, let name = HTTPField.Name("dapr-api-token") { headers[name] = token }
        return try await service.send(.post, path, bytes: nil, headers: headers).status
    }

    @Test func `the sidecar's daily call purges what was in the bin for long, and nobody else's does`() async throws {
        let uri = try await RunningService.database()
        let pool = try await PostgresServer.shared()
        let name = try #require(uri.split(separator: "/").last?.split(separator: "?").first.map(String.init))
        try await RunningService.with(database: uri, ["APP_API_TOKEN": "the-sidecar", "BIN_DAYS": "7"]) { service in
            let (old, new) = (try await service.create("old"), try await service.create("new"))
            for task in [old, new] {
                let id = task["id"]?.string ?? ""
                #expect(try await service.send(.delete, "/v1/tasks/\(id)").status == 204)
            }
            try await pool.psql(
                "UPDATE tasks SET deleted_at = now() - interval '8 days' WHERE title = 'old'", database: name)
            #expect(try await call(service, nil) == 401)
            #expect(try await call(service, RunningService.token) == 401)
            #expect(try await pool.psql("SELECT count(*) FROM tasks", database: name) == "2")
            #expect(try await call(service, "the-sidecar") == 200)
            #expect(try await pool.psql("SELECT string_agg(title, ' ') FROM tasks", database: name) == "new")
        }
    }

    @Test func `without a token by which the sidecar is known nobody can call`() async throws {
        try await RunningService.with { service in
            let status = try await call(service, nil)
            #expect(status == 404)
        }
    }
}
