import FoundationEssentials
import HTTPTransport
import HTTPTypes
import Logging
import NIOCore
import ServiceLifecycle
import StructuredData
import Telemetry
import Testing
import TodoModel
import WebSocketClient

@testable import RealtimeService

/// The service on a free port, with a real API behind it and a sidecar's calls in front.
struct RunningRealtime: Sendable {
    static let appToken = "sidecar"

    let port: Int
    let api: ChangesServer
    let group: ServiceGroup
    let registry: PrometheusRegistry
    let transport: CurlTransport

    /// Without checks: one that comes between a write and the delivery of its event would send it first, as a change.
    /// And with as much time for a handshake as a busy machine takes.
    static let uncheckedRules = ConnectionRules(
        handshakeTime: .seconds(60), checkInterval: .hours(1000), firstCheckInterval: .hours(1000))

    static func with(
        rules: ConnectionRules = uncheckedRules,
        _ environment: [String: String] = [:], configure: (inout RealtimeConfiguration) -> Void = { _ in },
        _ body: (RunningRealtime) async throws -> Void
    ) async throws {
        let api = try await ChangesServer.start()
        let defaults = [
            "TODO_API_URL": "http://127.0.0.1:\(api.port)", "PORT": "0", "TODO_BIND_ADDRESS": "127.0.0.1",
            "APP_API_TOKEN": appToken, "DRAIN_SECONDS": "0",
        ]
        var configuration = try RealtimeConfiguration(environment: defaults.merging(environment) { $1 })
        configuration.rules = rules
        configuration.requestTime = .seconds(60)
        configure(&configuration)
        let registry = PrometheusRegistry()
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let transport = CurlTransport(configuration: .init(proxy: .none, maxConnectionsPerHost: 64))
        let service = RealtimeService(
            configuration: configuration, transport: transport, registry: registry, logger: logger
        ) {
            listening.yield($0)
        }
        let group = ServiceGroup(services: [service], logger: logger)
        let running = Task { try await group.run() }
        let port = await ports.first { _ in true } ?? 0
        let one = RunningRealtime(port: port, api: api, group: group, registry: registry, transport: transport)
        let result: Result<Void, any Error>
        do { result = .success(try await body(one)) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await running.value
        try await api.stop()
        transport.close()
        try result.get()
    }

    /// Delivers events as the sidecar does, in one batch.
    @discardableResult
    func deliver(_ events: TodoEvent..., token: String? = appToken) async throws -> JSON {
        try await deliver(events.map(\.json), token: token)
    }

    @discardableResult
    func deliver(_ events: [JSON], to topic: String = "task-events", token: String? = appToken) async throws -> JSON {
        let entries = events.indices.map { index -> JSON in
            [
                "entryId": .string("\(index)"), "event": events[index], "metadata": .object([:]),
                "contentType": "application/cloudevents+json",
            ]
        }
        let body: JSON = [
            "id": "1", "type": "com.dapr.event.sent.bulk", "topic": .string(topic), "pubsubname": "todo-pubsub",
            "entries": .array(entries),
        ]
        return try await send(.post, "/events/\(topic)", body, token: token).json
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, token: String? = nil
    ) async throws -> (status: Int, json: JSON, text: String) {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let token, let name = HTTPField.Name("dapr-api-token") { headers[name] = token }
        let response = try await transport.send(
            ClientRequest(
                method: method, url: "http://127.0.0.1:\(port)\(path)", headers: headers,
                body: body.map { .bytes($0.encoded()) } ?? .none, totalTimeout: .seconds(120)))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        let json = try? JSON(parsing: bytes)
        return (response.status.code, json ?? .null, String(decoding: bytes, as: UTF8.self))
    }

    func connect(token: String, receiveBuffer: Int? = nil) async throws -> WebSocketClient {
        try await WebSocketClient.connect(
            port, headers: ["Sec-WebSocket-Protocol: todo.v1, bearer.\(token)"], receiveBuffer: receiveBuffer)
    }

    /// A client that resumed and has everything up to now; `titles` of what it was sent.
    func live(
        token: String, after cursor: String? = nil, receiveBuffer: Int? = nil
    ) async throws -> (client: WebSocketClient, titles: [String], cursor: String) {
        let client = try await connect(token: token, receiveBuffer: receiveBuffer)
        try await client.resume(after: cursor)
        let (titles, cursor) = try await client.untilReady()
        return (client, titles, cursor)
    }

    /// Waits for what comes in its own time.
    func eventually(
        sourceLocation: SourceLocation = #_sourceLocation, _ isTrue: () async throws -> Bool
    ) async throws {
        for _ in 0..<3000 {
            if try await isTrue() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("it never came to be", sourceLocation: sourceLocation)
    }

    /// The value of a series, as `/metrics` shows it.
    func metric(_ series: String) -> Double? {
        registry.render().split(separator: "\n").first { $0.hasPrefix(series + " ") }
            .flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
    }
}

extension WebSocketClient {
    func resume(after cursor: String?) async throws {
        let after: JSON = cursor.map { .string($0) } ?? .null
        try await send(["type": "resume", "after": after])
    }

    /// The titles of changes until `ready`, and its cursor.
    func untilReady() async throws -> (titles: [String], cursor: String) {
        var titles: [String] = []
        while true {
            let received = await next()
            guard case .message(let json) = received else {
                Issue.record("not ready, but \(received)")
                return (titles, "")
            }
            if json["type"] == "ready" { return (titles, json["cursor"]?.string ?? "") }
            titles.append(json.title ?? "\(json)")
        }
    }

    /// What comes next and is no `ready`: a check that overtakes an event sends its changes, and one of those.
    func nextButReady() async -> Received {
        while true {
            let received = await next()
            guard case .message(let json) = received, json["type"] == "ready" else { return received }
        }
    }

    /// The next message's title; of what is none, its description.
    func nextTitle() async -> String {
        let received = await nextButReady()
        if case .message(let json) = received { return json.title ?? "\(json)" }
        return "\(received)"
    }
}

extension JSON {
    var title: String? {
        (self["event"]?["data"]?["task"] ?? self["event"]?["data"]?["project"] ?? self["change"]?["task"])?["title"]?
            .string
    }
}
