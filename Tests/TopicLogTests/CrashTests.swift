import ChildProcess
import Foundation
import Testing

@testable import TopicLog

/// A process that publishes is killed at any moment, again and again on the same folder.
@Suite(.timeLimit(.minutes(10))) struct CrashTests {
    private static var writer: String {
        Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent().appending(path: "TopicLogWriter").path }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
            ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "TopicLogWriter")
            .path
    }

    @Test func nothingAcknowledgedIsLostAndOrderIsKept() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let said = "\(folder.path).out"
        defer { try? FileManager.default.removeItem(atPath: said) }
        var acknowledged: [String: [Int]] = [:]
        for round in 0..<20 {
            let start = round * 1_000_000
            try await runAndKill(folder.path, start: start, output: said, after: .milliseconds(Int.random(in: 1...100)))
            acknowledged.merge(try acknowledgements(in: said, from: start)) { $0 + $1 }
            try FileManager.default.removeItem(atPath: said)
            // In between nobody but the next writer mends what the kill left.
            if round % 5 == 4 { try check(folder, acknowledged) }
        }
        #expect(acknowledged.values.map(\.count).reduce(0, +) > 500)
    }

    /// A limit on the size of files stands for a disk that is full until somebody makes room.
    @Test func whenTheDiskTakesMoreAgainNothingAcknowledgedIsLostAndAllGoesOn() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let said = "\(folder.path).out"
        defer { try? FileManager.default.removeItem(atPath: said) }
        let limited = #"trap '' XFSZ; ulimit -S -f 100; exec "$0" "$@""#
        let process = try await start("/bin/sh", ["-c", limited, Self.writer, folder.path, "0"], output: said)
        // In the midst of a record, most likely, so that the file has a torn end.
        let segment = "\(folder.path)/\(SegmentFile.name(0))"
        while size(of: segment) < 100 * 512, process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        let before = size(of: said)
        let more = ["--pid", "\(process.pid)", "--fsize=unlimited"]
        let room = try await start("/usr/bin/prlimit", more, output: "/dev/null")
        #expect(await room.exit == .exited(0))
        while size(of: said) < before + 100, process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        process.signal(SIGKILL)
        #expect(await process.exit == .signalled(SIGKILL))
        let acknowledged = try acknowledgements(in: said, from: 0)
        try check(folder, acknowledged)
    }

    private func acknowledgements(in output: String, from start: Int) throws -> [String: [Int]] {
        var acknowledged: [String: [Int]] = [:]
        for line in try String(contentsOf: URL(filePath: output), encoding: .utf8).split(separator: "\n") {
            let parts = line.split(separator: " ")
            // The last line may be cut.
            if parts.count == 2, let number = Int(parts[1]), number >= start {
                acknowledged[String(parts[0]), default: []].append(number)
            }
        }
        return acknowledged
    }

    private func runAndKill(_ folder: String, start: Int, output: String, after delay: Duration) async throws {
        let process = try await self.start(Self.writer, [folder, String(start)], output: output)
        // Not before it has published some, however slow it is, and then at any moment.
        let enough = Int.random(in: 1...4000)
        while size(of: output) < enough, process.isRunning { try await Task.sleep(for: .milliseconds(1)) }
        try await Task.sleep(for: delay)
        process.signal(SIGKILL)
        #expect(await process.exit == .signalled(SIGKILL))
    }

    private func start(_ program: String, _ arguments: [String], output: String) async throws -> ChildProcess {
        var specification = ChildProcess.Specification(path: program, arguments: arguments)
        specification.standardOutput = .file(output)
        specification.environment = ProcessInfo.processInfo.environment
        specification.signalWhenParentEnds = SIGKILL
        return try await ChildProcess.start(specification)
    }

    private func size(of file: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
    }

    private func check(_ folder: ScratchFolder, _ acknowledged: [String: [Int]]) throws {
        let log = try TopicLog(folder.configuration())
        var kept: [String: [Int]] = [:]
        for partition in 0..<log.partitionCount(of: "t") {
            for stored in try log.read("t", partition: partition, from: 0, limit: .max, maxBytes: .max) {
                let text = String(decoding: stored.message.value.prefix { $0 != 32 }, as: UTF8.self)
                kept[stored.message.key ?? "", default: []].append(try #require(Int(text)))
            }
        }
        for (key, numbers) in acknowledged {
            #expect(kept[key] == kept[key]?.sorted(), "the order of \(key) is not kept")
            let lost = Set(numbers).subtracting(kept[key] ?? [])
            #expect(lost.isEmpty, "\(key) lost \(lost.sorted().prefix(5))")
        }
    }
}
