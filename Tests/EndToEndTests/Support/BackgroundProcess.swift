import ChildProcess
import Foundation
import Testing

/// A program that runs until it is told to stop, at the latest until the test process ends.
final class BackgroundProcess: Sendable {
    private let process: ChildProcess
    private let program: String
    private let folder: TemporaryFolder
    private var log: String { folder.url.appending(path: "log").path }

    private init(process: ChildProcess, program: String, folder: TemporaryFolder) {
        self.process = process
        self.program = program
        self.folder = folder
    }

    static func start(_ program: String, _ arguments: [String], environment: [String: String] = [:]) async throws
        -> BackgroundProcess
    {
        let folder = try TemporaryFolder()
        var specification = ChildProcess.Specification(
            path: program, arguments: arguments, environment: TestRun.environment(environment))
        specification.standardInput = .null
        specification.standardOutput = .file(folder.url.appending(path: "log").path)
        specification.standardError = specification.standardOutput
        specification.signalWhenParentEnds = SIGKILL
        return BackgroundProcess(
            process: try await ChildProcess.start(specification), program: program, folder: folder)
    }

    deinit { process.signal(SIGKILL) }

    var isRunning: Bool { process.isRunning }

    /// The numbers of the programs that it started itself whose whole command line matches.
    func children(matching pattern: String) async throws -> [Int32] {
        let found = try await Command.run("pgrep", ["-P", "\(process.pid)", "-f", pattern])
        return found.out.split(separator: "\n").compactMap { Int32($0) }
    }

    /// Standard output and standard error so far.
    var output: String { Command.text(of: log) }

    /// Waits for a line that matches, and gives its first capture.
    func line(
        matching pattern: Regex<(Substring, Substring)>, within limit: Duration = .seconds(60),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        try await eventually(
            within: limit, "a line of \(program); it said: \(output)", sourceLocation: sourceLocation
        ) {
            let hasEnded = !isRunning  // asked first: what it said last is read after
            if let match = try? pattern.firstMatch(in: output) { return String(match.output.1) }
            if hasEnded { throw Ended(output: output, exit: await process.exit) }
            return nil
        }
    }

    struct Ended: Error, CustomStringConvertible {
        let output: String
        let exit: ChildProcess.Exit
        var description: String { "ended with \(exit): \(output)" }
    }

    func signal(_ signal: Int32) { process.signal(signal) }

    /// Waits for the end.
    func exit(within limit: Duration = .seconds(30), sourceLocation: SourceLocation = #_sourceLocation) async throws
        -> ChildProcess.Exit
    {
        _ = try await eventually(
            within: limit, "the end of \(program); it said: \(output)", sourceLocation: sourceLocation
        ) { isRunning ? nil : true }
        return await process.exit
    }

    /// Sends `signal` and waits for the end.
    @discardableResult
    func stop(_ signal: Int32 = SIGINT, within limit: Duration = .seconds(30)) async throws -> ChildProcess.Exit {
        process.signal(signal)
        return try await exit(within: limit)
    }
}
