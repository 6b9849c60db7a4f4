import FoundationEssentials
import Testing
import TodoModel

@Suite struct UUIDv7Tests {
    @Test func `the id carries the time, version 7 and the variant of RFC 9562`() {
        var generator = UUIDv7Generator()
        // RFC 9562, appendix A.6: 2022-02-22T19:22:22Z is 017F22E2-79B0-7… in milliseconds.
        let id = generator.next(at: Instant(microsecondsSince1970: 1_645_557_742_000_000)).uuidString
        #expect(id.hasPrefix("017F22E2-79B0-7"))
        #expect("89AB".contains(id[id.index(id.startIndex, offsetBy: 19)]))
    }

    @Test func `ids made within one millisecond ascend, however many`() {
        var generator = UUIDv7Generator()
        let instant = Instant(microsecondsSince1970: 1_700_000_000_000_000)
        let ids = (0..<20_000).map { _ in generator.next(at: instant).uuidString }
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `ids ascend when the clock steps back`() {
        var generator = UUIDv7Generator()
        let before = generator.next(at: Instant(microsecondsSince1970: 1_700_000_000_000_000)).uuidString
        let after = generator.next(at: Instant(microsecondsSince1970: 1_600_000_000_000_000)).uuidString
        #expect(before < after)
    }

    @Test func `two generators do not meet`() {
        var (first, second) = (UUIDv7Generator(), UUIDv7Generator())
        let instant = Instant(microsecondsSince1970: 1_700_000_000_000_000)
        let ids = (0..<5000).flatMap { _ in [first.next(at: instant), second.next(at: instant)] }
        #expect(Set(ids).count == 10_000)
    }
}

@Suite struct InstantTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_769_851_613_589_793, "2026-01-31T09:26:53.589793Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)])
    func `an instant is written as RFC 3339 with microseconds`(_ microseconds: Int64, _ text: String) {
        #expect(Instant(microsecondsSince1970: microseconds).text == text)
    }
}
