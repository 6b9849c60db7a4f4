import Foundation
import KubernetesClient
import PostgresServer
import StructuredData
import Testing

/// kill -9 of the operator, of the cluster and of PostgreSQL at random moments: it always ends where it should.
@Suite(.timeLimit(.minutes(6))) struct CrashTests {
    @Test func twentyKillsAtRandomPointsLeaveNothingWrong() async throws {
        let installation = try await Installation()
        try await installation.createApps()
        for round in 0..<20 {
            try await installation.changeSomething(round)
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...400)))  // the random point
            try await installation.kill(Victim.allCases.randomElement() ?? .cluster)
        }
        try await installation.expectConverged()
        try await installation.deleteApp("crash-2")
        try await installation.expectConverged(apps: ["crash-0", "crash-1"])
        await installation.stop()
    }
}

private enum Victim: CaseIterable { case operatorProcess, cluster, database }

/// A cluster, an operator and a PostgreSQL, each a process of its own that can be killed and started again.
private final class Installation {
    static let namespace = "crash"
    static let type = ResourceType(group: "todo-operator.dev", version: "v1alpha1", kind: "TodoApp", plural: "todoapps")
    static let deployments = ResourceType(group: "apps", version: "v1", kind: "Deployment", plural: "deployments")
    static let childTypes = [
        deployments,
        ResourceType(group: "", version: "v1", kind: "Service", plural: "services"),
        ResourceType(group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts"),
        ResourceType(group: "policy", version: "v1", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets"),
        ResourceType(group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", plural: "networkpolicies"),
    ]

    private let folder: TemporaryFolder
    private let kubeconfig: String
    private let port: Int
    private let database: PostgresServer
    private var cluster: BackgroundProcess
    private var operatorProcess: BackgroundProcess
    private let client: KubernetesClient

    init() async throws {
        folder = try TemporaryFolder()
        kubeconfig = folder.url.appending(path: "kubeconfig").path
        database = try await PostgresServer.start()
        port = Int.random(in: 20000..<30000)
        cluster = try await Self.startCluster(folder, kubeconfig, port)
        client = KubernetesClient(configuration: try ClusterConfiguration.load(kubeconfig: kubeconfig))
        let crds = try await Command.run(Command.todo, ["crds"])
        for document in try YAML.parse(crds.out) {
            _ = try await client.create(
                KubernetesObject(document),
                ResourceType(
                    group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition",
                    plural: "customresourcedefinitions", namespaced: false), namespace: nil)
        }
        operatorProcess = try await Self.startOperator(kubeconfig)
    }

    private static func startCluster(_ folder: TemporaryFolder, _ kubeconfig: String, _ port: Int) async throws
        -> BackgroundProcess
    {
        let data = folder.url.appending(path: "data").path
        let cluster = try await BackgroundProcess.start(
            Command.todo, ["cluster", "--data-dir", data, "--port", "\(port)", "--kubeconfig", kubeconfig])
        _ = try await cluster.line(matching: /(https:\/\/\S+)/)
        return cluster
    }

    private static func startOperator(_ kubeconfig: String) async throws -> BackgroundProcess {
        try await BackgroundProcess.start(
            Command.todo, ["operator", "--kubeconfig", kubeconfig, "--metrics-port", "0", "--log-level", "warning"])
    }

    func createApps() async throws {
        _ = try await client.create(
            KubernetesObject(["metadata": ["name": .string(Self.namespace)]]),
            ResourceType(group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false),
            namespace: nil)
        for number in 0..<3 {
            let uri = database.uri(database: try await database.createDatabase())
            _ = try await client.create(
                KubernetesObject(["metadata": ["name": "db-\(number)"], "stringData": ["uri": .string(uri)]]),
                ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets"), namespace: Self.namespace)
            _ = try await client.create(
                KubernetesObject([
                    "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp",
                    "metadata": ["name": "crash-\(number)"],
                    "spec": [
                        "database": ["secretRef": ["name": "db-\(number)"], "tlsMode": "Disable"],
                        "services": ["api": ["replicas": 1]],
                    ],
                ]), Self.type, namespace: Self.namespace)
        }
    }

    /// One edit per round, so that there is something under way when the kill comes.
    func changeSomething(_ round: Int) async throws {
        let patch: JSON =
            round % 2 == 0
            ? ["spec": ["networkPolicy": .string(round % 4 == 0 ? "Disabled" : "Enabled")]]
            : ["spec": ["services": ["api": ["replicas": JSON(round % 3 == 0 ? 2 : 1)]]]]
        _ = try await client.patch(
            Self.type, namespace: Self.namespace, name: "crash-\(round % 3)", .merge(patch), subresource: nil,
            options: WriteOptions())
    }

    func kill(_ victim: Victim) async throws {
        switch victim {
        case .operatorProcess:
            try await operatorProcess.stop(SIGKILL)
            operatorProcess = try await Self.startOperator(kubeconfig)
        case .cluster:
            try await cluster.stop(SIGKILL)
            cluster = try await Self.startCluster(folder, kubeconfig, port)
        case .database:
            try await database.kill()
            try await database.restart()
        }
    }

    func deleteApp(_ name: String) async throws {
        _ = try await client.delete(Self.type, namespace: Self.namespace, name: name, options: DeleteOptions())
    }

    /// Every app is Ready for its latest spec, and has exactly its objects.
    func expectConverged(apps: [String] = ["crash-0", "crash-1", "crash-2"]) async throws {
        for app in apps {
            _ = try await eventually(within: .seconds(90), "\(app) is ready; \(operatorProcess.output.suffix(2000))") {
                let object = try? await client.get(Self.type, namespace: Self.namespace, name: app)
                let ready = object?.status?["conditions"]?.array?.first { $0["type"] == "Ready" }
                let isCurrent = object?.status?["observedGeneration"]?.int == object?.generation
                return isCurrent && ready?["status"] == "True" ? true : nil
            }
        }
        for type in Self.childTypes {
            let wanted = try await apps.asyncFilter { app in
                guard type.kind == "NetworkPolicy" else { return true }
                let spec = try await client.get(Self.type, namespace: Self.namespace, name: app).spec
                return spec?["networkPolicy"] == "Enabled"
            }
            _ = try await eventually("\(type.kind): exactly \(wanted)") {
                let items = try await client.list(type, namespace: Self.namespace, options: ListOptions()).items
                let names = items.filter { $0.controller != nil }.map(\.name).sorted()
                return names == wanted.map { "\($0)-api" } ? true : nil
            }
        }
        let sets = ResourceType(group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets")
        let pods = ResourceType(group: "", version: "v1", kind: "Pod", plural: "pods")
        _ = try await eventually(within: .seconds(60), "as many pods as replicas") {
            let replicas = try await client.list(Self.deployments, namespace: Self.namespace, options: ListOptions())
                .items
                .reduce(0) { $0 + ($1.spec?["replicas"]?.int ?? 0) }
            let live = try await client.list(sets, namespace: Self.namespace, options: ListOptions()).items
                .reduce(0) { $0 + ($1.spec?["replicas"]?.int ?? 0) }
            let running = try await client.list(pods, namespace: Self.namespace, options: ListOptions()).items
            return live == replicas && running.count == replicas ? true : nil
        }
    }

    func stop() async {
        _ = try? await operatorProcess.stop(SIGTERM)
        _ = try? await cluster.stop(SIGTERM)
    }
}

extension Array {
    fileprivate func asyncFilter(_ isIncluded: (Element) async throws -> Bool) async rethrows -> [Element] {
        var result: [Element] = []
        for element in self where try await isIncluded(element) { result.append(element) }
        return result
    }
}
