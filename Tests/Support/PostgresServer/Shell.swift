import ChildProcess
import Foundation

/// Runs programs as a user that PostgreSQL accepts.
enum Shell {
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    static let isRoot = getuid() == 0

    /// Where Debian keeps the server's programs; the newest version there is.
    static let binaries: String = {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let newest = versions.compactMap { Int($0) }.max() ?? 15
        return "/usr/lib/postgresql/\(newest)/bin"
    }()

    /// The program and arguments that run `arguments` as the unprivileged user.
    static func unprivileged(_ arguments: [String]) -> [String] {
        isRoot ? ["/usr/sbin/runuser", "-u", "postgres", "--"] + arguments : arguments
    }

    @discardableResult
    static func run(_ program: String, _ arguments: String...) async throws -> String {
        try await run(program, arguments)
    }

    /// Runs a program to its end; returns what it wrote to standard output and standard error, without the last newline.
    @discardableResult
    static func run(_ program: String, _ arguments: [String]) async throws -> String {
        let command = unprivileged([program] + arguments)
        var specification = ChildProcess.Specification(
            path: "/bin/sh", arguments: ["-c", "exec \"$@\" 2>&1", "sh"] + command,
            environment: ProcessInfo.processInfo.environment)
        specification.workingDirectory = "/tmp"
        guard case .ended(let exit, let output) = try await ChildProcess.capture(specification) else {
            throw Failure("\(program) did not end")
        }
        let text = String(decoding: output, as: UTF8.self).trimmingCharacters(in: .newlines)
        guard exit == .exited(0) else { throw Failure("\(program) failed with \(exit): \(text)") }
        return text
    }

    static func temporaryDirectory() async throws -> String {
        try await run("/usr/bin/mktemp", "-d", "/tmp/todo-postgres.XXXXXX")
    }

    /// Writes a file that the unprivileged user may read.
    static func write(_ path: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        if isRoot { try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path) }
    }

    static func isRunning(_ process: Int32) -> Bool {
        guard let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return !state.contains(") Z ")
    }

    /// Polls a condition of another process, for at most 30 seconds.
    static func wait(_ what: String, until condition: () async -> Bool) async throws {
        for _ in 0..<3000 {
            if await condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure("waited 30 s for \(what)")
    }
}
