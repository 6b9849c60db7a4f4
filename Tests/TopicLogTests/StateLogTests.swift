import Concurrency
import Testing

@testable import TopicLog

@Suite(.timeLimit(.minutes(10))) struct StateLogTests {
    @Test func writesAllOrNothingAndOnlyTheVersionThatIsMeant() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let state = try StateLog(folder: folder.path)
        try await state.write([.put(key: "a", value: [1]), .put(key: "b", value: [2])])
        let version = try #require(state.value("a")?.version)
        await #expect(throws: StateLog.Failure.conflict(key: "b")) {
            try await state.write([
                .put(key: "a", value: [9], condition: .version(version)),
                .put(key: "b", value: [9], condition: .version(version + 5)),
            ])
        }
        #expect(state.value("a")?.bytes == [1])
        try await state.write([.put(key: "a", value: [3], condition: .version(version)), .delete(key: "b")])
        await #expect(throws: StateLog.Failure.conflict(key: "a")) {
            try await state.write([.put(key: "a", value: [4], condition: .version(version))])
        }
        await #expect(throws: StateLog.Failure.conflict(key: "a")) {
            try await state.write([.put(key: "a", value: [4], condition: .absent)])
        }
        try await state.close()
        let again = try StateLog(folder: folder.path)
        #expect(again.value("a")?.bytes == [3])
        #expect(again.value("b") == nil)
        #expect(try #require(again.value("a")?.version) > version)
    }

    @Test func aValueExpires() async throws {
        let time = Lock<Int64>(0)
        let folder = ScratchFolder()
        defer { folder.remove() }
        let state = try StateLog(folder: folder.path, now: { time.withLock { $0 } })
        try await state.write([.put(key: "a", value: [1], expires: 1000)])
        time.withLock { $0 = 999 }
        #expect(state.value("a") != nil)
        time.withLock { $0 = 1000 }
        #expect(state.value("a") == nil)
        try await state.write([.put(key: "a", value: [2], condition: .absent)])
        #expect(state.value("a")?.bytes == [2])
    }

    @Test func whatIsOverwrittenDoesNotGrowTheFolder() async throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        let state = try StateLog(folder: folder.path)
        let large = [UInt8](repeating: 7, count: 1 << 20)
        try await state.write([.put(key: "kept", value: [1])])
        for round in 0..<20 { try await state.write([.put(key: "k", value: large + [UInt8(round)])]) }
        #expect(folder.segments.count <= 2)
        try await state.close()
        let again = try StateLog(folder: folder.path)
        #expect(again.value("k")?.bytes.last == 19)
        #expect(again.value("kept")?.bytes == [1])
    }
}
