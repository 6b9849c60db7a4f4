import Concurrency
import HTTPTransport
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import StructuredData
import Testing

@testable import TaskService

/// The api with another service behind it.
@Suite(.timeLimit(.minutes(10))) struct ServiceProxyTests {
    /// Answers with what it was asked, and documents one route while `isSaying`.
    private static func withEcho(
        _ isSaying: Lock<Bool> = Lock(true), _ body: (_ port: Int) async throws -> Void
    ) async throws {
        let router = Router()
        router.get("/openapi.json") { _, _ in
            guard isSaying.withLock({ $0 }) else { throw HTTPError(.serviceUnavailable) }
            let document: JSON = [
                "paths": ["/v1/channels": ["get": ["operationId": "listChannels"]], "/v1/tasks": ["get": [:]]],
                "components": ["schemas": ["Channel": ["type": "object"], "Task": ["type": "string"]]],
            ]
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(bytes: document.encoded())))
        }
        for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete] {
            router.on("/v1/**", method: method) { request, _ in
                let bytes = try await request.body.collect(upTo: 4 << 20)
                let told: JSON = [
                    "method": .string(request.method.rawValue), "path": .string(request.uri.string),
                    "body": .string(String(buffer: bytes)), "count": JSON(bytes.readableBytes),
                    "headers": .array(request.headers.map { .string("\($0.name.canonicalName): \($0.value)") }),
                ]
                var headers: HTTPFields = [.contentType: "application/json", .setCookie: "a=b", .location: "/v1/x"]
                headers[.eTag] = "\"1\""
                return Response(
                    status: .created, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: told.encoded())))
            }
        }
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0), serverName: nil),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) }, logger: logger)
        let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
        let running = Task { try await group.run() }
        let result: Result<Void, any Error>
        do { result = .success(try await body(await ports.first { _ in true } ?? 0)) } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await running.value
        try result.get()
    }

    @Test func `every method, body and header goes through, but those of the connection`() async throws {
        try await Self.withEcho { port in
            try await RunningService.with(["TODO_NOTIFICATION_URL": "http://127.0.0.1:\(port)"]) { service in
                for method in [HTTPRequest.Method.post, .patch, .put, .delete] {
                    var headers: HTTPFields = [
                        .contentType: "application/json", .authorization: "Bearer t", .cookie: "a=1",
                        .origin: "https://x",
                    ]
                    if let te = HTTPField.Name("TE") { headers[te] = "trailers" }
                    let answer = try await service.send(
                        method, "/v1/channels/x?q=%20a", bytes: Array("{\"a\":1}".utf8), headers: headers)
                    #expect(answer.status == 201 && answer.json["method"]?.string == method.rawValue)
                    #expect(answer.json["path"] == "/v1/channels/x?q=%20a" && answer.json["body"] == "{\"a\":1}")
                    let seen = Set((answer.json["headers"]?.array ?? []).compactMap(\.string))
                    #expect(
                        seen.isSuperset(of: [
                            "authorization: Bearer t", "cookie: a=1", "origin: https://x",
                            "content-type: application/json", "x-forwarded-host: 127.0.0.1:\(service.port)",
                        ]))
                    #expect(!seen.contains { $0.hasPrefix("te:") })
                    #expect(answer.headers[.eTag] == "\"1\"" && answer.headers[.location] == "/v1/x")
                    #expect(answer.headers[.setCookie] == nil)
                }
                let get = try await service.send(.get, "/v1/deliveries?limit=2", bytes: nil, headers: [:])
                #expect(get.status == 201 && get.json["path"] == "/v1/deliveries?limit=2")
            }
        }
    }

    @Test func `a body that is too large stops here`() async throws {
        try await Self.withEcho { port in
            try await RunningService.with(["TODO_NOTIFICATION_URL": "http://127.0.0.1:\(port)"]) { service in
                let fits = try await service.send(
                    .post, "/v1/channels", bytes: [UInt8](repeating: 0x61, count: 1 << 20), headers: [:])
                #expect(fits.status == 201 && fits.json["count"] == JSON(1 << 20))
                let tooLarge = try await service.send(
                    .post, "/v1/channels", bytes: [UInt8](repeating: 0x61, count: (1 << 20) + 1), headers: [:])
                #expect(tooLarge.status == 413)
            }
        }
    }

    @Test func `the document has what the other service says of itself, or is not to be had`() async throws {
        let isSaying = Lock(false)
        try await Self.withEcho(isSaying) { port in
            try await RunningService.with(["TODO_NOTIFICATION_URL": "http://127.0.0.1:\(port)"]) { service in
                let early = try await service.send(.get, "/v1/openapi.json", bytes: nil, headers: [:])
                #expect(early.status == 503 && early.headers[.retryAfter] == "1")
                isSaying.withLock { $0 = true }
                let whole = try await service.eventually(.get, "/v1/openapi.json", token: nil) { $0.status == 200 }.json
                #expect(whole.at("paths", "/v1/channels", "get", "operationId") == "listChannels")
                #expect(whole.at("components", "schemas", "Channel", "type") == "object")
                #expect(whole.at("paths", "/v1/tasks", "post") != nil, "its own stay")
                #expect(whole.at("components", "schemas", "Task", "type") == "object")
                isSaying.withLock { $0 = false }
                let later = try await service.send(.get, "/v1/openapi.json", bytes: nil, headers: [:])
                #expect(later.status == 200 && later.json == whole, "what it said last is still so")
            }
        }
    }

    @Test func `what belongs to a service that is away is answered 503`() async throws {
        try await RunningService.with(["TODO_NOTIFICATION_URL": "http://127.0.0.1:1"]) { service in
            for path in ["/v1/channels", "/v1/openapi.json"] {
                let away = try await service.send(.get, path, bytes: nil, headers: [:])
                #expect(away.status == 503 && away.headers[.retryAfter] == "1", "\(path)")
            }
        }
    }
}
