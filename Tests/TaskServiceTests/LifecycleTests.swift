import HTTPTransport
import HTTPTypes
import Logging
import Postgres
import PostgresServer
import ServiceLifecycle
import StructuredData
import TaskService
import Telemetry
import Testing
import TodoStore
import ServiceRunning

@Suite(.timeLimit(.minutes(10))) struct LifecycleTests {
    @Test func `a database that dies and returns costs answers, not the service`() async throws {
        let server = try await PostgresServer.start(settings: ["synchronous_commit": "on"])
        let uri = try await RunningService.database(on: server)
        try await RunningService.with(database: uri, configure: { $0.poolWait = .seconds(2) }) { service in
            let id = try await service.create("kept")["id"]?.string ?? ""
            try await server.kill()
            let away = try await service.send(.get, "/v1/tasks/\(id)")
            #expect(away.status == 503 && away.headers[.retryAfter] == "1")
            #expect(away.headers[.contentType] == "application/problem+json")
            #expect(try await service.send(.post, "/v1/tasks", ["title": "x"]).status == 503)
            #expect(try await service.send(.get, "/readyz").status == 503)
            #expect(try await service.send(.get, "/livez").status == 200)
            try await server.restart()
            try await service.eventually(.get, "/readyz") { $0.status == 200 }
            let kept = try await RunningService.patiently { try await service.send(.get, "/v1/tasks/\(id)") }
            #expect(kept.json["title"] == "kept")
            let made = try await RunningService.patiently {
                try await service.send(.post, "/v1/tasks", ["title": "x"])
            }
            #expect(made.status == 201)
        }
        try await server.stop()
    }

    @Test func `a database that is away at the start is waited for`() async throws {
        let server = try await PostgresServer.start(settings: ["synchronous_commit": "on"])
        let uri = try await RunningService.database(on: server)
        try await server.kill()
        try await RunningService.with(
            database: uri, untilReady: false, configure: { $0.poolWait = .seconds(2) }
        ) { service in
            #expect(try await service.send(.get, "/livez").status == 200)
            let ready = try await service.eventually(.get, "/readyz") { $0.text.contains("cannot connect") }
            #expect(ready.status == 503)
            let answer = try await service.send(.get, "/v1/tasks")
            #expect(answer.status == 503 && answer.headers[.retryAfter] == "1")
            try await server.restart()
            try await service.eventually(.get, "/readyz") { $0.status == 200 }
            let tasks = try await RunningService.patiently { try await service.send(.get, "/v1/tasks") }
            #expect(tasks.status == 200)
        }
        try await server.stop()
    }

    @Test func `a database that was not migrated ends the service with what to do`() async throws {
        let server = try await PostgresServer.shared()
        let uri = server.socketURI(database: try await server.createDatabase())
        let error = try #require(
            await #expect(throws: DatabaseError.self) {
                try await RunningService.with(database: uri) { _ in }
            })
        #expect(error == .olderSchema(found: 0, needed: Migrator.latestVersion))
        #expect(error.message.contains("migrate it first"))
    }

    @Test func `a database of a later release that serves this one is as good`() async throws {
        let server = try await PostgresServer.shared()
        let name = try await server.createDatabase("todo") { _ = try await Migrator.migrate(databaseURI: $0) }
        let uri = server.socketURI(user: "app", database: name)
        try await server.psql(
            "INSERT INTO schema_migrations VALUES (99, 'later', '', now(), \(Migrator.latestVersion))", database: name)
        try await RunningService.with(database: uri) { service in
            try await service.eventually(.get, "/readyz") { $0.status == 200 }
        }
    }

    @Test func `a database of a later release ends the service`() async throws {
        let server = try await PostgresServer.shared()
        let name = try await server.createDatabase("todo") { _ = try await Migrator.migrate(databaseURI: $0) }
        let uri = server.socketURI(user: "app", database: name)
        try await server.psql(
            "INSERT INTO schema_migrations (version, name, checksum) VALUES (99, 'later', '')", database: name)
        await #expect(throws: DatabaseError.newerSchema(found: 99, known: Migrator.latestVersion)) {
            try await RunningService.with(database: uri) { _ in }
        }
    }

    @Test func `a service that is told to stop says so first, and goes on answering`() async throws {
        try await RunningService.with(configure: { $0.drainDelay = .seconds(20) }) { service in
            await service.group.triggerGracefulShutdown()
            let ready = try await service.eventually(.get, "/readyz") { $0.status == 503 }
            #expect(ready.text.contains("stopping"))
            #expect(try await service.send(.post, "/v1/tasks", ["title": "last"]).status == 201)
        }
    }

    @Test func `a service stops while it waits for its database`() async throws {
        let uri = "postgresql://nobody@127.0.0.1:1/none"
        try await RunningService.with(database: uri, untilReady: false) { service in
            let ready = try await service.send(.get, "/readyz")
            #expect(ready.status == 503)
        }
    }

    @Test func `requests are counted by method, route and status`() async throws {
        try await RunningService.with { service in
            let id = try await service.create("x")["id"]?.string ?? ""
            try await service.send(.get, "/v1/tasks/\(id)")
            try await service.send(.get, "/v1/tasks/\(id)")
            try await service.send(.get, "/v1/tasks", token: nil)
            try await service.send(.get, "/nowhere")
            let metrics = try await service.send(.get, "/metrics")
            #expect(metrics.status == 200)
            let forwarded = try #require(HTTPField.Name("X-Forwarded-For"))
            let beyond = try await service.send(.get, "/metrics", headers: [forwarded: "192.0.2.1"])
            #expect(beyond.status == 404, "an edge brings nobody here")
            let name = "http_server_request_duration_seconds_count"
            for line in [
                #"{method="POST",route="/v1/tasks",status="201"} 1"#,
                #"{method="GET",route="/v1/tasks/{id}",status="200"} 2"#,
                #"{method="GET",route="/v1/tasks",status="401"} 1"#,
                #"{method="GET",route="NotFound",status="404"} 1"#,
            ] {
                #expect(metrics.text.contains(name + line), "\(metrics.text)")
            }
        }
    }

    @Test func `the service works through a pooler`() async throws {
        try await RunningService.with(["DATABASE_POOLED": "true"]) { service in
            let path = "/v1/tasks/\(try await service.create("x")["id"]?.string ?? "")"
            #expect(try await service.send(.patch, path, ["status": "done"]).status == 200)
            #expect(try await service.send(.get, "/v1/tasks?q=status:done").json["items"]?.array?.count == 1)
            #expect(try await service.send(.delete, path).status == 204)
        }
    }
}

@Suite struct ConfigurationTests {
    private let least = ["DATABASE_URI": "postgresql://u:s3cret@h/d", "TODO_API_TOKEN": "t"]

    @Test func `only the database and the token must be given`() throws {
        let configuration = try TaskServiceConfiguration(environment: least)
        #expect(configuration.port == 8080 && ["::", "0.0.0.0"].contains(configuration.bindAddress))
        #expect(configuration.poolSize == 16 && configuration.logLevel == .info)
        #expect(configuration.database["sslmode"] == nil && configuration.database.statementMode == .prepared)
    }

    @Test func `a direct URI says that the other goes through a pooler`() throws {
        for (more, mode) in [
            (["DATABASE_DIRECT_URI": "postgresql://u@direct/d"], PostgresConfiguration.StatementMode.unnamed),
            (["DATABASE_DIRECT_URI": "postgresql://u@direct/d", "DATABASE_POOLED": "false"], .prepared),
            (["DATABASE_DIRECT_URI": "postgresql://u:s3cret@h/d"], .prepared),
        ] {
            let configuration = try TaskServiceConfiguration(environment: least.merging(more) { $1 })
            #expect(configuration.database.statementMode == mode)
        }
    }

    @Test func `every variable counts`() throws {
        let configuration = try TaskServiceConfiguration(
            environment: least.merging([
                "DATABASE_TLS_MODE": "require", "DATABASE_POOLED": "true", "POOL_SIZE": "3", "PORT": "9",
                "TODO_BIND_ADDRESS": "127.0.0.9", "LOG_LEVEL": "debug", "SIGN_UP": "open", "RATE_LIMIT": "7",
                "BIN_DAYS": "2", "OIDC_ISSUER": "https://id.example.com", "OIDC_AUDIENCE": "todo", "OIDC_CA": "pem",
            ]) { $1 })
        #expect(configuration.database["sslmode"] == "require" && configuration.database.statementMode == .unnamed)
        #expect(configuration.poolSize == 3 && configuration.port == 9 && configuration.logLevel == .debug)
        #expect(configuration.isSignUpOpen && configuration.rateLimit == 7)
        #expect(configuration.binLifetime == .seconds(2 * 86_400))
        #expect(
            configuration.identityProvider
                == .init(issuer: "https://id.example.com", audience: "todo", authorities: "pem"))
        #expect(configuration.bindAddress == "127.0.0.9" && configuration.apiToken == "t")
    }

    @Test(arguments: [
        ("DATABASE_URI", ""), ("DATABASE_URI", "postgresql://u:s3cret@h:x/d"), ("TODO_API_TOKEN", ""),
        ("DATABASE_TLS_MODE", "maybe"), ("DATABASE_POOLED", "maybe"), ("POOL_SIZE", "0"), ("POOL_SIZE", "many"),
        ("PORT", "65536"), ("LOG_LEVEL", "loud"), ("SIGN_UP", "maybe"), ("RATE_LIMIT", "-1"), ("BIN_DAYS", "0"),
        ("OIDC_ISSUER", "http://id.example.com"),
    ])
    func `a variable that cannot be used is named, without secrets`(_ name: String, _ value: String) throws {
        let error = try #require(
            #expect(throws: EnvironmentError.self) {
                try TaskServiceConfiguration(environment: least.merging([name: value]) { $1 })
            })
        #expect(error.variable == name && error.description.hasPrefix("\(name): "))
        #expect(!error.description.contains("s3cret"))
    }
}
