import Foundation
import KubernetesClient
import Testing

@testable import LocalCluster

@Suite struct CronExpressionTests {
    private func next(_ expression: String, after time: String, zone: String = "UTC") throws -> String? {
        let zone = try #require(TimeZone(identifier: zone))
        let time = try #require(KubernetesTime(time))
        return try CronExpression(expression).next(after: time, in: zone)?.text
    }

    @Test(arguments: [
        ("* * * * *", "2026-01-01T00:00:30Z", "2026-01-01T00:01:00Z"),
        ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
        ("*/15 * * * *", "2026-01-01T00:46:00Z", "2026-01-01T01:00:00Z"),
        ("5/20 * * * *", "2026-01-01T00:26:00Z", "2026-01-01T00:45:00Z"),
        ("10-20/5 9-17 * * *", "2026-01-01T17:20:00Z", "2026-01-02T09:10:00Z"),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 31 * *", "2026-04-01T00:00:00Z", "2026-05-31T00:00:00Z"),
        ("30 8 * feb-apr mon,WED", "2026-01-01T00:00:00Z", "2026-02-02T08:30:00Z"),
        ("0 0 * * 7", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
        ("0 0 * * 5-7", "2026-01-04T00:00:00Z", "2026-01-09T00:00:00Z"),
        ("0 0 * * 0", "2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"),
        ("0 0 1 * ?", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"),
        ("@hourly", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"),
        ("@weekly", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
        ("@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("@every 1h30m", "2026-01-01T00:00:10Z", "2026-01-01T01:30:10Z"),
    ])
    func findsTheNextTime(expression: String, after: String, expected: String) throws {
        #expect(try next(expression, after: after) == expected)
    }

    /// The 13th, or a Friday; with a star in one of the fields both must fit.
    @Test func eitherDayFieldIsEnoughWhenBothAreGiven() throws {
        #expect(try next("0 0 13 * 5", after: "2026-01-01T00:00:00Z") == "2026-01-02T00:00:00Z")
        #expect(try next("0 0 13 * 5", after: "2026-01-09T00:00:00Z") == "2026-01-13T00:00:00Z")
        #expect(try next("0 0 */2 * 5", after: "2026-01-03T00:00:00Z") == "2026-01-09T00:00:00Z")
        #expect(try next("0 0 13 * *", after: "2026-01-01T00:00:00Z") == "2026-01-13T00:00:00Z")
    }

    @Test(arguments: [
        // New York, 8 March 2026: 02:00 becomes 03:00; 1 November: 02:00 becomes 01:00.
        ("30 2 * * *", "2026-03-08T05:00:00Z", "2026-03-09T06:30:00Z"),
        ("30 3 * * *", "2026-03-08T05:00:00Z", "2026-03-08T07:30:00Z"),
        ("30 1 * * *", "2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z"),
        ("30 1 * * *", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"),
        ("0 0 * * *", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"),
        ("0 * * * *", "2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z"),
    ])
    func followsTheZonesClock(expression: String, after: String, expected: String) throws {
        #expect(try next(expression, after: after, zone: "America/New_York") == expected)
    }

    /// In Beirut and Santiago summer time has begun at midnight: that day has none.
    @Test func aDayWithoutMidnightIsLeftOut() throws {
        // Santiago, 6 September 2026: 00:00 becomes 01:00 (UTC-4 to UTC-3).
        #expect(
            try next("0 0 * * *", after: "2026-09-05T12:00:00Z", zone: "America/Santiago") == "2026-09-07T03:00:00Z")
        #expect(
            try next("0 1 * * *", after: "2026-09-05T12:00:00Z", zone: "America/Santiago") == "2026-09-06T04:00:00Z")
    }

    @Test func aZoneThatMovesByHalfAnHourKeepsItsFullHours() throws {
        // Lord Howe, 5 April 2026: 02:00 (+11) becomes 01:30 (+10:30).
        #expect(
            try next("0 2 * * *", after: "2026-04-04T14:00:00Z", zone: "Australia/Lord_Howe")
                == "2026-04-04T15:30:00Z")
    }

    @Test func thatWhichNeverComesIsFoundOut() throws {
        #expect(try next("0 0 30 2 *", after: "2026-01-01T00:00:00Z") == nil)
    }

    @Test func findsTheLastOfManyMissedTimes() throws {
        let every = try CronExpression("* * * * *")
        let start = try #require(KubernetesTime("2020-01-01T00:00:00Z"))
        let end = try #require(KubernetesTime("2026-01-01T00:00:30Z"))
        #expect(every.latest(from: start, through: end, in: .gmt)?.text == "2026-01-01T00:00:00Z")
        #expect(
            try CronExpression("0 0 1 3 *").latest(from: start, through: end, in: .gmt)?.text == "2025-03-01T00:00:00Z")
        #expect(
            try CronExpression("@every 1h").latest(from: start, through: end, in: .gmt)?.text == "2026-01-01T00:00:00Z")
        #expect(every.latest(from: end, through: end, in: .gmt) == nil)
    }

    @Test(arguments: [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *",
        "5-1 * * * *", "a * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "@never", "@every x", "@every 0s",
        "@every 5124095576030431h", "@every 2562047h2562047h", "@every 9223372036854775807s", "1, * * * *",
    ])
    func refusesWhatIsNoSchedule(text: String) {
        #expect(throws: CronExpression.Fault.self) { try CronExpression(text) }
    }
}
