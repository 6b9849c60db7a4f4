import Concurrency
import Foundation
import KubernetesClient
import PostgresServer
import StructuredData
import Testing

/// A `todo cluster`, a process of its own, and a client of it.
final class TestCluster: Sendable {
    /// One for all tests of this run that need none of their own; it ends with the test process.
    /// Of an app whose workers run in the operator, in the order of their names.
    static let services = ["api", "audit", "notification", "realtime"]

    static func shared() async throws -> TestCluster { try await sharedTask.value }
    private static let sharedTask = Task { try await TestCluster.start() }

    let kubeconfig: String
    let client: KubernetesClient
    private let folder: TemporaryFolder
    /// With the port that the kernel chose at the first start.
    private let arguments: [String]
    private let running: Lock<BackgroundProcess>

    private init(folder: TemporaryFolder, arguments: [String], process: BackgroundProcess) throws {
        self.folder = folder
        self.arguments = arguments
        running = Lock(process)
        kubeconfig = Self.kubeconfig(in: folder)
        client = KubernetesClient(configuration: try ClusterConfiguration.load(kubeconfig: kubeconfig))
    }

    /// - Parameter keepsData: in a data folder; else what it holds ends with the process.
    static func start(keepsData: Bool = false) async throws -> TestCluster {
        let folder = try TemporaryFolder()
        var arguments = ["cluster", "--kubeconfig", kubeconfig(in: folder)]
        if keepsData { arguments += ["--data-dir", folder.url.appending(path: "data").path] }
        let process = try await BackgroundProcess.start(Command.todo, arguments + ["--port", "0"])
        let port = try await process.line(matching: /https:\/\/\S+:(\d+) is up/)
        return try TestCluster(folder: folder, arguments: arguments + ["--port", port], process: process)
    }

    /// Kills it and starts it again, on the same port.
    func killAndRestart() async throws {
        try await process.stop(SIGKILL)
        let process = try await BackgroundProcess.start(Command.todo, arguments)
        _ = try await process.line(matching: /(https:\/\/\S+) is up/)
        running.withLock { $0 = process }
    }

    func stop() async throws { try await process.stop(SIGTERM) }

    private var process: BackgroundProcess { running.withLock { $0 } }

    private static func kubeconfig(in folder: TemporaryFolder) -> String {
        folder.url.appending(path: "kubeconfig").path
    }
}

extension ResourceType {
    static let todoApps = ResourceType(
        group: "todo-operator.dev", version: "v1alpha1", kind: "TodoApp", plural: "todoapps")
}

extension KubernetesObject {
    /// Whether it is Ready, as of its latest spec.
    var isReady: Bool {
        let ready = status?["conditions"]?.array?.first { $0["type"] == "Ready" }
        return status?["observedGeneration"]?.int == generation && ready?["status"] == "True"
    }
}

/// What several tests put into it.
extension TestCluster {
    /// A cluster that knows the kinds of this operator, and has a namespace for apps.
    static func start(forAppsIn namespace: String, keepsData: Bool = false) async throws -> TestCluster {
        let cluster = try await start(keepsData: keepsData)
        for document in try YAML.parse(try await Command.run(Command.todo, ["crds"]).out) {
            _ = try await cluster.client.create(KubernetesObject(document), .customResourceDefinitions, namespace: nil)
        }
        _ = try await cluster.client.create(
            KubernetesObject(["metadata": ["name": .string(namespace)]]), .namespaces, namespace: nil)
        return cluster
    }

    func startOperator(_ more: String..., environment: [String: String] = [:]) async throws -> BackgroundProcess {
        try await BackgroundProcess.start(
            Command.todo, ["operator", "--kubeconfig", kubeconfig, "--metrics-port", "0"] + more,
            environment: environment)
    }

    /// One that works only while it holds the Lease of `namespace`.
    func startCandidate(in namespace: String, environment: [String: String] = [:]) async throws -> BackgroundProcess {
        try await startOperator(
            "--leader-elect", "--leader-elect-namespace", namespace, environment: environment)
    }

    /// Who holds the Lease, once that is as wanted.
    func leader(
        in namespace: String, within limit: Duration = .seconds(60), _ isWanted: (String) -> Bool
    ) async throws -> String {
        try await eventually(within: limit, "a leader") {
            let lease = try await client.getIfPresent(.leases, namespace: namespace, name: "todo-operator")
            let holder = lease?.spec?["holderIdentity"]?.string ?? ""
            return isWanted(holder) ? holder : nil
        }
    }

    /// A TodoApp with one replica of each service, and the Secret of a database of its own, whose name it gives.
    @discardableResult
    func create(todoApp name: String, namespace: String, on server: PostgresServer) async throws -> String {
        let database = try await server.createDatabase()
        let uri = server.uri(database: database)
        _ = try await client.create(
            KubernetesObject(["metadata": ["name": .string("\(name)-db")], "stringData": ["uri": .string(uri)]]),
            .secrets, namespace: namespace)
        _ = try await client.create(
            KubernetesObject([
                "metadata": ["name": .string(name)],
                "spec": [
                    "database": ["secretRef": ["name": .string("\(name)-db")], "tlsMode": "Disable"],
                    "networkPolicy": "Enabled",
                    "services": .object(JSONObject(Self.services.map { (key: $0, value: ["replicas": 1]) })),
                ],
            ]), .todoApps, namespace: namespace)
        return database
    }

    func merge(_ patch: JSON, into todoApp: String, namespace: String) async throws {
        _ = try await client.patch(
            .todoApps, namespace: namespace, name: todoApp, .merge(patch), subresource: nil, options: WriteOptions())
    }
}
