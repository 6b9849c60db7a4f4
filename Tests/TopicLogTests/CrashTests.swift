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
            for line in try String(contentsOf: URL(filePath: said), encoding: .utf8).split(separator: "\n") {
                let parts = line.split(separator: " ")
                // The last line may be cut.
                if parts.count == 2, let number = Int(parts[1]), number >= start {
                    acknowledged[String(parts[0]), default: []].append(number)
                }
            }
            try FileManager.default.removeItem(atPath: said)
            try check(folder, acknowledged)
        }
        #expect(acknowledged.values.map(\.count).reduce(0, +) > 500)
    }

    private func runAndKill(_ folder: String, start: Int, output: String, after delay: Duration) async throws {
        var specification = ChildProcess.Specification(path: Self.writer, arguments: [folder, String(start)])
        specification.standardOutput = .file(output)
        specification.environment = ProcessInfo.processInfo.environment
        specification.signalWhenParentEnds = SIGKILL
        let process = try await ChildProcess.start(specification)
        // Not before it publishes, and then at any moment.
        while (try? FileManager.default.attributesOfItem(atPath: output)[.size] as? Int) ?? 0 == 0, process.isRunning {
            try await Task.sleep(for: .milliseconds(1))
        }
        try await Task.sleep(for: delay)
        process.signal(SIGKILL)
        #expect(await process.exit == .signalled(SIGKILL))
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
