import FoundationEssentials
import HTTPTransport
import HTTPTypes
import ServiceHTTP
import StructuredData
import Testing
import TodoModel
import TodoStore
import ServiceRunning

@testable import AuditService

@Suite(.timeLimit(.minutes(10))) struct RoutesTests {
    private func user(_ text: String) -> UUID { UUID(uuidString: "0192f0c1-2b3c-7d4e-8f90-\(text)") ?? UUID() }

    @Test func `everything that the operator subscribes this service to is taken`() async throws {
        try await RunningAudit.with(database: try await .make()) { service in
            for delivery in EventFlow.deliveries(to: "audit") {
                let answer = try await service.send(
                    .post, delivery.path, Events.bulk([]), RunningAudit.sidecar(RunningAudit.sidecarToken))
                #expect(answer.status == 200 && answer.json == ["statuses": []])
            }
        }
    }

    @Test func `only the sidecar delivers`() async throws {
        try await RunningAudit.with(database: try await .make()) { service in
            var events = Events()
            let user = user("000000000001")
            let event = events.task(of: user)
            for token in [nil, "", "guess"] {
                #expect(try await service.deliver([event], token: token).status == 401)
            }
            #expect(try await service.get("/v1/audit", as: user).items.isEmpty)
            let answer = try await service.deliver([event])
            #expect(answer.json == ["statuses": [["entryId": "0", "status": "SUCCESS"]]])
            #expect(try await service.get("/v1/audit", as: user).items.count == 1)
            let single = try await service.send(
                .post, "/events/audit-events", events.task(of: user).encoded(),
                RunningAudit.sidecar(RunningAudit.sidecarToken))
            #expect(single.json == ["status": "SUCCESS"])
        }
    }

    @Test func `a person pages through the own stream and the own acts, the newest first`() async throws {
        try await RunningAudit.with(database: try await .make()) { service in
            var events = Events()
            let (anna, bert) = (user("00000000000a"), user("00000000000b"))
            let start = Instant("2026-11-21T10:00:00Z")?.microsecondsSince1970 ?? 0
            func time(_ minute: Int) -> Instant { Instant(microsecondsSince1970: start + Int64(minute) * 60_000_000) }
            var bulk = (0..<10).map { events.task(of: anna, title: "\($0)", time: time($0)) }
            bulk += (10..<15).map { events.task(of: bert, by: anna, title: "\($0)", time: time($0)) }
            bulk += (15..<20).map { events.task(of: bert, title: "\($0)", time: time($0)) }
            // Five at the same moment, so that a page ends among them.
            bulk += (20..<25).map { events.task(of: anna, title: "\($0)", time: time(20)) }
            try await service.deliver(bulk.shuffled())
            for size in [1, 3, 7, 200] {
                var titles: [String] = []
                var cursor: String? = ""
                while let current = cursor {
                    let page = try await service.get(
                        "/v1/audit?limit=\(size)" + (current.isEmpty ? "" : "&cursor=\(current)"), as: anna)
                    #expect(page.status == 200 && page.items.count <= size)
                    titles += page.items.compactMap { $0["content"]?.at("data", "task", "title")?.string }
                    cursor = page.json["nextCursor"]?.string
                }
                #expect(titles.prefix(5).sorted() == (20..<25).map(String.init))
                #expect(titles.dropFirst(5) == (0..<15).reversed().map(String.init)[...])
            }
            let item = try #require(
                try await service.get("/v1/audit?limit=1&before=\(time(3).text)", as: anna).items.first)
            #expect(item["time"]?.string == time(2).text && item["user"]?.string == anna.text)
            #expect(item["actor"]?.string == anna.text && item["hash"]?.string?.count == 64)
        }
    }

    @Test func `filters narrow what is listed`() async throws {
        try await RunningAudit.with(database: try await .make()) { service in
            var events = Events()
            let (anna, bert) = (user("00000000000a"), user("00000000000b"))
            let subject = events.id()
            let (early, late) = (
                try #require(Instant("2026-01-01T00:00:00Z")), try #require(Instant("2026-02-01T00:00:00Z"))
            )
            try await service.deliver([
                events.task(of: anna, title: "a", time: early),
                events.task(of: anna, title: "b", kind: .taskCompleted, subject: subject, time: late),
                events.task(of: anna, by: bert, title: "c", kind: .taskDeleted, subject: subject, time: late),
            ])
            for (query, titles) in [
                ("", ["a", "b", "c"]), ("?type=dev.todo-operator.task.completed", ["b"]),
                ("?type=dev.todo-operator.task.*", ["a", "b", "c"]), ("?type=dev.todo-operator.project.*", []),
                ("?subject=\(subject.text)", ["b", "c"]), ("?actor=\(bert.text)", ["c"]),
                ("?after=2026-01-01T00:00:00Z", ["b", "c"]), ("?before=2026-02-01T01:00:00%2B01:00", ["a"]),
                ("?after=2025-12-31T23:59:59Z&before=2026-01-15T00:00:00Z", ["a"]),
                ("?subject=\(subject.text)&actor=\(anna.text)", ["b"]),
            ] {
                let found = try await service.get("/v1/audit\(query)", as: anna).items
                #expect(
                    found.compactMap { $0["content"]?.at("data", "task", "title")?.string }.sorted() == titles,
                    "\(query)")
            }
            #expect(try await service.get("/v1/audit?actor=\(anna.text)", as: bert).items.isEmpty)
            #expect(try await service.get("/v1/audit?subject=\(subject.text)", as: bert).items.count == 1)
        }
    }

    @Test(arguments: [
        "limit=0", "limit=201", "limit=many", "after=yesterday", "before=2026-13-01T00:00:00Z", "actor=me", "subject=7",
        "cursor=x", "cursor=9223372036854775807.0192f0c1-2b3c-7d4e-8f90-123456789abc", "type=", "type=a%00b",
    ])
    func `a parameter that is wrong is named`(_ query: String) async throws {
        try await RunningAudit.with(database: try await .make()) { service in
            let answer = try await service.get("/v1/audit?\(query)", as: user("00000000000a"))
            #expect(answer.status == 400 && answer.headers[.contentType] == "application/problem+json")
            #expect(answer.json["errors"]?[0]?["field"]?.string == query.split(separator: "=").first.map(String.init))
        }
    }

    @Test func `the whole log is for tokens that may export it, and verifies`() async throws {
        try await RunningAudit.with(database: try await .make()) { service in
            var events = Events()
            let users = (0..<30).map { _ in events.id() }
            try await service.deliver(users.map { events.task(of: $0) })
            #expect(try await service.get("/v1/audit/export").status == 401)
            #expect(try await service.get("/v1/audit/export", as: user("00000000000a")).status == 403)
            let export = try await service.get("/v1/audit/export", as: user("000000000000"))
            #expect(export.status == 200 && export.headers[.contentType] == "application/x-ndjson")
            #expect(try await ExportVerifier().verify(MemorySource(export.bytes)).rows == 30)
            let empty = try await service.get("/nowhere")
            #expect(empty.status == 404 && empty.headers[.contentType] == "application/problem+json")
        }
    }

    @Test func `checkpoints come by themselves, and are listed for everybody`() async throws {
        try await RunningAudit.with(database: try await .make(), ["TODO_AUDIT_CHECKPOINT_SECONDS": "1"]) { service in
            var events = Events()
            let user = user("00000000000a")
            for count in 1...3 {
                try await service.deliver([events.task(of: user)])
                try await service.eventually("/v1/audit/checkpoints", as: user) { $0.items.count == count }
            }
            #expect(try await service.get("/v1/audit/checkpoints").status == 401)
            let first = try await service.get("/v1/audit/checkpoints?limit=2", as: user)
            #expect(first.items.compactMap { $0["checkpoint"]?["index"]?.int } == [3, 2])
            let rest = try await service.get(
                "/v1/audit/checkpoints?limit=2&cursor=\(first.json["nextCursor"]?.string ?? "")", as: user)
            #expect(rest.items.compactMap { $0["checkpoint"]?["index"]?.int } == [1])
            #expect(rest.json["nextCursor"] == .null)
            #expect(first.items.allSatisfy { SignedCheckpoint($0)?.isSigned == true })
            // Who reads a checkpoint may be before who counts it.
            try await service.eventually("/metrics") {
                $0.text.contains("audit_entries_appended_total 3") && $0.text.contains("audit_checkpoints_total 3")
            }
        }
    }

    @Test func `an api service that is away costs a second try, not the answer no`() async throws {
        let away = InMemoryTransport { _ in throw HTTPTransportError.connectionLost("away") }
        let failing = InMemoryTransport { _ in ClientResponse.json([:], status: .internalServerError) }
        for api in [away, failing] {
            try await RunningAudit.with(database: try await .make(), api: api) { service in
                let answer = try await service.get("/v1/audit", as: user("00000000000a"))
                #expect(answer.status == 503 && answer.headers[.retryAfter] == "1")
            }
        }
    }

    @Test func `a database that was not migrated, or has another key, ends the service`() async throws {
        await #expect(throws: DatabaseError.olderSchema(found: 0, needed: AuditSchema.migrations.count)) {
            try await RunningAudit.with(database: try await .make(isMigrated: false)) { _ in }
        }
        let database = try await AuditDatabase.make()
        try await RunningAudit.with(database: database) { _ in }
        let other = Data([UInt8](repeating: 5, count: 32)).base64EncodedString()
        await #expect(throws: WrongMasterKey.self) {
            try await RunningAudit.with(database: database, ["TODO_AUDIT_KEY": other]) { _ in }
        }
    }
}

@Suite struct AuthenticatorTests {
    private actor Calls {
        private(set) var seen: [HTTPFields] = []
        func add(_ headers: HTTPFields) { seen.append(headers) }
    }

    private func authenticator(_ calls: Calls, lifetime: Duration = .seconds(60)) -> APITokenAuthenticator {
        let transport = InMemoryTransport { request in
            await calls.add(request.headers)
            return try await RunningAudit.api.send(request)
        }
        return APITokenAuthenticator(api: "http://api.test", transport: transport, lifetime: lifetime)
    }

    private let token = "0192f0c1-2b3c-7d4e-8f90-00000000000a"

    @Test func `who bears a token is asked once in a while, yes or no`() async throws {
        let calls = Calls()
        let kept = authenticator(calls)
        for _ in 0..<3 {
            #expect(try await kept.principal(of: [.authorization: "Bearer \(token)"])?.user.text == token)
            #expect(try await kept.principal(of: [.authorization: "Bearer wrong"]) == nil)
        }
        #expect(await calls.seen.count == 2)
        let brief = authenticator(calls, lifetime: .zero)
        for _ in 0..<3 { _ = try await brief.principal(of: [.authorization: "Bearer \(token)"]) }
        #expect(await calls.seen.count == 5)
    }

    @Test func `only the token is passed on, and without one nobody is asked`() async throws {
        let calls = Calls()
        let one = authenticator(calls)
        #expect(try await one.principal(of: [.cookie: "other=1", .userAgent: "x"]) == nil)
        #expect(await calls.seen.isEmpty)
        _ = try await one.principal(of: [.cookie: "other=1; todo_session=secret; more=2", .userAgent: "x"])
        #expect(await calls.seen == [[.cookie: "todo_session=secret"]])
        _ = try await one.principal(of: [.cookie: "todo_session=secret", .authorization: "Bearer t"])
        #expect(await calls.seen.last == [.authorization: "Bearer t"])
    }
}

@Suite struct AuditConfigurationTests {
    private let key = Data([UInt8](repeating: 1, count: 32)).base64EncodedString()
    private var least: [String: String] {
        [
            "DATABASE_URI": "postgresql://u:s3cret@h/d", "TODO_API_URL": "http://api/", "TODO_AUDIT_KEY": key,
            "TODO_AUDIT_SIGNING_KEY": key,
        ]
    }

    @Test func `the rest has defaults`() throws {
        let configuration = try AuditServiceConfiguration(environment: least)
        #expect(configuration.port == 8080 && configuration.poolSize == 16 && configuration.apiURL == "http://api")
        #expect(configuration.checkpointInterval == .seconds(60) && configuration.sidecarToken == nil)
    }

    @Test(arguments: [
        ("DATABASE_URI", ""), ("DATABASE_URI", "postgresql://u:s3cret@h:x/d"), ("TODO_API_URL", ""),
        ("TODO_API_URL", "api"), ("TODO_AUDIT_KEY", ""), ("TODO_AUDIT_KEY", "c2hvcnQ="), ("TODO_AUDIT_KEY", "s3cret!"),
        ("TODO_AUDIT_SIGNING_KEY", ""), ("TODO_AUDIT_SIGNING_KEY", "c2hvcnQ="), ("DATABASE_POOLED", "maybe"),
        ("TODO_AUDIT_CHECKPOINT_SECONDS", "0"), ("PORT", "70000"), ("LOG_LEVEL", "loud"), ("POOL_SIZE", "0"),
    ])
    func `a variable that cannot be used is named, without secrets`(_ name: String, _ value: String) throws {
        let error = try #require(
            #expect(throws: EnvironmentError.self) {
                try AuditServiceConfiguration(environment: least.merging([name: value]) { $1 })
            })
        #expect(error.variable == name && error.description.hasPrefix("\(name): "))
        #expect(!error.description.contains("s3cret"))
    }
}
