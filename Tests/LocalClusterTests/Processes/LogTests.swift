import APIServer
import ControllerRuntime
import Glibc
import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

@Suite struct LogTests {
    private let time = ManualTime()

    private func folder() throws -> String {
        var template = Array("/tmp/todo-log-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func write(_ text: String, to descriptor: Int32) {
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }

    private func reader(_ log: ContainerLog, _ change: (inout PodLogOptions) -> Void = { _ in }) throws -> LogReader {
        var options = PodLogOptions(container: "main")
        change(&options)
        return try LogReader(path: log.path, live: log, options: options, now: time.wallClock)
    }

    private func all(_ reader: LogReader) async -> String {
        var bytes: [UInt8] = []
        while let chunk = await reader.next() { bytes += chunk }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(.timeLimit(.minutes(10))) func whatIsWrittenIsReadInOrderUntilTheEnd() async throws {
        let folder = try folder()
        defer { LogFolder.removeTree(folder) }
        let log = ContainerLog(path: "\(folder)/0.log")
        let end = try log.open(time: time)
        let following = try reader(log) { $0.follow = true }
        async let followed = all(following)
        write("one\ntwo\nth", to: end)
        await log.whenPast(0)
        write("ree\nfour", to: end)
        close(end)
        #expect(await followed == "one\ntwo\nthree\nfour\n")
        #expect(try await all(reader(log) { $0.tailLines = 2 }) == "three\nfour\n")
        #expect(try await all(reader(log) { $0.limitBytes = 5 }) == "one\nt")
        #expect(try await all(reader(log) { $0.timestamps = true }).hasPrefix("2026-01-01T00:00:00.000000Z one\n"))
        #expect(try await all(reader(log) { $0.sinceTime = "2026-01-01T00:00:01Z" }) == "")
    }

    @Test(.timeLimit(.minutes(10))) func aFullFileIsPutAsideAndStillRead() async throws {
        let folder = try folder()
        defer { LogFolder.removeTree(folder) }
        let log = ContainerLog(path: "\(folder)/0.log", sizeLimit: 100)
        let end = try log.open(time: time)
        let following = try reader(log) { $0.follow = true }
        var written = ""
        for number in 0..<4 {
            let version = log.progress.version
            let line = "line \(number) of some length, so that two fill a file\n"
            write(line, to: end)
            written += line
            await log.whenPast(version)
            let chunk = try #require(await following.next())
            #expect(String(decoding: chunk, as: UTF8.self) == line)
        }
        close(end)
        #expect(access(log.oldPath, F_OK) == 0)
        // One file and the one before are kept.
        #expect(try written.hasSuffix(await all(reader(log))))
        #expect(await following.next() == nil)
    }

    @Test func longLinesAreCutAndJoinedAgain() {
        let whole = LogLine.encode(Array("abc".utf8), isWhole: true, time: time.wallClock).dropLast()
        let part = LogLine.encode(Array("abc".utf8), isWhole: false, time: time.wallClock).dropLast()
        let filter = LogFilter()
        #expect(filter.output(whole[...]) == Array("abc\n".utf8))
        #expect(filter.output(part[...]) == Array("abc".utf8))
        #expect(filter.output(Array("damaged".utf8)[...]) == nil)
    }

    @Test func whoAsksForALogThatIsNotThereIsToldWhy() {
        let failed: JSON = ["terminated": ["reason": "StartError", "message": "no such program"]]
        let crashing: JSON = ["waiting": ["reason": "CrashLoopBackOff", "message": "back-off 10s"]]
        let text = "could not be started: no such program"
        #expect(NodeAgent.whyNoLog(["state": failed]) == text)
        #expect(NodeAgent.whyNoLog(["state": crashing, "lastState": failed]) == text)
        #expect(NodeAgent.whyNoLog(["state": crashing]) == "is waiting to start: back-off 10s")
        #expect(NodeAgent.whyNoLog(nil) == "is waiting to start: ContainerCreating")
    }
}
