import FoundationEssentials
import Testing

@testable import RealtimeService

@Suite struct StreamLogTests {
    private let stream = UUID()

    @Test func `numbers in a row are seen since the first`() {
        var log = StreamLog()
        #expect(log.note(stream, 5) == 5)
        #expect(log.note(stream, 6) == 5)
        #expect(log.note(stream, 7) == 5)
        #expect(log.note(UUID(), 9) == 9)
    }

    @Test func `a number that was skipped begins anew`() {
        var log = StreamLog()
        _ = log.note(stream, 5)
        #expect(log.note(stream, 7) == 7)
        #expect(log.note(stream, 8) == 7)
    }

    @Test func `a redelivery is known, one that comes late is not`() {
        var log = StreamLog()
        _ = log.note(stream, 5)
        _ = log.note(stream, 6)
        #expect(log.note(stream, 5) == nil)
        _ = log.note(stream, 9)
        #expect(log.note(stream, 8) == 8)
        #expect(log.note(stream, 10) == 9)
    }

    @Test func `the last number again may be the other event of one change`() {
        var log = StreamLog()
        _ = log.note(stream, 5)
        _ = log.note(stream, 6)
        #expect(log.note(stream, 6) == 5)
        #expect(log.note(stream, 7) == 5)
        #expect(log.note(stream, 6) == nil)
    }

    @Test func `it remembers the streams that were used last, and no more than twice its capacity`() {
        var log = StreamLog(capacity: 2)
        let streams = (0..<6).map { _ in UUID() }
        for stream in streams { _ = log.note(stream, 1) }
        #expect(log.note(streams[5], 2) == 1)
        #expect(log.note(streams[4], 2) == 1)
        #expect(log.note(streams[0], 2) == 2)
    }
}
