import ChildProcess
import Concurrency
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import StructuredData

/// A webhook receiver on a port: keeps what it gets, answers as it is told to.
final class Receiver: Sendable {
    struct Hook: Sendable {
        var id: String
        var timestamp: String
        var signature: String
        var body: [UInt8]
        var path: String
        var json: JSON { (try? JSON(parsing: body)) ?? .null }
    }

    let port: Int
    private let hooks: Lock<[Hook]>
    private let status: Lock<(HTTPResponse.Status, HTTPFields)>

    private init(port: Int, hooks: Lock<[Hook]>, status: Lock<(HTTPResponse.Status, HTTPFields)>) {
        self.port = port
        self.hooks = hooks
        self.status = status
    }

    var received: [Hook] { hooks.withLock { $0 } }

    func answer(_ code: HTTPResponse.Status, _ headers: HTTPFields = [:]) { status.withLock { $0 = (code, headers) } }

    static func with<Value>(port: Int = 0, _ body: (Receiver) async throws -> Value) async throws -> Value {
        let (hooks, status) = (Lock<[Hook]>([]), Lock((HTTPResponse.Status.noContent, HTTPFields())))
        let router = Router()
        for path in ["/", "/**"] { router.post(RouterPath(path)) { request, _ in try await take(request) } }
        @Sendable func take(_ request: Request) async throws -> Response {
            let bytes = Array(try await request.body.collect(upTo: 1 << 20).readableBytesView)
            func header(_ name: String) -> String { HTTPField.Name(name).flatMap { request.headers[$0] } ?? "" }
            hooks.withLock {
                $0.append(
                    Hook(
                        id: header("webhook-id"), timestamp: header("webhook-timestamp"),
                        signature: header("webhook-signature"), body: bytes, path: request.uri.path))
            }
            let (code, headers) = status.withLock { $0 }
            return Response(status: code, headers: headers)
        }
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: nil),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) }, logger: logger)
        let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
        let running = Task { try await group.run() }
        let bound = await ports.first { _ in true } ?? 0
        let result: Result<Value, any Error>
        do { result = .success(try await body(Receiver(port: bound, hooks: hooks, status: status))) } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await running.value
        return try result.get()
    }
}

/// Python's `standardwebhooks`, where it can be had: somebody else's reading of the specification.
enum IndependentVerifier {
    static let python = ["/usr/bin/python3", "/usr/local/bin/python3"]

    /// Nil when it cannot be asked here.
    static func accepts(_ hook: Receiver.Hook, secret: String) async throws -> Bool? {
        let script = """
            import base64, json, sys
            try:
                from standardwebhooks import Webhook, WebhookVerificationError
            except ImportError:
                sys.exit(3)
            body, headers, secret = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
            try:
                Webhook(secret).verify(base64.b64decode(body), headers)
            except WebhookVerificationError:
                sys.exit(1)
            """
        let headers: JSON = [
            "webhook-id": .string(hook.id), "webhook-timestamp": .string(hook.timestamp),
            "webhook-signature": .string(hook.signature),
        ]
        for path in python {
            var specification = ChildProcess.Specification(
                path: path, arguments: ["-c", script, Data(hook.body).base64EncodedString(), headers.text, secret],
                environment: ProcessInfo.processInfo.environment)
            specification.standardOutput = .null
            specification.standardError = .null
            guard let process = try? await ChildProcess.start(specification) else { continue }
            switch await process.exit.code {
            case 0: return true
            case 1: return false
            default: continue
            }
        }
        return nil
    }
}
