import Concurrency
import Dapr
import Foundation
import HTTPTransport
import KubernetesClient
import Logging
import StructuredData
import Testing
import TopicLog

@testable import DaprSidecar

/// The sidecar under test with the app beside it: the one that `DAPR_HTTP_ENDPOINT` names, else the embedded one.
struct ConformanceSidecar: Sendable {
    let app: ConformanceApp
    let client: DaprClient
    let isEmbedded: Bool

    static let shared = Task { try await start() }

    private static func start() async throws -> ConformanceSidecar {
        let environment = ProcessInfo.processInfo.environment
        if environment["DAPR_HTTP_ENDPOINT"] != nil {
            let app = ConformanceApp(token: environment["APP_API_TOKEN"])
            _ = try await serve(app, port: Int(environment["DAPR_APP_PORT"] ?? "") ?? 8099)
            let client = DaprClient(.init(environment: environment))
            return ConformanceSidecar(app: app, client: client, isEmbedded: false)
        }
        let app = ConformanceApp(token: "app token")
        let port = try await serve(app, port: 0)
        let host = try EmbeddedHost()
        host.keepUntilExit()
        var pod = EmbeddedHost.pod("conformance", appPort: port)
        pod.apiToken = "api token"
        pod.appToken = "app token"
        host.host.update(try objects())
        let sidecar = try await host.host.start(pod)
        let configuration = DaprClient.Configuration(endpoint: "http://127.0.0.1:\(sidecar)", apiToken: "api token")
        return ConformanceSidecar(app: app, client: DaprClient(configuration), isEmbedded: true)
    }

    static func serve(_ app: ConformanceApp, port: Int = 0) async throws -> Int {
        let (ports, port_) = AsyncStream<Int>.makeStream()
        Task { try await app.run(port: port) { port_.yield($0) } }
        for await port in ports { return port }
        throw CancellationError()
    }

    static func objects() throws -> DaprResources {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/objects.yaml")
        let all = try YAML.parse(String(contentsOf: path, encoding: .utf8)).map { KubernetesObject($0) }
        return DaprResources(
            components: all.filter { $0.kind == "Component" }, subscriptions: all.filter { $0.kind == "Subscription" },
            resiliencies: all.filter { $0.kind == "Resiliency" })
    }
}

/// The embedded stand-in on a folder of its own.
final class EmbeddedHost: Sendable {
    private static let kept = Lock<[EmbeddedHost]>([])
    let host: DaprHost
    let folder: String

    init(folder: String? = nil) throws {
        let path = folder ?? FileManager.default.temporaryDirectory.appending(path: "dapr-\(UUID().uuidString)").path
        self.folder = path
        var logger = Logger(label: "dapr")
        logger.logLevel = .critical
        host = try DaprHost(
            topics: TopicLog.Configuration(folder: "\(path)/topics"), stateFolder: "\(path)/state",
            secrets: Self.secret,
            schedules: { schedule in
                guard schedule == "@every 1s" else { throw EnvelopeFailure() }
                return { $0.advanced(by: .seconds(1)) }
            }, logger: logger)
    }

    struct EnvelopeFailure: Error {}

    /// The folder goes with the process.
    func keepUntilExit() {
        Self.kept.withLock { $0.append(self) }
        atexit {
            for host in EmbeddedHost.kept.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: host.folder) }
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    static func pod(_ app: String, appPort: Int?, uid: String = UUID().uuidString) -> SidecarPod {
        SidecarPod(
            uid: uid, name: "pod-\(uid.prefix(8).lowercased())", namespace: "default", appID: app, appPort: appPort,
            address: "127.0.0.1")
    }

    private static let secret: SecretReader = { namespace, name, audience in
        guard case .serviceAccount("default", "default") = audience, namespace == "default" else {
            throw EnvelopeFailure()
        }
        return name == "login" ? ["user": "ann", "password": "ünïcode"] : nil
    }
}

/// Asks until there is an answer.
func eventually<Value: Sendable>(
    within limit: Duration = .seconds(60), _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if let value = try await body() { return value }
        try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
    throw CancellationError()
}

extension ConformanceSidecar {
    /// Waits for at least `count` arrivals of the event with this marker.
    func arrivals(
        of marker: String, count: Int = 1, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [ConformanceApp.Arrival] {
        try await eventually("\(count) arrivals of \(marker)", sourceLocation: sourceLocation) {
            let arrivals = app.arrivals(of: marker)
            return arrivals.count >= count ? arrivals : nil
        }
    }

    /// A CloudEvent whose id is the marker too.
    static func event(_ marker: String, script: [String] = [], type: String = "dev.test", _ data: JSON = [:]) -> JSON {
        var data = data
        data["marker"] = .string(marker)
        if !script.isEmpty { data["script"] = .array(script.map { .string($0) }) }
        return [
            "specversion": "1.0", "id": .string(marker), "type": .string(type), "source": "/tests", "data": data,
            "datacontenttype": "application/json", "partitionkey": "own attribute",
        ]
    }

    func publish(_ event: JSON, key: String? = nil, to topic: String) async throws {
        try await client.publish(OutgoingEvent(event, partitionKey: key), to: topic, of: ConformanceApp.pubsub)
    }
}
