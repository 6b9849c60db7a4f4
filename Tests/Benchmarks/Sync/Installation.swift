import ChildProcess
import DaprSidecar
import Foundation
import HTTPTransport
import HTTPTypes
import KubernetesClient
import LocalPostgres
import Logging
import StructuredData
import TodoModel
import TodoStore
import TopicLog

/// What `todo up` runs for an app, without a cluster around it: PostgreSQL, sidecars, api and realtime.
struct Installation {
    let site: String
    /// Between the relay and its sidecar.
    let published = Tap()
    /// Between realtime and its sidecar.
    let delivered = Tap()
    private let postgres: LocalPostgres
    private let sidecars: DaprHost
    private let services: [ChildProcess]

    /// This program lies in `Tests/Benchmarks/.build/<machine>/<mode>`.
    private static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "../../../../../.build/release/todo").standardizedFileURL.path

    static func start(in folder: String) async throws -> Installation {
        let postgres = try await LocalPostgres(folder: "\(folder)/postgres")
        try await postgres.start()
        let uri = try await postgres.ownedDatabase("sync")
        _ = try await Migrator.migrate(databaseURI: uri)
        let host = try DaprHost(
            topics: .init(folder: "\(folder)/topics"), stateFolder: "\(folder)/state", secrets: { _, _, _ in nil },
            schedules: { _ in { _ in nil } },
            logger: Logger(label: "dapr") { _ in SwiftLogNoOpLogHandler() })
        host.update(DaprResources(components: components, subscriptions: subscriptions))
        return try await Installation(postgres: postgres, uri: uri, sidecars: host, folder: folder)
    }

    private init(postgres: LocalPostgres, uri: String, sidecars: DaprHost, folder: String) async throws {
        let (api, realtime) = (Int.random(in: 20_000..<25_000), Int.random(in: 25_000..<30_000))
        var pods: [SidecarPod] = []
        for (name, port) in [("api", Int?.none), ("realtime", try await delivered.serve(before: realtime))] {
            pods.append(
                SidecarPod(
                    uid: name, name: "\(name)-1", namespace: "bench", appID: "todo-\(name)", appPort: port,
                    address: "127.0.0.1"))
        }
        let publishing = try await published.serve(before: try await sidecars.start(pods[0]))
        services = [
            try await Self.serve(
                "api",
                [
                    "DATABASE_URI": uri, "PORT": "\(api)", "TODO_API_TOKEN": UUID().uuidString, "SIGN_UP": "open",
                    "RATE_LIMIT": "0", "TODO_REALTIME_URL": "http://127.0.0.1:\(realtime)",
                    "DAPR_HTTP_PORT": "\(publishing)",
                ], log: folder),
            try await Self.serve(
                "realtime",
                ["TODO_API_URL": "http://127.0.0.1:\(api)", "PORT": "\(realtime)", "DRAIN_SECONDS": "0"], log: folder),
        ]
        self.postgres = postgres
        self.sidecars = sidecars
        site = "http://127.0.0.1:\(api)"
        for port in [api, realtime] { try await Self.whenReady(port) }
        _ = try await sidecars.start(pods[1])
    }

    /// As the operator makes them.
    private static var subscriptions: [KubernetesObject] {
        EventFlow.deliveries(to: "realtime").map { delivery in
            KubernetesObject([
                "metadata": ["name": .string(delivery.topic), "namespace": "bench"], "scopes": ["todo-realtime"],
                "spec": [
                    "bulkSubscribe": ["enabled": true, "maxMessagesCount": JSON(delivery.maxMessages)],
                    "pubsubname": "todo-broadcast", "routes": ["default": .string(delivery.path)],
                    "topic": .string(delivery.topic),
                ],
            ])
        }
    }

    private static var components: [KubernetesObject] {
        [
            ("todo-pubsub", ["initialOffset": "oldest"]),
            ("todo-broadcast", ["initialOffset": "newest", "consumerID": "{podName}"]),
        ].map { (name: String, own: [String: String]) in
            // Those with the same brokers share their topics.
            let values = own.merging(["brokers": "localhost:9092", "authType": "none"]) { $1 }
            return KubernetesObject([
                "metadata": ["name": .string(name), "namespace": "bench"],
                "spec": [
                    "type": "pubsub.kafka", "version": "v1",
                    "metadata": .array(values.map { ["name": .string($0), "value": .string($1)] }),
                ],
            ])
        }
    }

    private static func serve(
        _ service: String, _ environment: [String: String], log folder: String
    ) async throws -> ChildProcess {
        let own = ["TODO_BIND_ADDRESS": "127.0.0.1", "LOG_LEVEL": "error"]
        var command = ChildProcess.Specification(
            path: program, arguments: ["serve", service], environment: environment.merging(own) { $1 })
        command.standardOutput = .file("\(folder)/\(service).log")
        command.standardError = command.standardOutput
        command.signalWhenParentEnds = SIGKILL
        return try await ChildProcess.start(command)
    }

    private static func whenReady(_ port: Int) async throws {
        let transport = CurlTransport(configuration: .init(proxy: .none))
        let request = ClientRequest(url: "http://127.0.0.1:\(port)/readyz", totalTimeout: .seconds(2))
        for _ in 0..<1000 {
            if let answer = try? await transport.send(request), answer.status.code == 200 { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Failure("nobody is ready at port \(port)")
    }

    func stop() async {
        for service in services { await service.stop(SIGTERM) }
        try? await sidecars.close()
        await postgres.stop()
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
