import ArgumentParser
@preconcurrency import Glibc
import ServiceRunning
import Telemetry
import TodoResources

@main
struct Todo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "todo",
        abstract: "The todo platform and its Kubernetes operator.",
        version: ProductVersion.current,
        subcommands: [
            Up.self, Cluster.self, OperatorCommand.self, Serve.self, Audit.self, RecurrenceCommand.self, Render.self,
            CRDs.self, Manifests.self,
        ])

    /// Exit status: 0 done, 1 failed, 2 wrong usage. An error is one line on standard error.
    static func main() async {
        holdStandardDescriptors()
        DescriptorLimit.raise()
        var status = await run()
        // A file that was cut off must not pass for what was asked for.
        if fflush(nil) != 0 || ferror(stdout) != 0 {
            status = max(status, 1)
            // Who closes a pipe has read enough.
            if !isPipe(STDOUT_FILENO) {
                complain("the output could not be written in full: make room, or write it elsewhere")
            }
        }
        // Not `exit`: OpenSSL's clean-up at exit takes away what connections that are still open work with.
        _exit(status)
    }

    /// Who starts a program may have closed them: the files that it opens would take their places, and get what it says.
    private static func holdStandardDescriptors() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest that is free. For reading only: to write to it stays an error.
            _ = open("/dev/null", O_RDONLY)
        }
    }

    private static func isPipe(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
    }

    private static func run() async -> Int32 {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch {
            let status = exitCode(for: error)
            guard !status.isSuccess else {
                print(fullMessage(for: error))
                return 0
            }
            let isUsage = status == .validationFailure
            let hint = isUsage ? "; see todo --help" : ""
            let text = message(for: error).split(separator: "\n").joined(separator: " ")
            if !text.isEmpty { complain("\(text)\(hint)") }
            return isUsage ? 2 : 1
        }
    }
}

/// One line on standard error.
func complain(_ text: String) {
    LineLogHandler.standardError(Array("todo: \(text)\n".utf8))
}

/// Why a command failed, in one line that says what to do.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
