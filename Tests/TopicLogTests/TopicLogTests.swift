import Concurrency
import Foundation
import Testing

@testable import TopicLog

/// A folder of one test.
struct ScratchFolder {
    let path = FileManager.default.temporaryDirectory.appending(path: "topics-\(UUID().uuidString)").path

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func configuration(_ change: (inout TopicLog.Configuration) -> Void = { _ in }) -> TopicLog.Configuration {
        var configuration = TopicLog.Configuration(folder: path)
        change(&configuration)
        return configuration
    }

    var segments: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0.hasSuffix(".log") }.sorted()
    }
}

func message(_ text: String, key: String? = nil) -> TopicMessage { TopicMessage(key: key, value: Array(text.utf8)) }

extension TopicLog {
    func texts(_ topic: String, partition: Int, from offset: Int = 0) throws -> [String] {
        try read(topic, partition: partition, from: offset, limit: .max, maxBytes: .max)
            .map { String(decoding: $0.message.value, as: UTF8.self) }
    }

    func allTexts(_ topic: String) throws -> [String] {
        try (0..<partitionCount(of: topic)).flatMap { try texts(topic, partition: $0) }
    }
}

@Suite(.timeLimit(.minutes(10))) struct TopicLogTests {
    @Test func givesBackWhatWasPublishedInOrderPerKeyAlsoAfterAReopening() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let log = try TopicLog(folder.configuration { $0.segmentBytes = 2000 })
        for round in 0..<20 {
            try await log.publish((0..<10).map { message("\($0) \(round)", key: "k\($0)") }, to: "t")
        }
        func check(_ log: TopicLog) throws {
            for key in 0..<10 {
                let own = try log.allTexts("t").filter { $0.hasPrefix("\(key) ") }
                #expect(own == (0..<20).map { "\(key) \($0)" })
            }
        }
        try check(log)
        #expect(folder.segments.count > 3)
        try await log.close()
        try check(try TopicLog(folder.configuration()))
    }

    @Test func keepsKeyHeadersTimeAndPartition() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let log = try TopicLog(folder.configuration { $0.now = { 1234 } })
        let sent = TopicMessage(key: "ключ", headers: ["a": "1", "b": ""], value: [0, 1, 255], partition: 5)
        try await log.publish([sent], to: "t")
        var expected = sent
        expected.partition = nil
        #expect(
            try log.read("t", partition: 5, from: 0, limit: 9) == [
                StoredMessage(message: expected, partition: 5, offset: 0, milliseconds: 1234)
            ])
    }

    @Test func messagesWithoutAKeyAreSpread() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let log = try TopicLog(folder.configuration())
        try await log.publish((0..<16).map { message("\($0)") }, to: "t")
        #expect((0..<8).map { log.offsets(of: "t", partition: $0).count } == Array(repeating: 2, count: 8))
    }

    @Test func groupsGoOnWhereTheyWere() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let log = try TopicLog(folder.configuration())
        try await log.publish([message("1", key: "k"), message("2", key: "k")], to: "t")
        #expect(log.committed("g", "t", partition: 3) == nil)
        log.commit("g", "t", partition: 3, offset: 1)
        log.commit("h", "t", partition: 3, offset: 2)
        try await log.close()
        let again = try TopicLog(folder.configuration())
        #expect(again.committed("g", "t", partition: 3) == 1)
        #expect(again.committed("h", "t", partition: 3) == 2)
        #expect(again.committed("h", "t", partition: 4) == nil)
    }

    @Test func aReaderIsWokenByAMessageAndByCancellation() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let log = try TopicLog(folder.configuration { $0.partitions = 1 })
        async let woken: Void = log.waitForMessages("t", partition: 0, from: 0)
        try await log.publish([message("1")], to: "t")
        await woken
        let waiting = Task { await log.waitForMessages("t", partition: 0, from: 1) }
        waiting.cancel()
        await waiting.value
    }

    /// A reader that looked how far the log is before nobody else could change who waits was not woken by what came in
    /// between, and got it with the next message.
    @Test func aReaderLooksHowFarTheLogIsWhereItIsNotedThatItWaits() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let log = try TopicLog(folder.configuration { $0.partitions = 1 })
        #expect(log.partitionCount(of: "t") == 1)
        let reader = Lock<Task<Void, Never>?>(nil)
        let isLookedInThere = await runBlocking {
            var timesTaken = 0
            // While this is appended nobody learns how far the log is: the reader comes no further than to its look.
            _ = log.log.append { bytes in
                bytes.append(UInt8(0))
                reader.withLock { $0 = Task.detached { await log.waitForMessages("t", partition: 0, from: 0) } }
                for _ in 0..<60_000 where timesTaken < 5 {
                    usleep(1000)
                    timesTaken = log.state.withLockIfAvailable { _ in true } == nil ? timesTaken + 1 : 0
                }
            }
            return timesTaken == 5
        }
        #expect(isLookedInThere)
        try await log.publish([message("1")], to: "t")
        if let reader = reader.withLock({ $0 }) { await reader.value }
    }

    @Test func retentionRemovesOldSegmentsAndKeepsOffsetsAndGroups() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let time = Lock<Int64>(0)
        let configuration = folder.configuration {
            $0.partitions = 1
            $0.segmentBytes = 1000
            $0.retention = .seconds(100)
            $0.now = { time.withLock { $0 } }
        }
        let log = try TopicLog(configuration)
        for number in 0..<100 {
            try await log.publish([message("\(number)")], to: "t")
            time.withLock { $0 += 1000 }
            if number == 50 { log.commit("g", "t", partition: 0, offset: 60) }
        }
        let before = log.offsets(of: "t", partition: 0)
        #expect(before == 0..<100)
        time.withLock { $0 += 50_000 }
        log.enforceRetention()
        let kept = log.offsets(of: "t", partition: 0)
        #expect(kept.upperBound == 100 && (20..<60).contains(kept.lowerBound))
        #expect(try log.texts("t", partition: 0).first == "\(kept.lowerBound)")
        try await log.close()
        let again = try TopicLog(configuration)
        #expect(again.offsets(of: "t", partition: 0) == kept)
        #expect(again.committed("g", "t", partition: 0) == 60)
        #expect(try again.texts("t", partition: 0) == kept.map { "\($0)" })
    }

    @Test func retentionBySizeBoundsTheFolder() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let configuration = folder.configuration {
            $0.segmentBytes = 10_000
            $0.retentionBytes = 30_000
        }
        let log = try TopicLog(configuration)
        let text = String(repeating: "x", count: 500)
        for _ in 0..<400 { try await log.publish([message(text)], to: "t") }
        #expect((3...6).contains(folder.segments.count))
        try await log.publish([message("last", key: "k")], to: "t")
        #expect(try log.allTexts("t").last { $0 == "last" } != nil)
    }

    @Test func aTornTailIsCutOffWhereverItIsTorn() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let configuration = folder.configuration { $0.partitions = 1 }
        let log = try TopicLog(configuration)
        for number in 0..<5 { try await log.publish([message("\(number)")], to: "t") }
        try await log.close()
        let path = "\(folder.path)/\(folder.segments[0])"
        let whole = try Data(contentsOf: URL(filePath: path))
        var counts: Set<Int> = []
        for size in stride(from: whole.count, through: 0, by: -1) {
            try whole.prefix(size).write(to: URL(filePath: path))
            let torn = try TopicLog(configuration)
            let texts = try torn.texts("t", partition: 0)
            #expect(texts == (0..<texts.count).map { "\($0)" })
            counts.insert(texts.count)
            // What comes after a cut is read again.
            try await torn.publish([message("\(texts.count)")], to: "t")
            try await torn.close()
            let again = try TopicLog(configuration)
            #expect(try again.texts("t", partition: 0).count == texts.count + 1)
        }
        #expect(counts == [0, 1, 2, 3, 4, 5])
    }

    /// A log whose next segment has no room: a folder where it would be stands for a disk that is full, until it is removed.
    private func full(
        in folder: ScratchFolder
    ) async throws -> (log: TopicLog, configuration: TopicLog.Configuration, texts: [String], obstacle: String) {
        let configuration = folder.configuration {
            $0.partitions = 1
            $0.segmentBytes = 1000
        }
        let log = try TopicLog(configuration)
        var texts: [String] = []
        var size = 0
        while size < 1000 {
            texts.append("\(texts.count)")
            try await log.publish([message(texts[texts.count - 1])], to: "t")
            size = try Data(contentsOf: URL(filePath: "\(folder.path)/\(folder.segments[0])")).count
        }
        let obstacle = "\(folder.path)/\(SegmentFile.name(size))"
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
        return (log, configuration, texts, obstacle)
    }

    @Test func whatTheDiskDidNotTakeIsTriedAgainAndReadersHearOfIt() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let (log, configuration, texts, obstacle) = try await full(in: folder)
        for text in ["late", "refused"] {
            await #expect(throws: TopicLogError.self) { try await log.publish([message(text)], to: "t") }
        }
        let end = texts.count
        #expect(try log.texts("t", partition: 0) == texts)
        async let woken: Void = log.waitForMessages("t", partition: 0, from: end)
        try FileManager.default.removeItem(atPath: obstacle)
        await woken
        #expect(try log.texts("t", partition: 0, from: end) == ["late"])
        try await log.publish([message("last")], to: "t")
        try await log.close()
        #expect(try TopicLog(configuration).texts("t", partition: 0) == texts + ["late", "last"])
    }

    /// Without waiting for the next attempt, which would write into a folder that may be another's then.
    @Test func whoClosesTriesAgainWhatTheDiskDidNotTake() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let (log, configuration, texts, obstacle) = try await full(in: folder)
        await #expect(throws: TopicLogError.self) { try await log.publish([message("late")], to: "t") }
        try FileManager.default.removeItem(atPath: obstacle)
        try await log.close()
        await #expect(throws: TopicLogError.closed) { try await log.publish([message("refused")], to: "t") }
        #expect(try TopicLog(configuration).texts("t", partition: 0) == texts + ["late"])
    }

    /// Who has the folder next reads all that somebody was told is kept, and nothing is written behind that.
    @Test func whoPublishesWhileTheLogIsClosedIsToldWhatIsKept() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let configuration = folder.configuration { $0.partitions = 1 }
        let kept = Lock<Set<String>>([])
        for round in 0..<10 {
            let log = try TopicLog(configuration)
            try await withThrowingTaskGroup(of: Bool.self) { writers in
                for writer in 0..<8 {
                    writers.addTask {
                        var number = 0
                        while !Task.isCancelled {
                            number += 1
                            let text = "\(round) \(writer) \(number)"
                            do throws(TopicLogError) {
                                try await log.publish([message(text)], to: "t")
                            } catch { return error == .closed }
                            kept.withLock { _ = $0.insert(text) }
                        }
                        return false
                    }
                }
                let before = kept.withLock { $0.count }
                // All are at it by then.
                while kept.withLock({ $0.count }) < before + 80 { try await Task.sleep(for: .milliseconds(1)) }
                try await log.close()
                let next = try TopicLog(configuration)
                for try await isTold in writers { #expect(isTold) }
                let (there, told) = (try next.texts("t", partition: 0), kept.withLock { $0 })
                #expect(there.count == told.count && Set(there) == told)
                try await next.close()
            }
        }
    }

    @Test func damageBeforeTheTailIsAnErrorThatNamesTheFile() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let configuration = folder.configuration { $0.segmentBytes = 500 }
        let log = try TopicLog(configuration)
        for number in 0..<50 { try await log.publish([message("\(number)")], to: "t") }
        try await log.close()
        let path = "\(folder.path)/\(folder.segments[1])"
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[60] ^= 1
        try bytes.write(to: URL(filePath: path))
        #expect(performing: { try TopicLog(configuration) }, throws: { "\($0)".contains(path) })
    }

    @Test func aFolderIsOneProcessesAlone() throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let log = try TopicLog(folder.configuration())
        #expect(throws: TopicLogError.inUse(folder: folder.path)) { try TopicLog(folder.configuration()) }
        withExtendedLifetime(log) {}
    }

    @Test func checksumsAreThoseOfTheRFC() {
        func sum(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { CRC32C.checksum($0) } }
        // RFC 3720, appendix B.4.
        #expect(sum(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(sum(Array(repeating: 255, count: 32)) == 0x62A8_AB43)
        #expect(sum(Array(0..<32)) == 0x46DD_794E)
        #expect(sum(Array("123456789".utf8)) == 0xE306_9283)
    }
}
