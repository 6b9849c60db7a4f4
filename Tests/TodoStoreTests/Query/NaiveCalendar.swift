import Foundation
import TodoModel
import TodoStore

/// The person's calendar by Foundation, to be compared with what PostgreSQL makes of it.
struct NaiveCalendar {
    let asker: Asker
    let localNow: Int
    let today: CivilDate

    init(_ asker: Asker) {
        self.asker = asker
        localNow = Self.wall(of: asker.now, in: asker.zone)
        let sinceDayStart = Double(localNow - asker.dayStart.minutes * 60)
        today = CivilDate(daysSince1970: Int((sinceDayStart / 86_400).rounded(.down)))
    }

    /// The clock on the wall, in seconds since 1970-01-01 00:00 there.
    static func wall(of instant: Instant, in zone: String) -> Int {
        let seconds = Int((Double(instant.microsecondsSince1970) / 1_000_000).rounded(.down))
        return seconds + offset(at: seconds, in: zone)
    }

    /// A time that the clock skips is read by the offset before, one that it shows twice by the offset after.
    static func instant(wall: Int, in zone: String) -> Int {
        let (before, after) = (offset(at: wall - 86_400, in: zone), offset(at: wall + 86_400, in: zone))
        let candidates = [wall - after, wall - before]
        return candidates.first { $0 + offset(at: $0, in: zone) == wall } ?? wall - before
    }

    private static func offset(at seconds: Int, in zone: String) -> Int {
        guard let zone = TimeZone(identifier: zone) else { preconditionFailure("no zone \(zone)") }
        return zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
    }

    var dayStart: Int { asker.dayStart.minutes * 60 }

    /// First and last day.
    func days(of date: TaskDate) -> ClosedRange<Int> {
        switch date {
        case .day(let day): return one(day.daysSince1970)
        case .now: return one(today.daysSince1970)
        case .shifted(let count, .day): return one(today.daysSince1970 + count)
        case .shifted(let count, .week): return one(today.daysSince1970 + 7 * count)
        case .shifted(let count, .month): return one(monthsLater(count))
        case .shifted(let count, .year): return one(monthsLater(12 * count))
        case .weekday(let weekday):
            return one((today.daysSince1970...).first { isoWeekday($0) == weekday.rawValue } ?? 0)
        case .current(.week):
            let first = (0..<7).map { today.daysSince1970 - $0 }.first { isoWeekday($0) == asker.weekStart.rawValue }
            return (first ?? 0)...((first ?? 0) + 6)
        case .current(.month):
            let (year, month, _) = today.civil
            return days(from: (year, month), to: month == 12 ? (year + 1, 1) : (year, month + 1))
        case .current(.year):
            return days(from: (today.civil.year, 1), to: (today.civil.year + 1, 1))
        }
    }

    private func one(_ day: Int) -> ClosedRange<Int> { day...day }

    private func days(from first: (Int, Int), to next: (Int, Int)) -> ClosedRange<Int> {
        let day = { (month: (Int, Int)) in CivilDate(year: month.0, month: month.1, day: 1)?.daysSince1970 ?? 0 }
        return day(first)...(day(next) - 1)
    }

    /// 1970-01-01 was a Thursday.
    private func isoWeekday(_ day: Int) -> Int { ((day + 3) % 7 + 7) % 7 + 1 }

    private func monthsLater(_ count: Int) -> Int {
        let (year, month, day) = today.civil
        let index = year * 12 + month - 1 + count
        let last = (28...31).last { CivilDate(year: index / 12, month: index % 12 + 1, day: $0) != nil } ?? 28
        return CivilDate(year: index / 12, month: index % 12 + 1, day: min(day, last))?.daysSince1970 ?? 0
    }
}
