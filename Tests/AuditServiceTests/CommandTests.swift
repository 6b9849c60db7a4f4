import ChildProcess
import Crypto
import Foundation
import StructuredData
import Testing
import TodoModel

@testable import AuditService

/// `todo audit verify`, as somebody runs it.
@Suite(.timeLimit(.minutes(10))) struct CommandTests {
    private struct Result {
        let exit: ChildProcess.Exit
        let text: String
    }

    private func verify(_ lines: [String], _ arguments: String...) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "audit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "export.ndjson")
        try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: file)
        let todo = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "todo")
        let specification = ChildProcess.Specification(
            path: "/bin/sh",
            arguments: ["-c", "exec \"$@\" 2>&1", "sh", todo.path, "audit", "verify", "--file", file.path] + arguments,
            environment: ProcessInfo.processInfo.environment)
        guard case .ended(let exit, let output) = try await ChildProcess.capture(specification) else {
            throw CancellationError()
        }
        return Result(exit: exit, text: String(decoding: output, as: UTF8.self))
    }

    private func log() throws -> SampleLog {
        var random = SeededRandom(seed: 11)
        return try SampleLog.random(rows: 50, checkpoints: 2, using: &random)
    }

    private let key = SampleLog.signing.publicKey.rawRepresentation.base64EncodedString()

    @Test func `an intact export is said to be, with whose signature`() async throws {
        let lines = try log().lines
        let plain = try await verify(lines)
        #expect(plain.exit == .exited(0) && plain.text.hasPrefix("intact: 50 rows, all that checkpoint 2 of "))
        #expect(plain.text.contains(key) && plain.text.contains("pass yours as --public-key"))
        let trusted = try await verify(lines, "--public-key", key)
        #expect(trusted.exit == .exited(0) && !trusted.text.contains("pass yours"))
        let json = try JSON(parsing: try await verify(lines, "--json").text)
        #expect(json["ok"] == true && json["rows"] == 50 && json["publicKeys"] == [.string(key)])
    }

    @Test func `the first bad row is named, and the exit status is 1`() async throws {
        let log = try log()
        var lines = log.lines
        let place = try #require(lines.lastIndex { $0.contains(#""index":2,"#) })
        let row = try #require(try JSON(parsing: lines[place])["entry"])
        lines[place] = lines[place].replacing("task.created", with: "task.deleted")
        let plain = try await verify(lines)
        #expect(plain.exit == .exited(1) && plain.text.split(separator: "\n").count == 1)
        let shard = try #require(row["shard"]?.int)
        #expect(plain.text.contains("line \(place + 1): row 2 of shard \(shard) was changed"), "\(plain.text)")
        let json = try await verify(lines, "--json")
        let result = try JSON(parsing: json.text)
        #expect(json.exit == .exited(1) && result["ok"] == false && result["line"]?.int == place + 1)
        #expect(result["shard"]?.int == shard && result["index"] == 2)
    }

    @Test func `somebody else's log, and one that was cut back, are not taken`() async throws {
        let log = try log()
        let stranger = Curve25519.Signing.PrivateKey().publicKey.rawRepresentation.base64EncodedString()
        let other = try await verify(log.lines, "--public-key", stranger)
        #expect(
            other.exit == .exited(1) && other.text.contains("checkpoint 1 is signed by a key that you do not trust"))
        let kept = FileManager.default.temporaryDirectory.appending(path: "kept-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: kept) }
        let answer: JSON = ["items": .array(log.checkpoints.reversed().map(\.json))]
        for checkpoint in [try #require(log.checkpoints.last).json, answer] {
            try Data(checkpoint.encoded()).write(to: kept)
            #expect(try await verify(log.lines, "--checkpoint", kept.path).exit == .exited(0), "\(checkpoint.text)")
        }
        var random = SeededRandom(seed: 12)
        let young = try SampleLog.random(rows: 5, checkpoints: 1, using: &random)
        let cut = try await verify(young.lines, "--checkpoint", kept.path)
        #expect(cut.exit == .exited(1) && cut.text.contains("up to the one that you kept"))
    }

    @Test func `wrong usage is one line`() async throws {
        for (arguments, status, text) in [
            (["--public-key", "x"], 2, "--public-key"), (["--checkpoint", "/no/such/file"], 1, "cannot read"),
        ] as [([String], Int32, String)] {
            let result = try await verify([], arguments[0], arguments[1])
            #expect(result.exit == .exited(status) && result.text.contains(text), "\(result.text)")
            #expect(result.text.split(separator: "\n").count == 1)
        }
        #expect(try await verify([]).text.contains("checkpoint 1 is missing"))
    }
}
