import ChildProcess
import Foundation
import Glibc
import KubernetesClient
import LocalPostgres
import StructuredData

/// A PostgreSQL, a cluster in memory and an operator.
final class Installation: Sendable {
    static let namespace = "bench"
    static let apps = ResourceType(group: "todo-operator.dev", version: "v1alpha1", kind: "TodoApp", plural: "todoapps")
    static let policies = ResourceType(
        group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", plural: "networkpolicies")
    /// What is made for an app whose Kafka is somebody else's.
    static let childTypes =
        [
            policies, ResourceType(group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts"),
            ResourceType(group: "", version: "v1", kind: "Service", plural: "services"),
            ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets"),
            ResourceType(group: "policy", version: "v1", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets"),
            ResourceType(group: "apps", version: "v1", kind: "Deployment", plural: "deployments"),
        ]
        + [
            ("Component", "components"), ("Configuration", "configurations"), ("Resiliency", "resiliencies"),
            ("Subscription", "subscriptions"),
        ].map { kind, plural in
            let version = kind == "Subscription" ? "v2alpha1" : "v1alpha1"
            return ResourceType(group: "dapr.io", version: version, kind: kind, plural: plural)
        }

    let folder: String
    let client: KubernetesClient
    let operatorProcess: MeasuredProcess
    private let cluster: MeasuredProcess
    private let database: LocalPostgres

    private init(
        folder: String, client: KubernetesClient, operatorProcess: MeasuredProcess, cluster: MeasuredProcess,
        database: LocalPostgres
    ) {
        self.folder = folder
        self.client = client
        self.operatorProcess = operatorProcess
        self.cluster = cluster
        self.database = database
    }

    static func start(program: String) async throws -> Installation {
        let folder = FileManager.default.temporaryDirectory.appending(path: "operator-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let database = try await LocalPostgres(folder: "\(folder)/postgres")
        try await database.start()
        let uri = try await database.ownedDatabase("todo")
        let kubeconfig = "\(folder)/kubeconfig"
        let cluster = try await MeasuredProcess.start(
            program, ["cluster", "--port", "0", "--kubeconfig", kubeconfig], log: "\(folder)/cluster.log")
        try await until("the cluster is up: \(folder)/cluster.log") {
            FileManager.default.contents(atPath: "\(folder)/cluster.log").map {
                String(decoding: $0, as: UTF8.self).contains("is up")
            } ?? false
        }
        let client = KubernetesClient(configuration: try ClusterConfiguration.load(kubeconfig: kubeconfig))
        try await prepare(client, program: program, uri: uri)
        let operatorProcess = try await MeasuredProcess.start(
            program,
            ["operator", "--kubeconfig", kubeconfig, "--metrics-port", "\(metricsPort)", "--log-level", "warning"],
            log: "\(folder)/operator.log")
        return Installation(
            folder: folder, client: client, operatorProcess: operatorProcess, cluster: cluster, database: database)
    }

    func stop(keepingLogs: Bool = false) async {
        await operatorProcess.stop()
        await cluster.stop()
        await database.stop()
        if !keepingLogs { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// The samples of the operator's `/metrics`, as printed.
    func metrics() async throws -> String {
        let url = "http://127.0.0.1:\(Self.metricsPort)/metrics"
        let specification = ChildProcess.Specification(
            path: try ChildProcess.find("curl", in: "/usr/bin:/bin"), arguments: ["-sf", "--max-time", "5", url])
        guard case .ended(.exited(0), let output) = try await ChildProcess.capture(specification) else {
            throw Failure("\(url) does not answer")
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static let metricsPort = 18_081

    private static func prepare(_ client: KubernetesClient, program: String, uri: String) async throws {
        let crds = ChildProcess.Specification(path: program, arguments: ["crds"])
        guard case .ended(.exited(0), let output) = try await ChildProcess.capture(crds) else {
            throw Failure("\(program) crds failed")
        }
        for document in try YAML.parse(String(decoding: output, as: UTF8.self)) {
            _ = try await client.create(
                KubernetesObject(document),
                ResourceType(
                    group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition",
                    plural: "customresourcedefinitions", namespaced: false), namespace: nil)
        }
        _ = try await client.create(
            KubernetesObject(["metadata": ["name": .string(namespace)]]),
            ResourceType(group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false),
            namespace: nil)
        _ = try await client.create(
            KubernetesObject(["metadata": ["name": "database"], "stringData": ["uri": .string(uri)]]),
            ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets"), namespace: namespace)
    }
}

/// A program whose processor time and memory are read from the kernel.
final class MeasuredProcess: Sendable {
    private let process: ChildProcess

    private init(_ process: ChildProcess) { self.process = process }

    static func start(_ program: String, _ arguments: [String], log: String) async throws -> MeasuredProcess {
        var specification = ChildProcess.Specification(
            path: program, arguments: arguments, environment: ProcessInfo.processInfo.environment)
        specification.standardOutput = .file(log)
        specification.standardError = .file(log)
        specification.signalWhenParentEnds = SIGKILL
        return MeasuredProcess(try await ChildProcess.start(specification))
    }

    func stop() async { await process.stop() }

    /// Why the program is not there any more, if it is not.
    var end: String? {
        get async { process.isRunning ? nil : await process.exit.description }
    }

    /// Resident memory in MB, how much of that are pages of the program and its libraries, which the kernel drops when it
    /// needs room, and the most that there ever was.
    var memory: (all: Double, files: Double, most: Double) {
        let status = (try? String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)) ?? ""
        func megabytes(_ name: String) -> Double {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") } ?? ""
            return (line.split(separator: " ").compactMap { Double($0) }.first ?? .nan) / 1024
        }
        return (megabytes("VmRSS"), megabytes("RssFile"), megabytes("VmHWM"))
    }

    /// Seconds of processor time used so far, to a hundredth.
    var processorTime: Double {
        let stat = (try? String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8)) ?? ""
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return .nan }
        return (user + system) / 100
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func until(_ what: String, within limit: Duration = .seconds(120), _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw Failure("not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
