internal import KubernetesClient

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
    internal import FoundationInternationalization
#else
    internal import Foundation
#endif

/// When a CronJob fires: five fields (minute, hour, day of month, month, day of week), a descriptor such as `@hourly`,
/// or `@every 90m`. Names, lists, ranges and steps as robfig/cron v3 reads them, which Kubernetes uses.
///
/// A day fits when both day fields fit; when neither is `*`, one is enough. A wall-clock time that a change to summer
/// time leaves out does not fire; one that comes twice fires twice.
struct CronExpression: Sendable, Equatable {
    struct Fault: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    fileprivate enum Form: Sendable, Equatable {
        case every(seconds: Int64)
        case fields(Fields)
    }

    fileprivate struct Fields: Sendable, Equatable {
        var minutes, hours, days, months, weekdays: UInt64
        /// Neither day field is a star.
        var eitherDay: Bool
    }

    private static let descriptors = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]
    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    private let form: Form

    init(_ text: String) throws(Fault) {
        if text.hasPrefix("@every ") {
            guard let seconds = Self.seconds(text.dropFirst("@every ".count)), seconds > 0 else {
                throw Fault(description: "failed to parse duration \(text)")
            }
            form = .every(seconds: seconds)
            return
        }
        let parts = (Self.descriptors[text] ?? text).split(separator: " ")
        guard parts.count == 5 else {
            throw Fault(description: "expected exactly 5 fields, found \(parts.count): \(text)")
        }
        // 7 is Sunday too.
        var weekdays = try Self.field(parts[4], 0...7, names: Self.dayNames, first: 0)
        if weekdays & 1 << 7 != 0 { weekdays = weekdays & ~(1 << 7) | 1 }
        form = .fields(
            Fields(
                minutes: try Self.field(parts[0], 0...59), hours: try Self.field(parts[1], 0...23),
                days: try Self.field(parts[2], 1...31),
                months: try Self.field(parts[3], 1...12, names: Self.monthNames, first: 1), weekdays: weekdays,
                eitherDay: !Self.isStar(parts[2]) && !Self.isStar(parts[4])))
    }

    // MARK: - Reading

    private static func isStar(_ part: Substring) -> Bool {
        part.split(separator: ",").contains { $0.first == "*" || $0.first == "?" }
    }

    /// A bit for each value that fits.
    static func field(
        _ text: Substring, _ range: ClosedRange<Int>, names: [String] = [], first: Int = 0
    ) throws(Fault) -> UInt64 {
        var bits: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = item.split(separator: "/", omittingEmptySubsequences: false)
            let step = halves.count == 1 ? 1 : Int(halves[1]) ?? 0
            guard halves.count <= 2, step > 0 else { throw Fault(description: "no valid step: \(item)") }
            var low = range.lowerBound
            // A star for weekdays ends with Saturday.
            var high = range.upperBound == 7 ? 6 : range.upperBound
            if halves[0] != "*", halves[0] != "?" {
                let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false).map { end in
                    names.firstIndex(of: end.lowercased()).map { $0 + first } ?? Int(end)
                }
                guard ends.count <= 2, let start = ends[0], let end = ends[ends.count - 1], start <= end,
                    range.contains(start), range.contains(end)
                else { throw Fault(description: "not within \(range.lowerBound) to \(range.upperBound): \(item)") }
                low = start
                // `5/10` is from 5 to the end.
                if ends.count == 2 || halves.count == 1 { high = end }
            }
            for value in stride(from: low, through: high, by: step) { bits |= 1 << UInt64(value) }
        }
        return bits
    }

    /// Go's durations, in whole seconds: `1h30m`.
    /// Nil also for more than Go's `time.Duration` holds, some 292 years.
    private static func seconds(_ text: Substring) -> Int64? {
        let limit: Int64 = 9_223_372_036
        var total: Int64 = 0
        var digits = ""
        for character in text {
            if character.isNumber {
                digits.append(character)
                continue
            }
            guard let number = Int64(digits), let unit = ["h": 3600, "m": 60, "s": 1][character] as Int64?,
                number <= (limit - total) / unit
            else { return nil }
            total += number * unit
            digits = ""
        }
        return digits.isEmpty ? total : nil
    }
}

// MARK: - Times

extension CronExpression {
    /// The first time after `time`; nil when there is none within five years (30 February).
    func next(after time: KubernetesTime, in zone: TimeZone) -> KubernetesTime? {
        let start = time.microseconds.quotientAndRemainder(dividingBy: 1_000_000).quotient
        switch form {
        case .every(let seconds): return KubernetesTime(seconds: start + seconds)
        case .fields(let fields):
            return fields.next(after: start, LocalClock(zone: zone)).map { KubernetesTime(seconds: $0) }
        }
    }

    /// The last time after `start` and not after `end`; nil when there is none.
    func latest(from start: KubernetesTime, through end: KubernetesTime, in zone: TimeZone) -> KubernetesTime? {
        if case .every(let seconds) = form {
            let periods = start.duration(to: end).components.seconds / seconds
            return periods > 0 ? start.advanced(by: .seconds(periods * seconds)) : nil
        }
        // Back in growing steps: after years of downtime not every minute of them is looked at.
        for hours in [1, 24, 24 * 32, 24 * 367, 24 * 366 * 5] {
            let from = max(start, end.advanced(by: .seconds(-hours * 3600)))
            var last: KubernetesTime?
            var candidate = next(after: from, in: zone)
            while let time = candidate, time <= end {
                last = time
                candidate = next(after: time, in: zone)
            }
            if last != nil || from == start { return last }
        }
        return nil
    }
}

extension CronExpression.Fields {
    /// Goes forward field by field, from the largest, until all fit. Seconds since 1970.
    fileprivate func next(after start: Int64, _ clock: LocalClock) -> Int64? {
        var time = start - start.modulo(60) + 60
        let limit = start + 5 * 366 * 86_400
        while time < limit {
            let local = clock.local(time)
            let date = CivilDate(days: local.floored(by: 86_400))
            let second = local.modulo(86_400)
            if months & 1 << UInt64(date.month) == 0 {
                time = max(clock.instant(date.startOfNextMonth * 86_400), time + 60)
            } else if !fits(date) {
                time = max(clock.instant((local.floored(by: 86_400) + 1) * 86_400), time + 60)
            } else if hours & 1 << UInt64(second / 3600) == 0 {
                time += 3600 - second.modulo(3600)
            } else if minutes & 1 << UInt64(second.modulo(3600) / 60) == 0 {
                time += 60
            } else {
                return time
            }
        }
        return nil
    }

    private func fits(_ date: CivilDate) -> Bool {
        let day = days & 1 << UInt64(date.day) != 0
        let weekday = weekdays & 1 << UInt64(date.weekday) != 0
        return eitherDay ? day || weekday : day && weekday
    }
}

/// Wall-clock time as if it were UTC, in seconds.
private struct LocalClock {
    let zone: TimeZone

    private func offset(_ instant: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant))))
    }

    func local(_ instant: Int64) -> Int64 { instant + offset(instant) }

    /// The first instant that shows `local`, or the one right after the gap that it lies in.
    func instant(_ local: Int64) -> Int64 {
        let before = local - offset(local - 86_400)
        if self.local(before) == local { return before }
        let after = local - offset(local + 86_400)
        return self.local(after) == local ? after : before
    }
}

/// A day of the proleptic Gregorian calendar.
private struct CivilDate {
    let days: Int64
    let month: Int
    let day: Int
    private let year: Int64

    /// - Parameter days: since 1970-01-01. Years begin in March here, so that leap days come last.
    init(days: Int64) {
        self.days = days
        let shifted = days + 719_468
        let era = shifted.floored(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let place = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * place + 2) / 5 + 1)
        month = Int(place < 10 ? place + 3 : place - 9)
        year = yearOfEra + era * 400 + (place < 10 ? 0 : 1)
    }

    /// 0 is Sunday.
    var weekday: Int { Int((days + 4).modulo(7)) }

    var startOfNextMonth: Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return days + Int64(lengths[month - 1] - day + 1)
    }
}

extension Int64 {
    fileprivate func floored(by divisor: Int64) -> Int64 { (self - modulo(divisor)) / divisor }

    fileprivate func modulo(_ divisor: Int64) -> Int64 {
        let rest = self % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
