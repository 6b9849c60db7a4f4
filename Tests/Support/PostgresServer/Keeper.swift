import Foundation

/// A shell that runs a server and stops it when its standard input ends, which happens at the latest when this process
/// dies. The folder is removed then. (Signals may be blocked in whoever starts it, and then are in what it starts: it
/// cannot use `wait`, and some servers only end by SIGKILL.)
final class Keeper: Sendable {
    private let input: FileHandle

    /// `command` writes to `log` in the folder.
    init(directory: String, command: [String]) throws {
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
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: "/tmp")
        process.standardInput = pipe
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        input = pipe.fileHandleForWriting
        _ = fcntl(input.fileDescriptor, F_SETFD, FD_CLOEXEC)
    }

    /// Lets the server, if it still runs, go on without this keeper.
    func detach() { try? input.write(contentsOf: Data("leave\n".utf8)) }
}
