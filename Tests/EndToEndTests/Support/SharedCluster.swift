import Foundation

/// One `todo cluster` for all tests of this run that need no cluster of their own; it ends with the test process.
enum SharedCluster {
    struct Running: Sendable {
        let kubeconfig: String
        let process: BackgroundProcess
        let folder: TemporaryFolder
    }

    private static let starting = Task { () throws -> Running in
        let folder = try TemporaryFolder()
        let kubeconfig = folder.url.appending(path: "kubeconfig").path
        let process = try await BackgroundProcess.start(
            Command.todo, ["cluster", "--port", "0", "--kubeconfig", kubeconfig])
        _ = try await process.line(matching: /(https:\/\/\S+)/)
        return Running(kubeconfig: kubeconfig, process: process, folder: folder)
    }

    static func running() async throws -> Running { try await starting.value }
}
