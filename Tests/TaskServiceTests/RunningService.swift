import Concurrency
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
import TodoModel
import TodoStore

/// The service on a database of its own, asked over TCP.
struct RunningService: Sendable {
    static let token = "a-token-for-tests"
    /// Longer than what the service asks of its database and of others takes on a busy machine.
    static let patience: Duration = .seconds(60)

    let port: Int
    let databaseURI: String
    let group: ServiceGroup
    let registry: PrometheusRegistry
    let transport: CurlTransport
    let document = Lock<ServedDocument?>(nil)

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }
        var json: JSON { (try? JSON(parsing: bytes)) ?? .null }
        /// `field: detail` of each error of a problem.
        var errors: [String] {
            (json["errors"]?.array ?? []).map { "\($0["field"]?.string ?? "?"): \($0["detail"]?.string ?? "?")" }
        }
    }

    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, headers: HTTPFields = [:],
        token: String? = RunningService.token
    ) async throws -> Answer {
        var headers = headers
        if let token, headers[.authorization] == nil { headers[.authorization] = "Bearer \(token)" }
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        let answer = try await send(method, path, bytes: body?.encoded(), headers: headers)
        try await check(answer, to: method, path)
        return answer
    }

    /// Every answer to every test must be as the OpenAPI document says.
    private func check(_ answer: Answer, to method: HTTPRequest.Method, _ path: String) async throws {
        guard path.hasPrefix("/v1/"), answer.status != 503 else { return }
        if document.withLock({ $0 == nil }) {
            let served = try await send(.get, "/v1/openapi.json", bytes: nil, headers: [:])
            guard served.status == 200 else { return }
            document.withLock { $0 = ServedDocument(served.json) }
        }
        let problems = document.withLock { $0?.problems(method.rawValue, path, answer) ?? [] }
        if !problems.isEmpty { Issue.record("\(problems.joined(separator: "\n"))\n\(answer.text.prefix(2000))") }
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, bytes: [UInt8]?, headers: HTTPFields
    ) async throws -> Answer {
        let response = try await transport.send(
            ClientRequest(
                method: method, url: "http://127.0.0.1:\(port)\(path)", headers: headers,
                body: bytes.map { .bytes($0) } ?? .none, totalTimeout: .seconds(120)))
        return Answer(
            status: response.status.code, headers: response.headers,
            bytes: try await response.body.collect(upTo: 64 << 20))
    }

    /// Sends it again, a few times, while the answer is to come back: on a slow machine all connections to the database
    /// may be in use for seconds.
    static func patiently(_ send: () async throws -> Answer) async throws -> Answer {
        var answer = try await send()
        for _ in 0..<10 where answer.status == 503 && answer.headers[.retryAfter] != nil {
            try await Task.sleep(for: .seconds(1))
            answer = try await send()
        }
        return answer
    }

    func create(_ title: String, _ more: JSON = [:]) async throws -> JSON {
        var body = more
        body["title"] = .string(title)
        let answer = try await send(.post, "/v1/tasks", body)
        #expect(answer.status == 201)
        return answer.json
    }

    /// Asks until the answer is as wanted; for what comes in its own time.
    @discardableResult
    func eventually(
        _ method: HTTPRequest.Method, _ path: String, token: String? = RunningService.token,
        sourceLocation: SourceLocation = #_sourceLocation, _ isWanted: (Answer) -> Bool
    ) async throws -> Answer {
        var last: Answer?
        for _ in 0..<3000 {
            let answer = try await send(method, path, token: token)
            if isWanted(answer) { return answer }
            last = answer
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("never came: \(last?.text ?? "")", sourceLocation: sourceLocation)
        return try #require(last)
    }
}

extension RunningService {
    /// What the workers would have done by the end of the century.
    func fireAll() async throws {
        var limits = PostgresPool.Limits(size: 1)
        limits.waitDeadline = Self.patience
        let pool = PostgresPool(try PostgresConfiguration(databaseURI), limits: limits)
        let database = TodoDatabase(pool: pool)
        let (now, end) = (try #require(Instant("2099-12-31T00:00:00Z")), try #require(Instant("2999-01-01T00:00:00Z")))
        while case .planned = try await database.plan.step(now: .now(), until: end) {}
        _ = try await database.firing.claim(
            .init(after: nil, through: now, now: now, missedBefore: .now(), deadline: end))
        await pool.close()
    }

    /// A database with the schema of this release.
    static func database(on server: PostgresServer? = nil) async throws -> String {
        let shared = try await PostgresServer.shared()
        let server = server ?? shared
        let name = try await server.createDatabase("todo") { _ = try await Migrator.migrate(databaseURI: $0) }
        // As in production: the owner of the tables, who is no superuser, so that row-level security holds.
        return server.socketURI(user: "app", database: name)
    }

    /// Runs the service while `body` runs, and stops it as Kubernetes does.
    static func with(
        database uri: String? = nil, _ environment: [String: String] = [:], untilReady: Bool = true,
        publisher: (any EventPublisher)? = nil, configure: (inout TaskServiceConfiguration) -> Void = { _ in },
        _ body: (RunningService) async throws -> Void
    ) async throws {
        let own = uri == nil ? try await database() : ""
        let defaults = [
            "DATABASE_URI": uri ?? own, "TODO_API_TOKEN": token, "PORT": "0", "TODO_BIND_ADDRESS": "127.0.0.1",
            "POOL_SIZE": "8", "RATE_LIMIT": "0", "SIGN_UP": "open",
        ]
        var configuration = try TaskServiceConfiguration(environment: defaults.merging(environment) { $1 })
        configuration.drainDelay = .zero
        configuration.poolWait = patience
        configuration.requestDeadline = patience
        configuration.passwordCost = 1 << 8
        configure(&configuration)
        let registry = PrometheusRegistry()
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let service = TaskService(
            configuration: configuration, registry: registry, logger: logger, publisher: publisher
        ) {
            listening.yield($0)
            listening.finish()
        }
        let group = ServiceGroup(configuration: .init(services: [service], logger: logger))
        let running = Task {
            defer { listening.finish() }
            try await group.run()
        }
        guard let port = await ports.first(where: { _ in true }) else { return try await running.value }
        let transport = CurlTransport(configuration: .init(maxConnectionsPerHost: 64))
        let one = RunningService(
            port: port, databaseURI: uri ?? own, group: group, registry: registry, transport: transport)
        do {
            if untilReady { try await one.eventually(.get, "/readyz") { $0.status == 200 } }
            try await body(one)
        } catch {
            transport.close()
            // Cancelled in the midst of requests, the server's channels would trap.
            await group.triggerGracefulShutdown()
            // A service that gave up is why nobody answered.
            do { try await running.value } catch let reason as DatabaseError { throw reason } catch {}
            throw error
        }
        transport.close()
        await group.triggerGracefulShutdown()
        try await running.value
    }
}
