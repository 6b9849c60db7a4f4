import Foundation
import Testing

/// A program that runs until it is told to stop.
final class BackgroundProcess: @unchecked Sendable {  // Process is used under no concurrent mutation: set up once
    private let process = Process()
    private let log: URL
    private let folder: TemporaryFolder

    init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        folder = try TemporaryFolder()
        log = folder.url.appending(path: "log")
        try Data().write(to: log)
        let handle = try FileHandle(forWritingTo: log)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        Reaper.watch(process.processIdentifier)
        process.terminationHandler = { Reaper.forget($0.processIdentifier) }
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var pid: pid_t { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// Standard output and standard error so far.
    var output: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    /// Waits for a line that matches, and gives its first capture.
    func line(matching pattern: Regex<(Substring, Substring)>, within limit: Duration = .seconds(60)) async throws
        -> String
    {
        try await eventually(within: limit, "a line of \(process.executableURL?.lastPathComponent ?? "")") {
            if let match = try? pattern.firstMatch(in: output) { return String(match.output.1) }
            if !isRunning { throw Ended(output: output, status: process.terminationStatus) }
            return nil
        }
    }

    struct Ended: Error, CustomStringConvertible {
        let output: String
        let status: Int32
        var description: String { "ended with status \(status): \(output)" }
    }

    func signal(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Sends `signal` and waits for the end.
    @discardableResult
    func stop(_ signal: Int32 = SIGINT, within limit: Duration = .seconds(30)) async throws -> Int32 {
        kill(process.processIdentifier, signal)
        return try await eventually(within: limit, "the process ends") {
            process.isRunning ? nil : process.terminationStatus
        }
    }
}
