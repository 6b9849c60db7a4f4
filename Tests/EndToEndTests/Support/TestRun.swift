import ChildProcess
import Foundation

/// What this test process and the programs that it starts leave on disk is in one folder, which goes when the process
/// ends, however that happens.
enum TestRun {
    /// Others may pass through: a PostgreSQL that runs as a user of its own keeps its data below.
    static let folder: URL = {
        let folder = FileManager.default.temporaryDirectory.appending(path: "todo-test-\(getpid())")
        try? FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        removeAtTheEnd(folder)
        return folder
    }()

    /// This process' environment with `additions`, and with temporary files in `folder`.
    static func environment(_ additions: [String: String]) -> [String: String] {
        ProcessInfo.processInfo.environment.merging(["TMPDIR": folder.path]) { $1 }.merging(additions) { $1 }
    }

    /// Leaves it to a shell that waits for the end of its standard input: only this process has the other end, which
    /// `ChildProcess` passes on to none. Programs that are killed at that moment may write for an instant more, so it
    /// tries again.
    private static func removeAtTheEnd(_ folder: URL) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        let script = "cat; for i in 1 2 3 4 5 6 7 8 9; do rm -rf \"$0\" && exit; sleep 0.2; done"
        var remover = ChildProcess.Specification(path: "/bin/sh", arguments: ["-c", script, folder.path])
        remover.environment = ["PATH": "/usr/bin:/bin"]
        remover.workingDirectory = "/"
        remover.standardInput = .descriptor(ends[0])
        remover.standardOutput = .null
        remover.standardError = .null
        Task { [remover, read = ends[0]] in
            _ = try? await ChildProcess.start(remover)
            close(read)
        }
    }
}

/// A folder that goes with the value.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        let name = String(UInt64.random(in: .min ... .max), radix: 36)
        url = TestRun.folder.appending(path: name)
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
