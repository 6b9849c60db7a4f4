import FoundationEssentials
import HTTPTransport
import HTTPTypes
import Logging
import ServiceHTTP
import ServiceLifecycle
import StructuredData
import Telemetry
import Testing
import TodoStore
import TodoModel

@testable import AuditService

/// The service on a database of its own, asked over TCP. Tokens are known to an api service that is a closure.
struct RunningAudit: Sendable {
    static let sidecarToken = "a-token-of-the-sidecar"

    let port: Int
    let transport: CurlTransport

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }
        var json: JSON { (try? JSON(parsing: bytes)) ?? .null }
        var items: [JSON] { json["items"]?.array ?? [] }
    }

    @discardableResult
    func get(_ path: String, as user: UUID? = nil, headers: HTTPFields = [:]) async throws -> Answer {
        var headers = headers
        if let user { headers[.authorization] = "Bearer \(user.text)" }
        return try await send(.get, path, nil, headers)
    }

    @discardableResult
    func deliver(
        _ events: [JSON], topic: String = "task-events", token: String? = RunningAudit.sidecarToken
    ) async throws -> Answer {
        try await send(.post, "/events/\(topic)", Events.bulk(events), Self.sidecar(token))
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]?, _ headers: HTTPFields
    ) async throws -> Answer {
        let response = try await transport.send(
            ClientRequest(
                method: method, url: "http://127.0.0.1:\(port)\(path)", headers: headers,
                body: body.map { .bytes($0) } ?? .none, totalTimeout: .seconds(120)))
        return Answer(
            status: response.status.code, headers: response.headers,
            bytes: try await response.body.collect(upTo: 64 << 20))
    }

    static func sidecar(_ token: String?) -> HTTPFields {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let token, let name = HTTPField.Name("dapr-api-token") { headers[name] = token }
        return headers
    }

    /// An api service whose tokens are user ids; those that end in `0` have `audit:export`, too.
    static let api = InMemoryTransport { request in
        let token = request.headers[.authorization]?.dropFirst("Bearer ".count) ?? ""
        guard request.url == "http://api.test/v1/me", let user = UUID(uuidString: String(token)) else {
            return ClientResponse(status: .unauthorized, body: ResponseBody { () in nil })
        }
        let scopes = "tasks:read" + (token.hasSuffix("0") ? " audit:export" : "")
        return ClientResponse.json(["id": .string(user.text)], scopes: scopes)
    }
}

extension ClientResponse {
    static func json(_ json: JSON, status: HTTPResponse.Status = .ok, scopes: String? = nil) -> ClientResponse {
        let pieces = Pieces([json.encoded()])
        var headers: HTTPFields = [.contentType: "application/json"]
        if let scopes, let name = HTTPField.Name("Todo-Scopes") { headers[name] = scopes }
        return ClientResponse(status: status, headers: headers, body: ResponseBody { () in await pieces.next() })
    }

    private actor Pieces {
        private var left: [[UInt8]]
        init(_ pieces: [[UInt8]]) { left = pieces }
        func next() -> [UInt8]? { left.isEmpty ? nil : left.removeFirst() }
    }
}

extension RunningAudit {
    static func environment(_ database: AuditDatabase, _ more: [String: String] = [:]) -> [String: String] {
        [
            "DATABASE_URI": database.uri, "PORT": "0", "TODO_BIND_ADDRESS": "127.0.0.1", "POOL_SIZE": "8",
            "TODO_API_URL": "http://api.test/", "APP_API_TOKEN": sidecarToken,
            "TODO_AUDIT_KEY": Data(AuditDatabase.master).base64EncodedString(),
            "TODO_AUDIT_SIGNING_KEY": Data(AuditDatabase.seed).base64EncodedString(),
        ].merging(more) { $1 }
    }

    /// Runs the service while `body` runs, and stops it as Kubernetes does.
    static func with(
        database: AuditDatabase, _ environment: [String: String] = [:], api: any HTTPTransport = RunningAudit.api,
        _ body: (RunningAudit) async throws -> Void
    ) async throws {
        var configuration = try AuditServiceConfiguration(environment: self.environment(database, environment))
        configuration.drainDelay = .zero
        configuration.poolWait = .seconds(60)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let service = AuditService(
            configuration: configuration, registry: PrometheusRegistry(),
            authenticator: APITokenAuthenticator(api: configuration.apiURL, transport: api, patience: .seconds(60)),
            logger: AuditDatabase.quiet
        ) {
            listening.yield($0)
            listening.finish()
        }
        let group = ServiceGroup(configuration: .init(services: [service], logger: AuditDatabase.quiet))
        let running = Task {
            defer { listening.finish() }
            try await group.run()
        }
        guard let port = await ports.first(where: { _ in true }) else { return try await running.value }
        let one = RunningAudit(port: port, transport: CurlTransport())
        do {
            try await one.eventually("/readyz") { $0.status == 200 }
            try await body(one)
        } catch {
            one.transport.close()
            running.cancel()
            // A service that gave up is why nobody answered.
            try await running.value
            throw error
        }
        one.transport.close()
        await group.triggerGracefulShutdown()
        try await running.value
    }

    /// Asks until the answer is as wanted; for what comes in its own time.
    @discardableResult
    func eventually(_ path: String, as user: UUID? = nil, _ isWanted: (Answer) -> Bool) async throws -> Answer {
        var last: Answer?
        for _ in 0..<3000 {
            let answer = try await get(path, as: user)
            if isWanted(answer) { return answer }
            last = answer
            try await Task.sleep(for: .milliseconds(20))  // another process tells nobody when it is so far
        }
        Issue.record("never came: \(last?.text ?? "")")
        return try #require(last)
    }
}
