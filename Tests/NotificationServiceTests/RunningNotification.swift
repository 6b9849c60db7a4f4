import Concurrency
import FoundationEssentials
import HTTPTransport
import HTTPTypes
import Logging
import ServiceHTTP
import ServiceLifecycle
import StructuredData
import Telemetry
import Testing
import TodoModel

@testable import NotificationService

/// The service, asked over TCP. Tokens are user ids, known to an api service that is a closure.
struct RunningNotification: Sendable {
    static let sidecarToken = "a-token-of-the-sidecar"
    static let linkKey = [UInt8](repeating: 9, count: 32)

    let port: Int
    let transport: CurlTransport

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }
        var json: JSON { (try? JSON(parsing: bytes)) ?? .null }
        var items: [JSON] { json["items"]?.array ?? [] }
        var fields: [String] { (json["errors"]?.array ?? []).compactMap { $0["field"]?.string } }
    }

    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, as user: User? = nil,
        headers more: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = more
        if let user { headers[.authorization] = "Bearer \(user.id.text)" }
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        let response = try await transport.send(
            ClientRequest(
                method: method, url: "http://127.0.0.1:\(port)\(path)", headers: headers,
                body: body.map { .bytes($0.encoded()) } ?? .none, totalTimeout: .seconds(120)))
        return Answer(
            status: response.status.code, headers: response.headers,
            bytes: try await response.body.collect(upTo: 16 << 20))
    }

    /// As the sidecar does, in one batch. Returns the statuses.
    func deliver(_ events: [JSON], token: String? = sidecarToken) async throws -> [String] {
        let entries = events.enumerated().map { number, event -> JSON in
            [
                "entryId": .string("\(number)"), "event": event, "metadata": [:],
                "contentType": "application/cloudevents+json",
            ]
        }
        let body: JSON = [
            "id": "b1", "type": "com.dapr.event.sent.bulk", "topic": "reminder-events", "pubsubname": "todo-pubsub",
            "metadata": [:], "entries": .array(entries),
        ]
        var headers = HTTPFields()
        if let token, let name = HTTPField.Name("dapr-api-token") { headers[name] = token }
        let answer = try await send(.post, "/events/reminder-events", body, headers: headers)
        guard answer.status == 200 else { return ["\(answer.status)"] }
        return (answer.json["statuses"]?.array ?? []).compactMap { $0["status"]?.string }
    }

    static let api = InMemoryTransport { request in
        let token = request.headers[.authorization]?.dropFirst("Bearer ".count) ?? ""
        let cookie = request.headers[.cookie]?.dropFirst("todo_session=".count) ?? ""
        guard let user = UUID(uuidString: String(token.isEmpty ? cookie : token)) else {
            return ClientResponse(status: .unauthorized, body: ResponseBody { () in nil })
        }
        var headers: HTTPFields = [:]
        if let name = HTTPField.Name("Todo-Scopes") { headers[name] = "tasks:read tasks:write account" }
        let left = Lock<[UInt8]?>(JSON(["id": user.text]).encoded())
        return ClientResponse(
            status: .ok, headers: headers,
            body: ResponseBody { () in
                left.withLock { bytes in
                    defer { bytes = nil }
                    return bytes
                }
            })
    }

    static func environment(_ uri: String, _ more: [String: String] = [:]) -> [String: String] {
        [
            "DATABASE_URI": uri, "PORT": "0", "TODO_BIND_ADDRESS": "127.0.0.1", "POOL_SIZE": "8",
            "TODO_API_URL": "http://api.test/", "APP_API_TOKEN": sidecarToken,
            "TODO_PUBLIC_URL": "https://todo.example.com/", "TODO_LINK_KEY": Data(linkKey).base64EncodedString(),
            "TODO_WEBHOOK_ALLOW": "127.0.0.0/8",
        ].merging(more) { $1 }
    }

    /// Runs the service while `body` runs, and stops it as Kubernetes does.
    static func with(
        _ home: NotificationDatabase, _ environment: [String: String] = [:], actions: (any ReminderActions)? = nil,
        resolver: any AddressResolver = SystemResolver(),
        configure: (inout NotificationServiceConfiguration) -> Void = { _ in },
        _ body: (RunningNotification) async throws -> Void
    ) async throws {
        var configuration = try NotificationServiceConfiguration(environment: self.environment(home.uri, environment))
        configuration.drainDelay = .zero
        configuration.poolWait = .seconds(60)
        configure(&configuration)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let service = NotificationService(
            configuration: configuration, registry: PrometheusRegistry(), actions: actions,
            authenticator: APITokenAuthenticator(api: configuration.apiURL, transport: api, patience: .seconds(60)),
            resolver: resolver, logger: NotificationDatabase.quiet
        ) {
            listening.yield($0)
            listening.finish()
        }
        let group = ServiceGroup(configuration: .init(services: [service], logger: NotificationDatabase.quiet))
        let running = Task {
            defer { listening.finish() }
            try await group.run()
        }
        guard let port = await ports.first(where: { _ in true }) else { return try await running.value }
        let one = RunningNotification(port: port, transport: CurlTransport(configuration: .init(proxy: .none)))
        let result: Result<Void, any Error>
        do {
            try await eventually { try await one.send(.get, "/readyz").status == 200 }
            result = .success(try await body(one))
        } catch { result = .failure(error) }
        one.transport.close()
        await group.triggerGracefulShutdown()
        try await running.value
        try result.get()
    }
}

/// Reminder events as the reminder worker writes them.
enum ReminderEvents {
    static func fired(
        of user: User, _ channels: [String], title: String = "Water the plants", reminder: UUID = UUID(),
        at time: Instant = .now(), digest: [String]? = nil
    ) -> JSON {
        var body: JSONObject = [
            "id": JSON(reminder), "source": "person", "fireAt": JSON(time), "firedAt": JSON(time), "late": false,
            "channels": .array(channels.map(JSON.string)),
        ]
        if let digest { body["digest"] = .array(digest.map { ["title": .string($0)] }) }
        return [
            "specversion": "1.0", "id": JSON(UUID()), "type": "dev.todo-operator.reminder.fired",
            "source": .string("/users/\(user.id.text)"), "subject": JSON(reminder), "time": JSON(time),
            "partitionkey": JSON(user.id),
            "data": [
                "user": JSON(user.id), "members": [JSON(user.id)], "reminder": .object(body),
                "task": [
                    "id": JSON(UUID()), "title": .string(title),
                    "due": ["date": "2026-11-21", "time": "14:30", "zone": "Europe/Berlin"],
                ],
            ],
        ]
    }
}
