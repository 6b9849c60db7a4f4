internal import ChildProcess
internal import StructuredData

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

extension ExecPlugin {
    /// Longest run of a plugin that cannot ask anybody.
    static let deadline = Duration.seconds(60)

    /// Runs the plugin and gives its standard output. Its standard error goes to ours.
    func run(deadline: Duration = deadline) async throws(ConfigurationError) -> [UInt8] {
        let (info, interactive) = try executionInfo(terminal: isatty(STDIN_FILENO) == 1)
        var environment = ProcessEnvironment.current
        let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        environment.merge(self.environment) { _, new in new }
        environment["KUBERNETES_EXEC_INFO"] = info.text
        let result: ChildProcess.Captured
        do throws(ChildProcessError) {
            var program = ChildProcess.Specification(
                path: try ChildProcess.find(command, in: path), arguments: arguments, environment: environment)
            program.standardInput = interactive ? .inherit : .null
            result = try await ChildProcess.capture(program, deadline: interactive ? nil : deadline)
        } catch {
            let hint = error.errno == ENOENT ? installHint.map { "; \($0)" } ?? "" : ""
            throw self.error("cannot be run: \(Files.describe(error.errno))\(hint)")
        }
        switch result {
        case .ended(.exited(0), let output): return output
        case .ended(let exit, _): throw error("failed with \(exit)")
        case .deadlineExceeded: throw error("did not answer within \(deadline)")
        }
    }
}
