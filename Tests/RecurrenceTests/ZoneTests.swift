import ChildProcess
import Foundation
import Recurrence
import Testing

@Suite(.timeLimit(.minutes(10))) struct ZoneTests {
    /// Every zone that the database describes, by its one name.
    private static let names: [String] = {
        let text = (try? String(contentsOfFile: "/usr/share/zoneinfo/tzdata.zi", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { $0.hasPrefix("Z ") }.map { String($0.split(separator: " ")[1]) }
    }()

    private func zone(_ name: String) throws -> ZoneTable { try #require(ZoneTable.named(name), "\(name)") }

    private func time(_ text: String) throws -> LocalDateTime { try #require(LocalDateTime(text)) }

    @Test(arguments: [
        "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "Europe/Dublin",
        "Africa/Casablanca", "Asia/Gaza", "America/Sao_Paulo", "Antarctica/Troll", "America/Nuuk", "Asia/Tehran",
        "Europe/Moscow", "Pacific/Kiritimati", "America/Caracas",
    ])
    func `offsets are those that zdump prints`(_ name: String) async throws {
        let zone = try zone(name)
        let specification = ChildProcess.Specification(
            path: "/usr/bin/env", arguments: ["zdump", "-v", "-c", "1900,2110", name],
            environment: ProcessInfo.processInfo.environment)
        guard case .ended(.exited(0), let output) = try await ChildProcess.capture(specification) else {
            throw CancellationError()
        }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var lines = 0
        for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
            // Zone  Sun Apr 26 06:59:59 1970 UT = Sun Apr 26 01:59:59 1970 EST isdst=0 gmtoff=-18000
            let words = line.split(separator: " ")
            guard words.count == 16, let month = months.firstIndex(of: String(words[2])), let day = Int(words[3]),
                let year = Int(words[5]), let offset = Int(words[15].dropFirst("gmtoff=".count)),
                let date = CivilDate(year: year, month: month + 1, day: day)
            else { continue }
            let clock = words[4].split(separator: ":").compactMap { Int($0) }
            let instant = LocalDateTime(date: date, second: clock[0] * 3600 + clock[1] * 60 + clock[2]).seconds
            #expect(zone.offset(at: instant) == offset, "\(line)")
            lines += 1
        }
        #expect(lines > 1)
    }

    @Test func `the calendar's cycle of 400 years goes on for ever`() throws {
        for name in ["America/New_York", "Australia/Lord_Howe", "Europe/Dublin", "Asia/Gaza"] {
            let zone = try zone(name)
            for day in stride(from: 60_000, to: 60_000 + 2 * 366, by: 1) {
                let instant = day * 86_400 + 7 * 3600
                for cycles in [1, 2, 10] {
                    let later = instant + cycles * 146_097 * 86_400
                    #expect(zone.offset(at: later) == zone.offset(at: instant))
                    let wall = LocalDateTime(seconds: later + zone.offset(at: later))
                    #expect(zone.instant(of: wall) == later)
                }
            }
        }
    }

    @Test func `each instant is found again from its wall time, or the first of two`() throws {
        for name in Self.names {
            let zone = try zone(name)
            var instant = -2_000_000_000
            while instant < 3_000_000_000 {
                let interval = zone.interval(at: instant)
                #expect(interval.contains(instant))
                // Such short spans would make wall times ambiguous in ways that nobody has seen.
                #expect(interval.end - interval.start > abs(interval.offset - interval.previousOffset), "\(name)")
                for probe in [interval.start, interval.start + 1, interval.end - 1] where abs(probe) < 4_000_000_000 {
                    let found = zone.instant(of: zone.local(at: probe))
                    #expect(zone.offset(at: probe) == interval.offset)
                    #expect(found <= probe && zone.local(at: found) == zone.local(at: probe), "\(name) \(probe)")
                    let lost = max(0, interval.previousOffset - interval.offset)
                    #expect(found == probe || probe < interval.start + lost, "\(name) \(probe)")
                }
                instant = interval.end
            }
        }
        #expect(Self.names.count > 300)
    }

    @Test func `a wall time that is left out is read by the offset before`() throws {
        let zone = try zone("America/New_York")
        #expect(zone.instant(of: try time("2024-03-10T02:30:00")) == (try time("2024-03-10T07:30:00")).seconds)
        #expect(zone.instant(of: try time("2024-11-03T01:30:00")) == (try time("2024-11-03T05:30:00")).seconds)
        #expect(!zone.shows(try time("2024-03-10T02:30:00")))
        #expect(zone.shows(try time("2024-03-10T03:00:00")))
        #expect(zone.shows(try time("2024-11-03T01:30:00")))
    }

    @Test(arguments: [
        "", "Europe/Nowhere", "../etc/passwd", "/etc/localtime", "Europe", "Europe/", "localtime", "tzdata.zi",
    ])
    func `what is no zone is none`(_ name: String) { #expect(ZoneTable.named(name) == nil) }

    // MARK: - Rules in zones

    /// Two wall times that one instant makes: in Samoa a whole day.
    @Test func `a daily rule is on the next date after each change of ten years in every zone`() throws {
        let rule = try RecurrenceRule("FREQ=DAILY;COUNT=7")
        let from = try time("2016-01-01T00:00:00").seconds
        var changes = 0
        for name in Self.names {
            let zone = try zone(name)
            var instant = zone.interval(at: from).end
            while instant < from + 11 * 366 * 86_400 {
                let interval = zone.interval(at: instant)
                changes += 1
                let around = interval.start + interval.previousOffset
                for shift in [-3600, -1800, -1, 0, 900, 1800, 3599, 3600, 7200, 43_200] {
                    let start = LocalDateTime(seconds: around + shift - 3 * 86_400)
                    let set = try RecurrenceSet(start: start, zone: zone, rule: rule)
                    let found = set.occurrences.map { $0 }
                    #expect(found.count == 7, "\(name) \(start.text)")
                    for (index, occurrence) in found.enumerated() {
                        #expect(occurrence.date.daysSince1970 == start.date.daysSince1970 + index)
                        let shown = zone.local(at: occurrence.instant)
                        if zone.shows(occurrence.local) {
                            #expect(shown == occurrence.local, "\(name) \(occurrence)")
                        } else {
                            #expect(
                                shown.seconds - occurrence.local.seconds == interval.offset - interval.previousOffset)
                        }
                        if index > 0 { #expect(occurrence.instant > found[index - 1].instant) }
                    }
                }
                instant = interval.end
            }
        }
        #expect(changes > 1000)
    }

    @Test func `rows of wall times that mean the same instants are merged in order`() throws {
        let zone = try zone("America/New_York")
        let start = try time("2024-03-10T01:50:00")
        let rule = try RecurrenceRule("FREQ=MINUTELY;INTERVAL=7;COUNT=30")
        let found = try RecurrenceSet(start: start, zone: zone, rule: rule).occurrences.map(\.instant)
        let walls = (0..<30).map { LocalDateTime(seconds: start.seconds + $0 * 420) }
        #expect(found == Set(walls.map(zone.instant)).sorted())
        let hourly = try RecurrenceSet(
            start: try time("2024-11-03T00:00:00"), zone: zone, rule: try RecurrenceRule("FREQ=HOURLY;COUNT=4"))
        #expect(
            hourly.occurrences.map { zone.local(at: $0.instant).text } == [
                "2024-11-03T00:00:00", "2024-11-03T01:00:00", "2024-11-03T02:00:00", "2024-11-03T03:00:00",
            ])
    }
}
