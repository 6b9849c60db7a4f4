import Recurrence
import Testing

/// What is far away, never comes, or comes every second.
@Suite(.timeLimit(.minutes(10))) struct LimitTests {
    private func set(_ rule: String, from start: String = "2024-01-01T09:00:00", zone: String? = nil) throws
        -> RecurrenceSet
    {
        try RecurrenceSet(
            start: try #require(LocalDateTime(start)), zone: zone.flatMap(ZoneTable.named),
            rule: try RecurrenceRule(rule))
    }

    @Test(arguments: [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY;INTERVAL=60;BYSECOND=1",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=10", "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=YEARLY;INTERVAL=100;BYYEARDAY=366;COUNT=5;BYMONTH=1",
        "FREQ=SECONDLY;INTERVAL=86399;BYHOUR=3;BYMINUTE=7;BYSECOND=11;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;INTERVAL=999999999;BYHOUR=3;BYMINUTE=7;BYSECOND=11",
        "FREQ=MINUTELY;INTERVAL=999983;BYHOUR=3;BYDAY=MO;BYMONTHDAY=31;BYMONTH=2",
        "FREQ=DAILY;INTERVAL=999999999;BYMONTH=3", "FREQ=WEEKLY;INTERVAL=999999999;BYDAY=SU,MO;WKST=WE;BYMONTH=5",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=300", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=MINUTELY;BYSECOND=1,2;BYSETPOS=3", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=1,2;BYSETPOS=3,-3",
    ])
    func `a set that never matches is found empty in bounded time`(_ rule: String) throws {
        let begin = processorTime()
        let set = try set(rule, zone: "Europe/Berlin")
        let now = set.start.seconds
        #expect(set.next(after: now - 100_000) == nil)
        #expect(set.previous(before: .max) == nil)
        #expect(processorTime() - begin < .seconds(1))
    }

    @Test func `instances may lie 400 years apart`() throws {
        let set = try set("FREQ=YEARLY;INTERVAL=100;BYMONTH=2;BYMONTHDAY=29", from: "2000-02-29T09:00:00")
        #expect(set.occurrences.prefix(3).map(\.date.text) == ["2000-02-29", "2400-02-29", "2800-02-29"])
        #expect(set.previous(before: .max)?.date.text == "9600-02-29")
        // 29 February is a Sunday, in a century, once in 400 years at most.
        let sunday = try self.set(
            "FREQ=SECONDLY;INTERVAL=86400;BYYEARDAY=60;BYDAY=TU;BYMONTHDAY=29", from: "2001-01-01T00:00:00")
        #expect(sunday.occurrences.prefix(2).map(\.date.text) == ["2028-02-29", "2056-02-29"])
    }

    @Test func `a rule of every second answers at once, wherever one asks`() throws {
        let begin = processorTime()
        let zone = try #require(ZoneTable.named("America/New_York"))
        let set = try set("FREQ=SECONDLY", from: "1970-01-01T00:00:00", zone: "America/New_York")
        for year in [1980, 2000, 2026, 2500, 9000] {
            let day = try #require(CivilDate(year: year, month: 7, day: 1))
            let instant = zone.instant(of: LocalDateTime(date: day, second: 12_345))
            #expect(set.next(after: instant)?.instant == instant + 1)
            #expect(set.previous(before: instant)?.instant == instant - 1)
        }
        let filtered = try self.set(
            "FREQ=SECONDLY;INTERVAL=7;BYHOUR=9;BYMINUTE=30;BYDAY=FR;BYMONTHDAY=13", from: "1970-01-01T00:00:00")
        let far = try #require(filtered.next(after: 3_000_000_000_0))
        #expect(far.date.weekday == .friday && far.date.civil.day == 13 && far.instant % 7 == 0)
        #expect(processorTime() - begin < .milliseconds(100))
    }

    @Test(arguments: [
        "FREQ=WEEKLY;INTERVAL=53;BYDAY=SU,MO;WKST=WE", "FREQ=DAILY;INTERVAL=400", "FREQ=WEEKLY;INTERVAL=5000;BYDAY=TU",
    ])
    func `periods years apart are found in both directions`(_ rule: String) throws {
        let set = try set(rule)
        let found = set.occurrences.prefix(50).map { $0 }
        #expect(found.count == 50)
        #expect(Array(set.occurrences(before: found[49].instant + 1)) == found.reversed())
        let naive = NaiveRule(rule: set.rule, start: set.start).instances(limit: 20, horizon: 120_000 * 86_400)
        #expect(found.prefix(naive.count).map(\.local) == naive && naive.count > 2)
    }

    @Test func `COUNT is counted, not walked`() throws {
        let begin = processorTime()
        let set = try set("FREQ=SECONDLY;COUNT=900000000", from: "1970-01-01T00:00:00")
        #expect(set.next(after: 899_999_998)?.instant == 899_999_999 && set.next(after: 899_999_999) == nil)
        #expect(set.previous(before: .max)?.instant == 899_999_999)
        #expect(set.count(in: .min..<Int.max) == 900_000_000)
        let days = try self.set(
            "FREQ=MINUTELY;INTERVAL=7;BYDAY=MO,WE;BYHOUR=9,10;COUNT=1000000", from: "1970-01-01T00:00:00")
        #expect(days.count(in: .min..<Int.max) == 1_000_000)
        #expect(processorTime() - begin < .seconds(1))
    }

    @Test func `the set ends with the year 9999`() throws {
        let set = try set("FREQ=DAILY", from: "9999-12-30T00:00:00")
        #expect(set.occurrences.map(\.date.text) == ["9999-12-30", "9999-12-31"])
        #expect(try self.set("FREQ=YEARLY").previous(before: .max)?.date.text == "9999-01-01")
        #expect(throws: RecurrenceError.self) {
            try RecurrenceSet(
                start: LocalDateTime(seconds: 253_402_300_800), zone: nil, rule: RecurrenceRule("FREQ=DAILY"))
        }
    }
}
