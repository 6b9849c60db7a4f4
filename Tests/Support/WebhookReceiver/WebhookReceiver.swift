import Concurrency
public import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
public import StructuredData

/// A webhook receiver on a port: keeps what it gets, answers as it is told to.
public final class WebhookReceiver: Sendable {
    public struct Hook: Sendable {
        public var id: String
        public var timestamp: String
        public var signature: String
        public var body: [UInt8]
        public var path: String
        /// The body; null when it is not JSON.
        public var json: JSON { (try? JSON(parsing: body)) ?? .null }
    }

    public let port: Int
    private let hooks: Lock<[Hook]>
    private let status: Lock<(HTTPResponse.Status, HTTPFields)>
    private let delay: Lock<Duration>
    private let released: Signal

    private init(
        port: Int, hooks: Lock<[Hook]>, status: Lock<(HTTPResponse.Status, HTTPFields)>, delay: Lock<Duration>,
        released: Signal
    ) {
        self.port = port
        self.hooks = hooks
        self.status = status
        self.delay = delay
        self.released = released
    }

    /// Since it was started, in the order in which they came.
    public var received: [Hook] { hooks.withLock { $0 } }

    /// What it answers from now on.
    public func answer(_ code: HTTPResponse.Status, _ headers: HTTPFields = [:]) {
        status.withLock { $0 = (code, headers) }
    }

    /// How long it lets those wait who come from now on; those who wait already are answered now.
    public func answer(after delay: Duration) {
        self.delay.withLock { $0 = delay }
        released.signal()
    }

    /// Receives while `body` runs.
    public static func with<Value>(port: Int = 0, _ body: (WebhookReceiver) async throws -> Value) async throws -> Value
    {
        let (hooks, status) = (Lock<[Hook]>([]), Lock((HTTPResponse.Status.noContent, HTTPFields())))
        let (delay, released) = (Lock(Duration.zero), Signal())
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
            // Before the delay is read: who is told to answer in between does not wait for the next word.
            let seen = released.count
            let wait = delay.withLock { $0 }
            if wait > .zero { await released.wait(since: seen, atMost: wait) }
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
        let receiver = WebhookReceiver(port: bound, hooks: hooks, status: status, delay: delay, released: released)
        do { result = .success(try await body(receiver)) } catch { result = .failure(error) }
        receiver.answer(after: .zero)
        await group.triggerGracefulShutdown()
        try await running.value
        return try result.get()
    }
}
