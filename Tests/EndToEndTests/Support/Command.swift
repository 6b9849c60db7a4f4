import ChildProcess
import Foundation
import Testing

/// What a finished program said.
struct CommandResult: Sendable, CustomStringConvertible {
    let command: String
    let status: Int32
    let out: String
    let err: String

    var description: String { "\(command)\nexit \(status)\nout: \(out)\nerr: \(err)" }
}

enum Command {
    /// The `todo` executable that was built beside these tests.
    static var todo: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "todo").path
    }

    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Runs a program to its end; past `seconds` it is ended, with status 124.
    static func run(
        _ program: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
        seconds: Int = 60
    ) async throws -> CommandResult {
        let folder = try TemporaryFolder()
        let out = folder.url.appending(path: "out")
        let err = folder.url.appending(path: "err")
        let inputFile = folder.url.appending(path: "in")
        try Data((input ?? "").utf8).write(to: inputFile)
        let inputDescriptor = open(inputFile.path, O_RDONLY | O_CLOEXEC)
        defer { close(inputDescriptor) }
        var specification = ChildProcess.Specification(
            path: "/usr/bin/env", arguments: ["timeout", "--kill-after=5", "\(seconds)", program] + arguments,
            environment: ProcessInfo.processInfo.environment.merging(environment) { $1 })
        specification.standardInput = .descriptor(inputDescriptor)
        specification.standardOutput = .file(out.path)
        specification.standardError = .file(err.path)
        let status = try await ChildProcess.start(specification).exit.code
        return CommandResult(
            command: ([program] + arguments).joined(separator: " "), status: status,
            out: try String(contentsOf: out, encoding: .utf8), err: try String(contentsOf: err, encoding: .utf8))
    }
}

/// A folder that goes with the value.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "todo-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}

struct TimedOut: Error, CustomStringConvertible { let description: String }

/// Waits until `condition` gives a value; it is asked every 50 ms.
func eventually<Value: Sendable>(
    within limit: Duration = .seconds(30), _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if let value = try await condition() { return value }
        try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
    throw TimedOut(description: "not within \(limit): \(what)")
}
