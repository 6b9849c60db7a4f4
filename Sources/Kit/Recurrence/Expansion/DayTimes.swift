/// The hours, minutes and seconds that a rule names, or that it takes from its start.
struct NamedTimes {
    let hours, minutes, seconds: UInt64

    init(_ rule: RecurrenceRule, start: LocalDateTime) {
        let second = start.secondOfDay
        hours = UInt64(members: rule.hours.isEmpty ? [second / 3600] : rule.hours)
        minutes = UInt64(members: rule.minutes.isEmpty ? [second / 60 % 60] : rule.minutes)
        // No clock here shows leap seconds; then 60 means 59 (RFC 5545 section 3.3.12).
        seconds = UInt64(members: rule.seconds.isEmpty ? [second % 60] : rule.seconds.map { min($0, 59) })
    }
}

/// The times of each day on which something happens.
enum DayTimes: Sendable {
    /// The same on every day.
    case fixed(ClockTimes)
    /// Those that BYSETPOS picks for each day from a week, month or year.
    case picked(ClockTimes, RuleDays)
    case stepped(SteppedTimes)

    /// False when no day has a time.
    var hasAny: Bool {
        switch self {
        case .fixed(let times), .picked(let times, _): times.count > 0
        case .stepped(let times): times.hasAny
        }
    }

    /// How many every day has; nil when days differ.
    var perDay: Int? {
        switch self {
        case .fixed(let times): times.count
        case .picked: nil
        case .stepped(let times): times.perDay
        }
    }

    func firstDay(onOrAfter day: Int) -> Int {
        if case .stepped(let times) = self { times.firstDay(onOrAfter: day) } else { day }
    }

    func lastDay(onOrBefore day: Int) -> Int {
        if case .stepped(let times) = self { times.lastDay(onOrBefore: day) } else { day }
    }

    @inline(__always) func first(atOrAfter time: Int, on day: Int) -> Int? {
        switch self {
        case .fixed(let times): times.first(atOrAfter: time)
        case .stepped(let times): times.first(atOrAfter: time, on: day)
        case .picked(let times, let days):
            times.picks(of: days, on: day) { pick, best in pick >= time && pick < best ?? .max }
        }
    }

    func last(atOrBefore time: Int, on day: Int) -> Int? {
        switch self {
        case .fixed(let times): times.last(atOrBefore: time)
        case .stepped(let times): times.last(atOrBefore: time, on: day)
        case .picked(let times, let days):
            times.picks(of: days, on: day) { pick, best in pick <= time && pick > best ?? -1 }
        }
    }

    /// How many of the day are before `time`.
    func rank(_ time: Int, on day: Int) -> Int {
        switch self {
        case .fixed(let times): return times.rank(time)
        case .stepped(let times): return times.rank(time, on: day)
        case .picked:
            var count = 0
            var next = first(atOrAfter: 0, on: day)
            while let here = next, here < time {
                count += 1
                next = first(atOrAfter: here + 1, on: day)
            }
            return count
        }
    }

    /// The one that has `index` others of the day before it; `index` is below their number.
    func member(at index: Int, on day: Int) -> Int? {
        switch self {
        case .fixed(let times): return times.member(at: index)
        case .stepped(let times): return times.member(at: index, on: day)
        case .picked:
            var next = first(atOrAfter: 0, on: day)
            for _ in 0..<index { next = next.flatMap { first(atOrAfter: $0 + 1, on: day) } }
            return next
        }
    }
}

extension ClockTimes {
    /// Of the times that BYSETPOS picks on a day, the one that is better than all others.
    fileprivate func picks(of days: RuleDays, on day: Int, isBetter: (Int, Int?) -> Bool) -> Int? {
        var best: Int?
        days.forEachPick(on: day) { index in
            let time = member(at: index)
            if isBetter(time, best) { best = time }
        }
        return best
    }
}
