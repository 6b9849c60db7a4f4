import Foundation
import Synchronization

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
        let process = try BackgroundProcess(
            Command.todo, ["cluster", "--port", "0", "--kubeconfig", kubeconfig])
        _ = try await process.line(matching: /(https:\/\/\S+)/)
        return Running(kubeconfig: kubeconfig, process: process, folder: folder)
    }

    static func running() async throws -> Running { try await starting.value }
}

/// Ends the programs that are still running when the tests are over.
enum Reaper {
    private static let pids = Mutex<Set<pid_t>>([])
    private static let installed: Void = {
        atexit { Reaper.pids.withLock { $0 }.forEach { kill($0, SIGKILL) } }
    }()

    static func watch(_ pid: pid_t) {
        _ = installed
        pids.withLock { _ = $0.insert(pid) }
    }

    static func forget(_ pid: pid_t) { pids.withLock { _ = $0.remove(pid) } }
}
