import Postgres
import PostgresServer
import Testing
import TodoModel

@testable import TodoStore

/// The functions of migration 5 that turn what clocks show into instants.
@Suite(.timeLimit(.minutes(10))) struct WallTimeTests {
    @Test func `a wall time that comes twice is the first, one that is skipped has the offset before the gap`()
        async throws
    {
        try await Reminding.with { all in
            for (wall, zone, instant) in [
                ("2026-03-08 02:30", "America/New_York", "2026-03-08 07:30:00"),
                ("2026-11-01 01:30", "America/New_York", "2026-11-01 05:30:00"),
                ("2026-03-29 01:30", "Europe/London", "2026-03-29 01:30:00"),
                ("2026-10-25 01:30", "Europe/London", "2026-10-25 00:30:00"),
                // Half an hour each way.
                ("2026-10-04 02:15", "Australia/Lord_Howe", "2026-10-03 15:45:00"),
                ("2026-04-05 01:45", "Australia/Lord_Howe", "2026-04-04 14:45:00"),
                ("2026-07-01 09:00", "Asia/Kolkata", "2026-07-01 03:30:00"),
                // Both offsets are standard time.
                ("2014-10-26 01:30", "Europe/Moscow", "2014-10-25 21:30:00"),
                ("2030-01-01 00:00", "Pacific/Kiritimati", "2029-12-31 10:00:00"),
                ("2030-01-01 00:00", "Pacific/Pago_Pago", "2030-01-01 11:00:00"),
                // The day that Samoa left out.
                ("2011-12-30 12:00", "Pacific/Apia", "2011-12-30 22:00:00"),
            ] {
                let found = try await all.sql(
                    "SELECT timezone('UTC', wall_instant('\(wall)', '\(zone)'))")
                #expect(found == instant, "\(wall) in \(zone)")
            }
        }
    }

    @Test func `every quarter of an hour around every change of five years is read by the rule`() async throws {
        try await Reminding.with { all in
            // By counting: the earliest instant at which the clock shows the wall time; where none does, the wall time
            // less the offset of a moment before.
            let wrong = try await all.sql(
                """
                WITH quarters AS MATERIALIZED (
                    SELECT n.name, s.at, timezone(n.name, s.at) AS wall
                    FROM (VALUES ('America/New_York'), ('Europe/London'), ('Australia/Lord_Howe'), ('Asia/Kolkata'),
                        ('Africa/Casablanca'), ('America/Santiago'), ('Antarctica/Troll')) n (name)
                    CROSS JOIN generate_series(timestamptz '2026-01-01 00:00Z', '2030-12-31 00:00Z', '15 minutes') s (at)),
                read AS MATERIALIZED (SELECT name, wall, min(at) AS at FROM quarters GROUP BY name, wall),
                gaps AS (
                    SELECT q.name, q.wall + interval '15 minutes' AS wall, q.at + interval '15 minutes' AS at FROM quarters q
                    WHERE timezone(q.name, q.at + interval '15 minutes') > q.wall + interval '15 minutes')
                SELECT count(*) FILTER (WHERE wall_instant(wall, name) <> at), count(*) > 1000000 FROM (
                    SELECT * FROM read UNION ALL SELECT * FROM gaps) e
                """)
            #expect(wrong == "0|t")
        }
    }

    @Test func `quiet hours end at their end, over midnight, and across changes of the clock`() async throws {
        try await Reminding.with { all in
            for (at, from, to, zone, end) in [
                ("2026-06-01 21:59Z", 1320, 420, "UTC", ""),
                ("2026-06-01 22:00Z", 1320, 420, "UTC", "2026-06-02 07:00:00"),
                ("2026-06-02 06:59Z", 1320, 420, "UTC", "2026-06-02 07:00:00"),
                ("2026-06-02 07:00Z", 1320, 420, "UTC", ""),
                ("2026-06-01 12:30Z", 720, 840, "UTC", "2026-06-01 14:00:00"),
                ("2026-06-01 14:00Z", 720, 840, "UTC", ""),
                // 23:00 in New York, on the evening before the clock goes forward.
                ("2026-03-08 04:00Z", 1320, 420, "America/New_York", "2026-03-08 11:00:00"),
                // 01:15 for the second time there.
                ("2026-11-01 06:15Z", 0, 90, "America/New_York", "2026-11-01 05:30:00"),
            ] {
                let found = try await all.sql(
                    "SELECT timezone('UTC', quiet_until('\(at)', \(from), \(to), '\(zone)'))")
                #expect(found == end, "\(at)")
            }
        }
    }

    @Test func `whole days before are days of the calendar`() async throws {
        try await Reminding.with { all in
            for (minutes, instant) in [
                // Due at 09:00 on the day after the clock went forward; the day before it was the winter's 09:00.
                (0, "2026-03-30 07:00:00"), (1440, "2026-03-29 07:00:00"), (2880, "2026-03-28 08:00:00"),
                (90, "2026-03-30 05:30:00"), (2970, "2026-03-28 06:30:00"),
            ] {
                let found = try await all.sql(
                    "SELECT timezone('UTC', reminder_instant('2026-03-30 09:00', 'Europe/Berlin', \(minutes)))")
                #expect(found == instant, "\(minutes) minutes before")
            }
        }
    }

    @Test func `the database and the services read every wall time alike`() async throws {
        try await Reminding.with { all in
            var random = SystemRandomNumberGenerator()
            let zones = [
                "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca",
                "America/Santiago", "Antarctica/Troll", "Pacific/Chatham", "Asia/Tehran", "UTC",
            ]
            var (names, walls, instants): ([String], [String], [Int]) = ([], [], [])
            for name in zones {
                let zone = try #require(ZoneTable.named(name))
                var interval = zone.interval(at: 1_767_225_600)
                var times = (0..<50).map { _ in Int.random(in: 1_767_225_600..<2_082_758_400, using: &random) }
                // Around each change of ten years, where they could differ.
                while interval.end < 2_082_758_400 {
                    times += (-8...8).map { interval.end + interval.offset + $0 * 900 }
                    interval = zone.interval(at: interval.end)
                }
                for time in times {
                    let wall = LocalDateTime(seconds: time)
                    names.append(name)
                    walls.append(wall.text)
                    instants.append(zone.instant(of: wall))
                }
            }
            let statement: SQLFragment = """
                SELECT t.wall || ' ' || t.name FROM unnest(\(names), \(walls), \(instants)) t (name, wall, instant)
                WHERE extract(epoch FROM wall_instant(t.wall::timestamp, t.name)) <> t.instant
                """
            let wrong = try await all.database.rows(as: .system, "walls", statement).map { try $0.decode(String.self) }
            #expect(wrong.isEmpty && walls.count > 2000, "\(wrong.prefix(5))")
        }
    }
}
