import AuditService
import Concurrency
import Foundation
import HTTPTransport
import HTTPTypes
import Logging
import NotificationService
import PostgresServer
import ServiceHTTP
import ServiceLifecycle
import StructuredData
import TaskService
import Telemetry
import Testing
import TodoStore
import WebhookReceiver

/// The api with the audit and the notification service behind it, as `todo up` has them; events reach the audit service.
struct Installation: Sendable {
    enum Kind: String, CaseIterable, Sendable { case api, audit, notification }

    static let sidecarToken = "a-token-of-the-sidecar"
    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    let api: RunningService
    /// Refuses what it gets, for good.
    let receiver: WebhookReceiver
    private let ports: [Kind: Int]

    func port(of kind: Kind) -> Int { ports[kind] ?? 0 }

    /// With what the other services say of theirs; there is none until they said it.
    func document() async throws -> ServedDocument {
        ServedDocument(try await api.eventually(.get, "/v1/openapi.json", token: nil) { $0.status == 200 }.json)
    }

    static func with(
        limits: ConnectionLimits = .init(), _ environment: [String: String] = [:],
        _ body: (Installation) async throws -> Void
    ) async throws {
        let uri = try await RunningService.database()
        let authenticator = LateAuthenticator()
        try await WebhookReceiver.with { receiver in
            receiver.answer(.gone)
            try await hosting({ try await audit(authenticator, limits, $0) }) { audit in
                try await hosting({ try await notification(uri, authenticator, limits, $0) }) { notification in
                    let addresses = [
                        "TODO_AUDIT_URL": "http://127.0.0.1:\(audit)",
                        "TODO_NOTIFICATION_URL": "http://127.0.0.1:\(notification)",
                    ]
                    try await RunningService.with(
                        database: uri, environment.merging(addresses) { $1 },
                        publisher: DirectPublisher(port: audit), configure: { $0.limits = limits }
                    ) { api in
                        authenticator.ask(api: api.port)
                        try await api.eventually(.get, "/v1/audit") { $0.status == 200 }
                        try await api.eventually(.get, "/v1/channels") { $0.status == 200 }
                        try await body(
                            Installation(
                                api: api, receiver: receiver,
                                ports: [.api: api.port, .audit: audit, .notification: notification]))
                    }
                }
            }
        }
    }

    private static func audit(
        _ authenticator: any TokenAuthenticator, _ limits: ConnectionLimits,
        _ onListening: @escaping @Sendable (Int) -> Void
    ) async throws -> AuditService {
        let server = try await PostgresServer.shared()
        let uri = server.socketURI(user: "app", database: try await server.createDatabase(owner: "app"))
        _ = try await AuditSchema.migrate(databaseURI: uri)
        var configuration = try AuditServiceConfiguration(
            environment: environment(uri).merging([
                "TODO_AUDIT_KEY": Data(repeating: 1, count: 32).base64EncodedString(),
                "TODO_AUDIT_SIGNING_KEY": Data(repeating: 2, count: 32).base64EncodedString(),
            ]) { $1 })
        configuration.drainDelay = .zero
        configuration.poolWait = RunningService.patience
        configuration.limits = limits
        return AuditService(
            configuration: configuration, registry: PrometheusRegistry(), authenticator: authenticator,
            logger: logger, onListening: onListening)
    }

    private static func notification(
        _ uri: String, _ authenticator: any TokenAuthenticator, _ limits: ConnectionLimits,
        _ onListening: @escaping @Sendable (Int) -> Void
    ) async throws -> NotificationService {
        var configuration = try NotificationServiceConfiguration(
            environment: environment(uri).merging([
                "TODO_PUBLIC_URL": "https://todo.example.com/", "TODO_WEBHOOK_ALLOW": "127.0.0.0/8",
                "TODO_LINK_KEY": Data(repeating: 9, count: 32).base64EncodedString(),
            ]) { $1 })
        configuration.drainDelay = .zero
        configuration.poolWait = RunningService.patience
        configuration.limits = limits
        return NotificationService(
            configuration: configuration, registry: PrometheusRegistry(), authenticator: authenticator,
            logger: logger, onListening: onListening)
    }

    private static func environment(_ uri: String) -> [String: String] {
        [
            "DATABASE_URI": uri, "PORT": "0", "TODO_BIND_ADDRESS": "127.0.0.1", "POOL_SIZE": "4",
            "TODO_API_URL": "http://127.0.0.1:1", "APP_API_TOKEN": sidecarToken,
        ]
    }

    /// Runs a service while `body` runs, and stops it as Kubernetes does.
    private static func hosting(
        _ make: (@escaping @Sendable (Int) -> Void) async throws -> some Service, _ body: (Int) async throws -> Void
    ) async throws {
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let service = try await make { listening.yield($0) }
        let group = ServiceGroup(configuration: .init(services: [service], logger: logger))
        let running = Task {
            defer { listening.finish() }
            try await group.run()
        }
        guard let port = await ports.first(where: { _ in true }) else { return try await running.value }
        let result: Result<Void, any Error>
        do { result = .success(try await body(port)) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await running.value
        try result.get()
    }
}

/// Asks the api, once that has a port.
private final class LateAuthenticator: TokenAuthenticator {
    private let real = Lock<APITokenAuthenticator?>(nil)

    func ask(api port: Int) {
        real.withLock {
            $0 = APITokenAuthenticator(
                api: "http://127.0.0.1:\(port)", transport: CurlTransport(configuration: .init()),
                patience: RunningService.patience)
        }
    }

    func principal(of headers: HTTPFields) async throws -> Principal? {
        guard let real = real.withLock({ $0 }) else { throw CancellationError() }
        return try await real.principal(of: headers)
    }
}

/// Delivers events as the sidecar does, to one service.
private struct DirectPublisher: EventPublisher {
    let port: Int
    private let transport = CurlTransport()

    init(port: Int) { self.port = port }

    func publish(_ entries: [Outbox.Entry], to topic: String) async throws -> [Int64: String] {
        let batch = try entries.map { entry -> JSON in
            [
                "entryId": .string("\(entry.id)"), "event": try JSON(parsing: entry.body), "metadata": [:],
                "contentType": "application/cloudevents+json",
            ]
        }
        let body: JSON = [
            "id": "b1", "type": "com.dapr.event.sent.bulk", "topic": .string(topic), "pubsubname": "todo-pubsub",
            "metadata": [:], "entries": .array(batch),
        ]
        var headers: HTTPFields = [.contentType: "application/json"]
        if let name = HTTPField.Name("dapr-api-token") { headers[name] = Installation.sidecarToken }
        let response = try await transport.send(
            ClientRequest(
                method: .post, url: "http://127.0.0.1:\(port)/events/\(topic)", headers: headers,
                body: .bytes(body.encoded()), totalTimeout: .seconds(10)))
        let answer = try JSON(parsing: try await response.body.collect(upTo: 1 << 20))
        let refused = (answer["statuses"]?.array ?? []).filter { $0["status"] != "SUCCESS" }
        return Dictionary(
            uniqueKeysWithValues: refused.compactMap { status in
                status["entryId"]?.string.flatMap { Int64($0) }.map { ($0, status["status"]?.string ?? "") }
            })
    }
}
