import Concurrency
import Foundation
import KubernetesClient
import StructuredData
import Testing

/// A `todo cluster`, a process of its own, and a client of it.
final class TestCluster: Sendable {
    /// One for all tests of this run that need none of their own; it ends with the test process.
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

    /// What `todo crds` prints.
    func installCRDs() async throws {
        let crds = try await Command.run(Command.todo, ["crds"])
        for document in try YAML.parse(crds.out) {
            _ = try await client.create(KubernetesObject(document), .customResourceDefinitions, namespace: nil)
        }
    }

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
    func create(namespace: String) async throws {
        _ = try await client.create(
            KubernetesObject(["metadata": ["name": .string(namespace)]]), .namespaces, namespace: nil)
    }

    /// A TodoApp with one replica, and the Secret of its database.
    func create(todoApp name: String, namespace: String, database uri: String) async throws {
        _ = try await client.create(
            KubernetesObject(["metadata": ["name": .string("\(name)-db")], "stringData": ["uri": .string(uri)]]),
            .secrets, namespace: namespace)
        _ = try await client.create(
            KubernetesObject([
                "metadata": ["name": .string(name)],
                "spec": [
                    "database": ["secretRef": ["name": .string("\(name)-db")], "tlsMode": "Disable"],
                    "networkPolicy": "Enabled",
                    "services": ["api": ["replicas": 1], "audit": ["replicas": 1], "realtime": ["replicas": 1]],
                ],
            ]), .todoApps, namespace: namespace)
    }

    func merge(_ patch: JSON, into todoApp: String, namespace: String) async throws {
        _ = try await client.patch(
            .todoApps, namespace: namespace, name: todoApp, .merge(patch), subresource: nil, options: WriteOptions())
    }
}
