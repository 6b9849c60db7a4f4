import Concurrency
import ControllerRuntime
import Dapr
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import StructuredData

/// The app beside the sidecar under test. It notes what arrives, and answers as each event's own `data.script` says: the
/// first delivery with the first word, and so on, then SUCCESS. At `/codes` the words are status codes.
final class ConformanceApp: Sendable {
    struct Arrival: Sendable {
        let path: String
        let event: JSON
        let metadata: [String: String]
        let isBulk: Bool
    }

    static let pubsub = "conformance-pubsub"
    @TaskLocal private static var path = ""

    private let arrivals = Lock<[String: [Arrival]]>([:])
    let cronHeaders = Lock<[HTTPFields]>([])
    /// All markers in the order of their first arrival.
    let order = Lock<[String]>([])
    let isHealthy = Lock(true)
    private let gates = Lock<[String: Latch]>([:])
    private let token: AppToken?

    init(token: String?) { self.token = token.map { AppToken($0) } }

    private static let dead = "dead"

    private static var subscriptions: [TopicSubscription] {
        let rules = [
            TopicSubscription.Rule(match: #"event.type == "kind.a""#, path: "/routes/a"),
            TopicSubscription.Rule(
                match: #"has(event.data) && has(event.data.kind) && event.data.kind.startsWith("b")"#, path: "/routes/b"
            ),
        ]
        return [
            TopicSubscription(pubsub: Self.pubsub, topic: "single", path: "/single", deadLetterTopic: dead),
            TopicSubscription(
                pubsub: Self.pubsub, topic: "bulk", path: "/bulk", deadLetterTopic: dead,
                bulk: .init(maxMessages: 100, maxAwaitMilliseconds: 100)),
            TopicSubscription(pubsub: Self.pubsub, topic: "codes", path: "/codes", deadLetterTopic: dead),
            TopicSubscription(pubsub: Self.pubsub, topic: "routes", path: "/routes/rest", rules: rules),
            TopicSubscription(pubsub: Self.pubsub, topic: "raw", path: "/raw", metadata: ["rawPayload": "true"]),
            TopicSubscription(pubsub: Self.pubsub, topic: "dead", path: "/dead"),
        ]
    }

    private func subscribers() -> [TopicSubscriber] {
        Self.subscriptions.flatMap { subscription in
            subscription.paths.map { path in
                TopicSubscriber(path) { [self] events in
                    let isBulk = subscription.bulk != nil
                    return events.map { event in
                        let word = note(
                            Arrival(path: Self.path, event: event.event, metadata: event.metadata, isBulk: isBulk))
                        // The dead letter topic has the events with their scripts: there all are taken.
                        return subscription.topic == Self.dead
                            ? .success : DeliveryStatus(rawValue: word ?? "") ?? .success
                    }
                }
            }
        }
    }

    /// Serves until cancelled; calls `onRunning` with the port.
    func run(port: Int, onRunning: @escaping @Sendable (Int) -> Void) async throws {
        let router = Router()
        router.add(middleware: PathMiddleware(app: self))
        router.addDaprSubscriptions(Self.subscriptions, token: token)
        router.addDaprSubscribers(subscribers(), token: token)
        router.post("/declared") { [self] request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            _ = note(
                Arrival(
                    path: "/declared", event: try JSON(parsing: Array(body.readableBytesView)), metadata: [:],
                    isBulk: false))
            return Response(status: .noContent)
        }
        router.post("/cron") { [self] request, _ in
            cronHeaders.withLock { $0.append(request.headers) }
            return Response(status: .ok)
        }
        router.get("/healthz") { [self] _, _ in
            Response(status: isHealthy.withLock { $0 } ? .ok : .serviceUnavailable)
        }
        var logger = Logger(label: "app")
        logger.logLevel = .critical
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: nil),
            onServerRunning: { channel in onRunning(channel.localAddress?.port ?? 0) }, logger: logger)
        try await application.runService(gracefulShutdownSignals: [])
    }

    /// Gives the word of the script for this arrival.
    fileprivate func note(_ arrival: Arrival) -> String? {
        let marker = Self.marker(arrival.event)
        let count = arrivals.withLock { arrivals in
            arrivals[marker, default: []].append(arrival)
            return arrivals[marker]?.count ?? 0
        }
        if count == 1 { order.withLock { $0.append(marker) } }
        let script = arrival.event.at("data", "script")?.array ?? []
        return count <= script.count ? script[count - 1].string : nil
    }

    static func marker(_ event: JSON) -> String {
        event.at("data", "marker")?.string ?? event["data"]?.string ?? event["data_base64"]?.string
            ?? event["id"]?.string ?? event.string ?? ""
    }

    func arrivals(of marker: String) -> [Arrival] { arrivals.withLock { $0[marker] ?? [] } }

    /// Lets the events with this marker go on whose word is `slow`: they are not answered before.
    func letGo(of marker: String) { gate(of: marker).open() }

    fileprivate func gate(of marker: String) -> Latch {
        gates.withLock { gates in
            let gate = gates[marker] ?? Latch()
            gates[marker] = gate
            return gate
        }
    }

    private struct PathMiddleware: RouterMiddleware {
        typealias Context = BasicRequestContext
        let app: ConformanceApp

        func handle(
            _ request: Request, context: Context, next: (Request, Context) async throws -> Response
        ) async throws -> Response {
            guard request.uri.path == "/codes" else {
                return try await ConformanceApp.$path.withValue(request.uri.path) { try await next(request, context) }
            }
            let body = try await request.body.collect(upTo: 1 << 20)
            let event = try JSON(parsing: Array(body.readableBytesView))
            let word = app.note(Arrival(path: "/codes", event: event, metadata: [:], isBulk: false))
            if word == "slow" { try await app.gate(of: ConformanceApp.marker(event)).wait() }
            return Response(status: .init(code: word.flatMap { Int($0) } ?? 204))
        }
    }
}
