import Foundation
import Testing

/// One version of kubectl that is on this machine, with a discovery cache and a namespace of its own.
struct Kubectl: Sendable {
    let path: String
    let kubeconfig: String
    let namespace: String
    private let home: TemporaryFolder

    init(path: String, kubeconfig: String, namespace: String) throws {
        self.path = path
        self.kubeconfig = kubeconfig
        self.namespace = namespace
        home = try TemporaryFolder()
    }

    /// In a new namespace of the shared cluster, named after `purpose` and the version.
    static func inNamespace(_ purpose: String, path: String) async throws -> Kubectl {
        let version = path.split(separator: "/").last?.filter(\.isNumber) ?? ""
        let kubectl = try Kubectl(
            path: path, kubeconfig: try await TestCluster.shared().kubeconfig, namespace: "\(purpose)-v\(version)")
        let created = try await kubectl.run(["create", "namespace", kubectl.namespace])
        #expect(created.out == "namespace/\(kubectl.namespace) created\n", "\(created)")
        return kubectl
    }

    /// `kubectl.1.29` … where they lie beside a dispatching `kubectl`, else the one on PATH.
    static let installed: [String] = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        func find(_ name: String, in folders: [String]) -> String? {
            folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        }
        guard let kubectl = find("kubectl", in: folders) else { return [] }
        let real = URL(fileURLWithPath: kubectl).resolvingSymlinksInPath().deletingLastPathComponent().path
        let versioned = (29...40).compactMap { find("kubectl.1.\($0)", in: [real] + folders) }
        return versioned.isEmpty ? [kubectl] : versioned
    }()

    private var environment: [String: String] { ["KUBECONFIG": kubeconfig, "HOME": home.url.path] }

    func run(
        _ arguments: [String], input: String = "", environment additions: [String: String] = [:], seconds: Int = 150
    ) async throws -> CommandResult {
        try await Command.run(
            path, ["-n", namespace] + arguments, input: input, environment: environment.merging(additions) { $1 },
            seconds: seconds)
    }

    /// Starts what ends by itself only later, or never.
    func start(_ arguments: String...) async throws -> BackgroundProcess {
        try await BackgroundProcess.start(path, ["-n", namespace] + arguments, environment: environment)
    }

    /// Expects this exit status, and that what is printed contains every one of `texts`; gives what is printed.
    @discardableResult
    func expect(
        _ arguments: String..., input: String = "", environment: [String: String] = [:], prints texts: [String] = [],
        exits status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let result = try await run(arguments, input: input, environment: environment)
        #expect(result.status == status, "\(result)", sourceLocation: sourceLocation)
        let said = result.out + result.err
        for text in texts {
            #expect(said.contains(text), "misses \(text): \(result)", sourceLocation: sourceLocation)
        }
        return said
    }
}

extension Kubectl {
    /// Expects that what it waits for does not come. Its start and first requests count: where it did not get as far as
    /// to wait, it has longer.
    func expectTimeout(
        _ arguments: String..., prints text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var result = try await run(arguments + ["--timeout=2s"])
        if result.status == 1, !(result.out + result.err).contains(text) {
            result = try await run(arguments + ["--timeout=15s"])
        }
        #expect(
            result.status == 1 && (result.out + result.err).contains(text), "misses \(text): \(result)",
            sourceLocation: sourceLocation)
    }
}

extension Trait where Self == ConditionTrait {
    static var needsKubectl: Self {
        .enabled(if: !Kubectl.installed.isEmpty, "kubectl is not on PATH; the README says how to get it")
    }
}
