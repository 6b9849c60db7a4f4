import ChildProcess
import Foundation

/// A shell that runs a server and stops it when its standard input ends, which happens at the latest when this process
/// dies. The folder is removed then. (Signals may be blocked in whoever starts it, and then are in what it starts: it
/// cannot use `wait`, and some servers only end by SIGKILL.)
final class Keeper: Sendable {
    /// No child inherits it: `ChildProcess` passes on the three standard descriptors only.
    private let input: Int32

    private init(input: Int32) { self.input = input }

    deinit { close(input) }

    /// `command` writes to `log` in the folder.
    static func start(directory: String, command: [String]) async throws -> Keeper {
        let script = """
            keep() { while read -r line; do [ "$line" = leave ] && exit 0; done; }
            folder="$1"
            shift
            "$@" >>"$folder/log" 2>&1 </dev/null &
            keep
            kill -QUIT $! 2>/dev/null
            for i in 1 2 3 4 5 6 7 8 9; do [ -e "$folder/data/postmaster.pid" ] && sleep 0.1; done
            kill -KILL $! 2>/dev/null
            rm -rf "$folder"
            """
        let command = Shell.unprivileged(["/bin/sh", "-c", script, "keeper", directory] + command)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Shell.Failure(String(cString: strerror(errno))) }
        let keeper = Keeper(input: ends[1])
        defer { close(ends[0]) }
        var specification = ChildProcess.Specification(
            path: command[0], arguments: Array(command.dropFirst()),
            environment: ProcessInfo.processInfo.environment)
        specification.workingDirectory = "/tmp"
        specification.standardInput = .descriptor(ends[0])
        specification.standardOutput = .null
        specification.standardError = .null
        _ = try await ChildProcess.start(specification)
        return keeper
    }

    /// Lets the server, if it still runs, go on without this keeper.
    func detach() { _ = write(input, "leave\n", 6) }
}
