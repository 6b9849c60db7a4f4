import Recurrence
import Testing

/// SKIP of RFC 7529, and the choices that `Recurrence.docc` names.
@Suite struct SkipTests {
    private func days(_ rule: String, from start: String, _ count: Int) throws -> [String] {
        let set = try RecurrenceSet(day: try #require(CivilDate(start)), rule: try RecurrenceRule(rule))
        return set.occurrences.prefix(count).map { String($0.date.text.dropFirst(2)) }
    }

    @Test(arguments: [
        ("FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD", ["24-01-31", "24-02-29", "24-03-31", "24-04-30", "24-05-31"]),
        ("FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=FORWARD", ["24-01-31", "24-03-01", "24-03-31", "24-05-01", "24-05-31"]),
        ("FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=OMIT", ["24-01-31", "24-03-31", "24-05-31", "24-07-31", "24-08-31"]),
        // What is moved to a day that is there already counts once.
        (
            "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=FORWARD;BYMONTHDAY=1,31",
            ["24-01-31", "24-02-01", "24-03-01", "24-03-31", "24-04-01"]
        ),
        // BYDAY looks at the day after it was moved.
        (
            "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD;BYMONTHDAY=31;BYDAY=TH",
            ["24-02-29", "24-10-31", "25-07-31", "26-04-30", "26-12-31"]
        ),
        (
            "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD;BYMONTHDAY=-31",
            ["24-01-31", "24-03-01", "24-03-31", "24-05-01", "24-05-31"]
        ),
        (
            "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=FORWARD;BYMONTHDAY=-31;INTERVAL=1",
            ["24-02-01", "24-03-01", "24-04-01", "24-05-01", "24-06-01"]
        ),
    ])
    func `a day that a month does not have is moved`(_ rule: String, _ expected: [String]) throws {
        #expect(try days(rule, from: "2024-01-31", 5) == expected)
    }

    @Test func `a birthday on 29 February is kept each year`() throws {
        #expect(
            try days("FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=FORWARD", from: "2024-02-29", 5) == [
                "24-02-29", "25-03-01", "26-03-01", "27-03-01", "28-02-29",
            ])
        #expect(
            try days("FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=BACKWARD", from: "2024-02-29", 3) == [
                "24-02-29", "25-02-28", "26-02-28",
            ])
    }

    @Test func `the 31st is back after each shorter month for two years`() throws {
        let found = try days("FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD;COUNT=24", from: "2025-01-31", 30)
        #expect(found.count == 24 && found.count { $0.hasSuffix("31") } == 14)
    }

    @Test(arguments: [
        // BYMONTHDAY without BYMONTH: in every month.
        ("FREQ=YEARLY;BYMONTHDAY=10", "2024-03-10", ["24-03-10", "24-04-10", "24-05-10"]),
        // BYWEEKNO without BYDAY: on the weekday of the start.
        ("FREQ=YEARLY;BYWEEKNO=20", "2024-05-15", ["24-05-15", "25-05-14", "26-05-13"]),
        // BYWEEKNO with INTERVAL: the calendar year of the day counts.
        ("FREQ=YEARLY;INTERVAL=2;BYWEEKNO=1;BYDAY=MO,FR", "2024-01-01", ["24-01-01", "24-01-05", "24-12-30"]),
        // A start that does not match is no instance, and does not use up COUNT.
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=2", "2024-03-12", ["24-03-18", "24-03-25"]),
        ("FREQ=DAILY;UNTIL=20240103T000000Z", "2024-01-01", ["24-01-01", "24-01-02", "24-01-03"]),
    ])
    func `readings that differ are chosen`(_ rule: String, _ start: String, _ expected: [String]) throws {
        #expect(try days(rule, from: start, 3) == expected)
    }

    @Test func `UNTIL as a day or a local time is read in the zone of the start`() throws {
        let zone = try #require(ZoneTable.named("Pacific/Auckland"))
        let start = try #require(LocalDateTime("2024-01-01T23:30:00"))
        func count(_ until: String) throws -> Int {
            let rule = try RecurrenceRule("FREQ=DAILY;UNTIL=\(until)")
            return Array(try RecurrenceSet(start: start, zone: zone, rule: rule).occurrences).count
        }
        #expect(try count("20240103") == 3)
        #expect(try count("20240103T233000") == 3)
        #expect(try count("20240103T232959") == 2)
        #expect(try count("20240103T103000Z") == 3)
    }

    @Test func `whole days do not repeat by the hour`() throws {
        let day = try #require(CivilDate("2024-01-01"))
        #expect(throws: RecurrenceError.self) { try RecurrenceSet(day: day, rule: try RecurrenceRule("FREQ=HOURLY")) }
    }
}
