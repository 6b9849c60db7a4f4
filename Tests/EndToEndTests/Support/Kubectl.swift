import Foundation

/// One version of kubectl that is on this machine, with a discovery cache of its own.
struct Kubectl: Sendable, CustomStringConvertible {
    let path: String
    let kubeconfig: String
    private let home: TemporaryFolder

    init(path: String, kubeconfig: String) throws {
        self.path = path
        self.kubeconfig = kubeconfig
        home = try TemporaryFolder()
    }

    var description: String { path }

    /// `kubectl.1.29` … `kubectl.1.33` where they lie beside a dispatching `kubectl`, else the one on PATH.
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

    func callAsFunction(_ arguments: String..., input: String? = nil, seconds: Int = 60) async throws -> CommandResult {
        try await run(arguments, input: input, seconds: seconds)
    }

    func run(_ arguments: [String], input: String? = nil, seconds: Int = 60) async throws -> CommandResult {
        try await Command.run(
            path, arguments, input: input, environment: ["KUBECONFIG": kubeconfig, "HOME": home.url.path],
            seconds: seconds)
    }
}
