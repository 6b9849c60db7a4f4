import FoundationEssentials
import StructuredData
import Testing
import TodoModel

@Suite struct SeriesModelTests {
    private func series(
        _ rule: String, _ start: String, _ zone: String? = nil, basis: Series.Basis = .due,
        overdue: Series.Overdue = .next, limit: Int = 10
    ) throws -> Series {
        let wall = try #require(LocalDateTime(start) ?? CivilDate(start).map { LocalDateTime(date: $0) })
        let due = Due(date: wall.date, time: start.count > 10 ? wall.time : nil, zone: zone)
        let draft = Series.Draft(
            rule: try RecurrenceRule(rule), basis: basis, overdue: overdue, overdueLimit: limit)
        return Series(id: UUID(), draft, due: due)
    }

    private func next(_ series: Series, at now: String, zone: String = "UTC") throws -> String? {
        let table = try #require(ZoneTable.named(zone))
        return series.next(at: try #require(Instant(now)), zone: table)?.occurrenceText
    }

    @Test(arguments: [
        ("America/New_York", "2024-03-09T02:30:00", "2024-03-10T02:30:00", "2024-03-10T07:30:00Z"),
        ("America/New_York", "2024-11-02T01:30:00", "2024-11-03T01:30:00", "2024-11-03T05:30:00Z"),
        ("Europe/London", "2024-03-30T01:30:00", "2024-03-31T01:30:00", "2024-03-31T01:30:00Z"),
        ("Europe/London", "2024-10-26T01:30:00", "2024-10-27T01:30:00", "2024-10-27T00:30:00Z"),
        ("Australia/Lord_Howe", "2024-10-05T02:15:00", "2024-10-06T02:15:00", "2024-10-05T15:45:00Z"),
        ("Australia/Lord_Howe", "2024-04-06T01:45:00", "2024-04-07T01:45:00", "2024-04-06T14:45:00Z"),
        ("Asia/Kolkata", "2024-03-09T02:30:00", "2024-03-10T02:30:00", "2024-03-09T21:00:00Z"),
        ("America/Sao_Paulo", "2019-11-01T00:00:00", "2019-11-02T00:00:00", "2019-11-02T03:00:00Z"),
    ])
    func `the next day is the next date on the wall where clocks are changed`(
        _ name: String, _ start: String, _ expected: String, _ instant: String
    ) throws {
        let series = try series("FREQ=DAILY", start, name)
        let zone = try #require(ZoneTable.named(name))
        let done = try #require(LocalDateTime(start))
        let now = Instant(microsecondsSince1970: Int64(zone.instant(of: done)) * 1_000_000)
        let next = try #require(series.next(at: now, zone: .utc))
        #expect(next.occurrenceText == expected)
        let seconds = zone.instant(of: next.due.wall)
        #expect(LocalDateTime(seconds: seconds).text + "Z" == instant)
    }

    @Test func `a day is missed when it is over where the person is`() throws {
        let daily = try series("FREQ=DAILY", "2026-01-01")
        // In Kiritimati the 4th has begun, in Pago Pago the 3rd has not.
        #expect(try next(daily, at: "2026-01-03T10:30:00Z", zone: "Pacific/Kiritimati") == "2026-01-04")
        #expect(try next(daily, at: "2026-01-03T10:30:00Z", zone: "Pacific/Pago_Pago") == "2026-01-02")
        #expect(try next(daily, at: "2026-01-03T12:00:00Z", zone: "UTC") == "2026-01-03")
        // Done on its own day, the next is tomorrow.
        #expect(try next(daily, at: "2026-01-01T08:00:00Z", zone: "UTC") == "2026-01-02")
    }

    @Test(arguments: [
        (Series.Overdue.next, 10, "2026-01-20T09:00:00"), (.one, 10, "2026-01-19T09:00:00"),
        (.all, 100, "2026-01-02T09:00:00"), (.all, 5, "2026-01-15T09:00:00"), (.all, 1, "2026-01-19T09:00:00"),
    ])
    func `what was missed is left out, becomes one, or is made up to a limit`(
        _ overdue: Series.Overdue, _ limit: Int, _ expected: String
    ) throws {
        let series = try series("FREQ=DAILY", "2026-01-01T09:00:00", "UTC", overdue: overdue, limit: limit)
        #expect(try next(series, at: "2026-01-19T12:00:00Z") == expected)
        // Nothing was missed: all agree.
        #expect(try next(series, at: "2026-01-01T12:00:00Z") == "2026-01-02T09:00:00")
    }

    @Test func `from completion the rule begins on the day it was done, in the zone of the task`() throws {
        let rule = "FREQ=DAILY;INTERVAL=3"
        let berlin = try series(rule, "2026-01-01T09:00:00", "Europe/Berlin", basis: .completion)
        #expect(try next(berlin, at: "2026-01-10T22:30:00Z") == "2026-01-13T09:00:00")
        #expect(try next(berlin, at: "2026-01-10T23:30:00Z") == "2026-01-14T09:00:00")
        // Early is as good as late.
        #expect(try next(berlin, at: "2025-12-30T12:00:00Z") == "2026-01-02T09:00:00")
        let days = try series(rule, "2026-01-01", basis: .completion)
        #expect(try next(days, at: "2026-01-10T23:30:00Z", zone: "America/New_York") == "2026-01-13")
        #expect(try next(days, at: "2026-01-10T23:30:00Z", zone: "Asia/Tokyo") == "2026-01-14")
        let hours = try series("FREQ=HOURLY;INTERVAL=6", "2026-01-01T09:00:00", "UTC", basis: .completion)
        #expect(try next(hours, at: "2026-01-01T10:20:30Z") == "2026-01-01T16:20:00")
        var counted = try series("FREQ=DAILY;COUNT=2", "2026-01-01", basis: .completion)
        let done = try #require(Instant("2026-01-05T12:00:00Z"))
        counted = try #require(counted.next(at: done, zone: .utc))
        #expect(counted.occurrenceText == "2026-01-06" && counted.number == 2)
        #expect(try next(counted, at: "2026-01-06T12:00:00Z") == nil)
    }

    @Test func `from completion, the next lies after what was done early`() throws {
        let daily = try series("FREQ=DAILY", "2026-01-02", basis: .completion)
        #expect(try next(daily, at: "2026-01-01T12:00:00Z") == "2026-01-03")
        let hourly = try series("FREQ=HOURLY;INTERVAL=6", "2026-01-01T09:00:00", "UTC", basis: .completion)
        #expect(try next(hourly, at: "2026-01-01T03:00:00Z") == "2026-01-01T15:00:00")
    }

    @Test func `what is moved has as many instances left as before`() throws {
        let due = Due(date: try #require(CivilDate("2026-02-01")))
        let first = try series("FREQ=DAILY;COUNT=5", "2026-01-01")
        #expect(first.moved(to: due, id: first.id).following(9).count == 4)
        var third = first
        let (early, late) = try (#require(Instant("2026-01-01T12:00:00Z")), #require(Instant("2026-01-04T12:00:00Z")))
        for _ in 1...2 { third = try #require(third.next(at: early, zone: .utc)) }
        let moved = third.moved(to: due, id: first.id)
        #expect(third.following(9).count == 2 && moved.following(9).count == 2 && moved.number == 1)
        // Those that were left out are used up, too.
        let fourth = try #require(first.next(at: late, zone: .utc))
        #expect(fourth.following(9).count == 1 && fourth.moved(to: due, id: first.id).following(9).count == 1)
        var counted = try series("FREQ=DAILY;COUNT=5", "2026-01-01", basis: .completion)
        counted.number = 3
        #expect(counted.moved(to: due, id: first.id).following(9).count == 2)
    }

    @Test(arguments: ["", "T09:00:00"])
    func `what is due beside its rule is the first of COUNT`(_ time: String) throws {
        let rule = "FREQ=WEEKLY;BYDAY=MO;COUNT="
        func days(_ series: Series) -> [String] { series.following(9).map(\.date.text) }
        func moved(_ series: Series, _ day: String) throws -> Series {
            let wall = try #require(LocalDateTime(day + "T09:00:00"))
            return series.moved(
                to: Due(date: wall.date, time: time.isEmpty ? nil : wall.time, zone: series.start.zone), id: series.id)
        }
        // A Thursday.
        let start = "2026-01-01\(time)"
        #expect(try days(series("\(rule)1", start, "Asia/Tokyo")) == [])
        #expect(try days(series("\(rule)2", start, "Asia/Tokyo")) == ["2026-01-05"])
        #expect(try days(series("\(rule)3", start, "Asia/Tokyo")) == ["2026-01-05", "2026-01-12"])
        let monday = try series("\(rule)3", "2026-01-05\(time)", "Asia/Tokyo")
        #expect(days(monday) == ["2026-01-12", "2026-01-19"])
        let thursday = try moved(monday, "2026-01-08")
        #expect(days(thursday) == ["2026-01-12", "2026-01-19"])
        let now = try #require(Instant("2026-01-08T01:00:00Z"))
        let second = try #require(thursday.next(at: now, zone: .utc))
        #expect(days(second) == ["2026-01-19"])
        #expect(try days(moved(second, "2026-01-15")) == ["2026-01-19"])
    }

    @Test func `the 31st is kept or clamped for two years`() throws {
        for (monthEnd, count) in [("clamp", 24), ("skip", 14)] {
            let draft = try Series.Draft(["rule": "FREQ=MONTHLY;UNTIL=20261231", "monthEnd": .string(monthEnd)])
            let day = try #require(CivilDate("2025-01-31"))
            let series = Series(id: UUID(), draft, due: Due(date: day))
            let days = [series.occurrence] + series.following(30)
            #expect(days.count == count)
            #expect(days.count { $0.date.civil.day == 31 } == 14)
            #expect(series.json["monthEnd"] == .string(monthEnd))
        }
    }

    @Test(arguments: [
        (#"{"rule": 1}"#, "rule"), (#"{}"#, "rule"), (#"{"rule": "FREQ=DAYLY"}"#, "rule"),
        (#"{"rule": "FREQ=DAILY", "basis": "x"}"#, "basis"),
        (#"{"rule": "FREQ=DAILY", "overdueLimit": 0}"#, "overdueLimit"),
        (#"{"rule": "FREQ=DAILY", "monthEnd": "x"}"#, "monthEnd"), (#"{"rule": "FREQ=DAILY", "more": 1}"#, "more"),
    ])
    func `what is wrong is named`(_ text: String, _ field: String) throws {
        let json = try JSON(parsing: text)
        #expect {
            try Series.Draft(json)
        } throws: { ($0 as? ValidationError)?.fields.map(\.field) == [field] }
        #expect {
            try TodoTask.Draft(["title": "x", "due": ["date": "2026-01-01"], "recurrence": json])
        } throws: { ($0 as? ValidationError)?.fields.map(\.field) == ["recurrence.\(field)"] }
    }

    @Test func `a task repeats only with a due date, and by the hour only with a time`() throws {
        func fields(_ due: JSON, _ rule: String) -> [String] {
            do throws(ValidationError) {
                _ = try TodoTask.Draft(["title": "x", "due": due, "recurrence": ["rule": .string(rule)]])
                return []
            } catch { return error.fields.map(\.field) }
        }
        #expect(fields(.null, "FREQ=DAILY") == ["recurrence"])
        #expect(fields(["date": "2026-01-01"], "FREQ=HOURLY") == ["recurrence"])
        #expect(fields(["date": "2026-01-01", "time": "09:00"], "FREQ=HOURLY").isEmpty)
        #expect(fields(["date": "2026-01-01"], "FREQ=DAILY").isEmpty)
    }
}
