import ChildProcess
import Foundation
import Testing

/// What a finished program said.
struct CommandResult: Sendable, CustomStringConvertible {
    let command: String
    /// The exit status; 128 + the number of the signal that ended it, 124 when its time was up.
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
        _ program: String, _ arguments: [String], input: String = "", environment: [String: String] = [:],
        seconds: Int = 60
    ) async throws -> CommandResult {
        let folder = try TemporaryFolder()
        func file(_ name: String) -> String { folder.url.appending(path: name).path }
        guard FileManager.default.createFile(atPath: file("in"), contents: Data(input.utf8)) else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
        let inputDescriptor = open(file("in"), O_RDONLY | O_CLOEXEC)
        defer { close(inputDescriptor) }
        var specification = ChildProcess.Specification(
            path: "/usr/bin/env", arguments: ["timeout", "--kill-after=5", "\(seconds)", program] + arguments,
            environment: TestRun.environment(environment))
        specification.standardInput = .descriptor(inputDescriptor)
        specification.standardOutput = .file(file("out"))
        specification.standardError = .file(file("err"))
        specification.signalWhenParentEnds = SIGTERM  // which `timeout` passes on
        let status = try await ChildProcess.start(specification).exit.code
        return CommandResult(
            command: ([program] + arguments).joined(separator: " "), status: status, out: text(of: file("out")),
            err: text(of: file("err")))
    }

    /// The file as UTF-8, what is none of it replaced; empty when there is no file.
    static func text(of file: String) -> String {
        String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
    }
}

struct TimedOut: Error, CustomStringConvertible { let description: String }

/// Waits until `condition` gives a value; it is asked every 20 ms.
func eventually<Value: Sendable>(
    within limit: Duration = .seconds(30), _ what: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try await condition() { return value }
        guard ContinuousClock.now < deadline else { break }
        try await Task.sleep(for: .milliseconds(20))
    }
    let failure = TimedOut(description: "not within \(limit): \(what())")
    Issue.record(failure, sourceLocation: sourceLocation)
    throw failure
}

extension Duration {
    /// Seconds with two decimals, for people.
    var inSeconds: String { formatted(.units(allowed: [.seconds], fractionalPart: .show(length: 2))) }
}
