import Testing

@testable import Recurrence

/// Forms of rules that no zone has today.
@Suite struct PosixZoneRuleTests {
    private func changes(_ text: String, _ year: Int) throws -> [String] {
        try #require(PosixZoneRule(text)).transitions(in: year).map {
            "\(LocalDateTime(seconds: $0.instant).text) \($0.offset)"
        }
    }

    @Test func `days of the year are counted with and without the leap day`() throws {
        // J60 is always 1 March; 59 is 29 February or 1 March.
        #expect(try changes("AAA0BBB,J60/0,J365/0", 2023) == ["2023-03-01T00:00:00 3600", "2023-12-30T23:00:00 0"])
        #expect(try changes("AAA0BBB,J60/0,J365/0", 2024) == ["2024-03-01T00:00:00 3600", "2024-12-30T23:00:00 0"])
        #expect(try changes("AAA0BBB,59/0,100/0", 2023) == ["2023-03-01T00:00:00 3600", "2023-04-10T23:00:00 0"])
        #expect(try changes("AAA0BBB,59/0,100/0", 2024) == ["2024-02-29T00:00:00 3600", "2024-04-09T23:00:00 0"])
    }

    @Test func `names, offsets and times may be unusual`() throws {
        #expect(try #require(PosixZoneRule("<+0330>-3:30")).standard == 12_600)
        #expect(try #require(PosixZoneRule("<+0330>-3:30")).daylight == nil)
        // Days begin up to a week off the day that is named (RFC 9636 section 3.3.1).
        #expect(
            try changes("EET-2EEST,M3.4.4/50,M10.4.4/50", 2026) == [
                "2026-03-28T00:00:00 10800", "2026-10-23T23:00:00 7200",
            ])
        #expect(try changes("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2026).first == "2026-03-29T01:00:00 -3600")
    }

    @Test(arguments: [
        "", "A", "AAA", "AAA0BBB,M13.1.0,M3.1.0", "AAA0BBB,J0,J5", "AAA0BBB,366,5", "AAA0BBB,M1.6.0,5", "AAA0BBB,1,2,3",
    ])
    func `what is no rule is none`(_ text: String) { #expect(PosixZoneRule(text) == nil) }
}
