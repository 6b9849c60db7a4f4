import ChildProcess
import Foundation
import Testing

/// What keeps `todo up` from starting is said at once, in one line; what cuts it short harms nothing.
@Suite(.loadsProcessors, .inTime) struct TodoUpRefusalsTests {
    static func up(_ folder: TemporaryFolder, _ more: String...) async throws -> CommandResult {
        try await Command.run(Command.todo, ["up", "--data-dir", folder.url.path, "--port", "0"] + more)
    }

    static func expectLine(_ result: CommandResult, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(result.status == 1, "\(result)", sourceLocation: sourceLocation)
        #expect(
            result.err.split(separator: "\n").count == 1 && result.err.contains(text), "misses \(text): \(result)",
            sourceLocation: sourceLocation)
    }

    static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        // A PostgreSQL that runs as another user must be able to enter.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.url.path)
        return folder
    }

    @Test func aPortInUse() async throws {
        let folder = try Self.folder()
        let cluster = try await BackgroundProcess.start(
            Command.todo, ["cluster", "--port", "0", "--kubeconfig", folder.url.appending(path: "kubeconfig").path])
        let port = try await cluster.line(matching: /127\.0\.0\.1:(\d+) is up/)
        let result = try await Self.up(folder, "--port", port)
        Self.expectLine(
            result, "port \(port) of 127.0.0.1 cannot be used: Address already in use; choose another with --port")
    }

    @Test func aFolderThatCannotBeWritten() async throws {
        let result = try await Command.run(Command.todo, ["up", "--data-dir", "/proc/todo"])
        Self.expectLine(
            result, "cannot make /proc/todo: No such file or directory; name another folder with --data-dir")
    }

    @Test func dataOfANewerProgram() async throws {
        let folder = try Self.folder()
        try "7\n".write(to: folder.url.appending(path: "format"), atomically: true, encoding: .utf8)
        Self.expectLine(try await Self.up(folder), "was written by a newer todo: run that one")
    }

    @Test(arguments: [
        ("kind: [", "line "), ("[1, 2]\n", "object 1: apiVersion is missing"),
        ("apiVersion: v1\nkind: Secret\n", "object 1: metadata.name is missing"),
        (BadInputTests.app("{databse: {}}"), "object 1: spec.databse: no such field"),
    ])
    func aFileThatIsBroken(text: String, message: String) async throws {
        let folder = try Self.folder()
        let file = folder.url.appending(path: "app.yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        Self.expectLine(try await Self.up(folder, "-f", file.path), message)
    }

    @Test(.enabled(if: geteuid() == 0, "not root")) func rootsUmaskDoesNotKeepPostgreSQLOut() async throws {
        let parent = try Self.folder()
        let data = parent.url.appending(path: "deep/data").path
        let up = try await BackgroundProcess.start(
            "/bin/sh",
            ["-c", "umask 077; exec \"$0\" \"$@\"", Command.todo, "up", "--data-dir", data, "--port", "0"])
        _ = try await up.line(matching: /(todo is up)/, within: .seconds(120))
        #expect(try await up.stop(SIGINT) == .exited(0), "\(up.output)")
    }

    /// Ctrl-C and kill -9 at any moment of the first start; each time the next start copes, and nothing stays behind.
    @Test func aStartThatIsCutShortHarmsNothing() async throws {
        let folder = try Self.folder()
        let arguments = ["up", "--data-dir", folder.url.path, "--port", "0"]
        for (signal, moment) in [
            (SIGINT, "data.new/base/1"), (SIGKILL, "data.new/base/1"), (SIGKILL, "data/postmaster.pid"),
        ] {
            let cut = try await BackgroundProcess.start(Command.todo, arguments)
            // Whoever looks too late finds the folder under its name.
            let files = [moment, "data/postmaster.pid"].map { folder.url.appending(path: "postgres/\($0)").path }
            _ = try await eventually("\(moment): \(cut.output)") {
                files.contains { FileManager.default.fileExists(atPath: $0) } ? true : nil
            }
            let exit = try await cut.stop(signal)
            #expect(exit == (signal == SIGINT ? .exited(0) : .signalled(SIGKILL)), "\(cut.output)")
        }
        let up = try await BackgroundProcess.start(Command.todo, arguments)
        _ = try await up.line(matching: /(todo is up)/, within: .seconds(120))
        let second = try await Self.up(folder)
        Self.expectLine(second, ": stop that, or name another folder with --data-dir")
        #expect(second.err.contains(/is in use by todo, process \d+:/), "\(second)")
        try await up.stop(SIGKILL)
        let again = try await BackgroundProcess.start(Command.todo, arguments)
        _ = try await again.line(matching: /(todo is up)/, within: .seconds(120))
        #expect(try await again.stop(SIGINT) == .exited(0), "\(again.output)")
        _ = try await eventually("no process of the folder is left") {
            // A pattern that does not match itself.
            let found = try await Command.run("pgrep", ["-af", "[/]" + folder.url.path.dropFirst()])
            return found.out.isEmpty ? true : nil
        }
    }
}
