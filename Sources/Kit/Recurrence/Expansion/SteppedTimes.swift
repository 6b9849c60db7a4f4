/// The times of an HOURLY, MINUTELY or SECONDLY rule: units of that length, INTERVAL apart all through the days, of which
/// BYHOUR, BYMINUTE and BYSECOND allow some; and the times in each unit.
struct SteppedTimes: Sendable {
    /// The length of a unit in seconds, and how many a day has.
    private let unit: Int
    private let unitsPerDay: Int
    private let interval: Int
    /// The unit in which the rule begins, counted from 1970.
    private let anchor: Int
    /// When allowed units begin; nil when all are allowed.
    private let allowed: ClockTimes?
    /// The times in a unit, in seconds from its start.
    private let parts: ClockTimes
    /// How many units a day has, by its phase; nil when that is quick to see.
    private let counts: [Int32]?

    init(_ rule: RecurrenceRule, start: LocalDateTime) {
        unit = rule.frequency == .hourly ? 3600 : rule.frequency == .minutely ? 60 : 1
        unitsPerDay = secondsPerDay / unit
        interval = rule.interval
        anchor = start.seconds.floored(by: unit)
        let named = NamedTimes(rule, start: start)
        let limits: [[Int]] = [rule.hours, unit > 60 ? [] : rule.minutes, unit > 1 ? [] : rule.seconds]
        allowed =
            limits.allSatisfy(\.isEmpty)
            ? nil
            : .product(
                hours: limits[0].isEmpty ? .below(24) : named.hours,
                minutes: unit > 60 ? 1 : limits[1].isEmpty ? .below(60) : named.minutes,
                seconds: unit > 1 ? 1 : limits[2].isEmpty ? .below(60) : named.seconds)
        parts = ClockTimes.product(
            hours: 1, minutes: unit > 60 ? named.minutes : 1, seconds: unit > 1 ? named.seconds : 1
        ).picking(rule.positions)
        counts = allowed.flatMap { [unit, unitsPerDay, interval] in
            interval == 1 || interval > unitsPerDay ? nil : Self.counts($0, unit, interval)
        }
    }

    private static func counts(_ allowed: ClockTimes, _ unit: Int, _ interval: Int) -> [Int32] {
        var counts = [Int32](repeating: 0, count: interval)
        var time = allowed.first(atOrAfter: 0)
        while let found = time {
            counts[found / unit % interval] += 1
            time = allowed.first(atOrAfter: found + 1)
        }
        return counts
    }

    /// False when no day has a time.
    var hasAny: Bool {
        guard parts.count > 0 else { return false }
        guard let allowed else { return true }
        // From day to day the phase changes by multiples of this, and reaches them all.
        let step = greatestCommonDivisor(interval, unitsPerDay)
        return stride(from: phase(of: 0) % step, to: unitsPerDay, by: step).contains {
            allowed.first(atOrAfter: $0 * unit) == $0 * unit
        }
    }

    /// How many times every day has; nil when days differ.
    var perDay: Int? { unitsPerDay % interval == 0 ? rank(secondsPerDay, on: 0) : nil }

    /// The first day from `day` on that may have a time.
    func firstDay(onOrAfter day: Int) -> Int {
        interval <= unitsPerDay
            ? day : (day * unitsPerDay).alignedUp(to: anchor, step: interval).floored(by: unitsPerDay)
    }

    /// The last day until `day` that may have a time.
    func lastDay(onOrBefore day: Int) -> Int {
        interval <= unitsPerDay
            ? day
            : ((day + 1) * unitsPerDay - 1).alignedDown(to: anchor, step: interval).floored(by: unitsPerDay)
    }

    @inline(__always) func first(atOrAfter time: Int, on day: Int) -> Int? {
        let phase = phase(of: day)
        if let counts, counts[phase] == 0 { return nil }
        guard let index = firstUnit(atOrAfter: time / unit, phase) else { return nil }
        if let part = parts.first(atOrAfter: max(0, time - index * unit)) { return index * unit + part }
        guard let next = firstUnit(atOrAfter: index + 1, phase), let part = parts.first(atOrAfter: 0) else {
            return nil
        }
        return next * unit + part
    }

    func last(atOrBefore time: Int, on day: Int) -> Int? {
        let phase = phase(of: day)
        if let counts, counts[phase] == 0 { return nil }
        guard let index = lastUnit(atOrBefore: time / unit, phase) else { return nil }
        if let part = parts.last(atOrBefore: min(unit - 1, time - index * unit)) { return index * unit + part }
        guard let previous = lastUnit(atOrBefore: index - 1, phase), let part = parts.last(atOrBefore: unit - 1)
        else { return nil }
        return previous * unit + part
    }

    /// How many times of the day are before `time`.
    func rank(_ time: Int, on day: Int) -> Int {
        let phase = phase(of: day)
        let index = time / unit
        let isIn = index < unitsPerDay && firstUnit(atOrAfter: index, phase) == index
        return unitCount(below: index, phase) * parts.count + (isIn ? parts.rank(time - index * unit) : 0)
    }

    /// The time that has `index` others of the day before it; `index` is below their number.
    func member(at index: Int, on day: Int) -> Int? {
        let phase = phase(of: day)
        let (units, part) = index.quotientAndRemainder(dividingBy: parts.count)
        guard let allowed else { return (phase + units * interval) * unit + parts.member(at: part) }
        if interval == 1 { return allowed.member(at: units) + parts.member(at: part) }
        var found = firstUnit(atOrAfter: 0, phase)
        for _ in 0..<units { found = found.flatMap { firstUnit(atOrAfter: $0 + 1, phase) } }
        return found.map { $0 * unit + parts.member(at: part) }
    }
}

// MARK: - Units of a day

extension SteppedTimes {
    /// The first place from the start of a day on, maybe on another day, to which steps of INTERVAL lead.
    @inline(__always) private func phase(of day: Int) -> Int {
        interval == 1 ? 0 : (anchor - day * unitsPerDay).modulo(interval)
    }

    /// Goes to the next unit by INTERVAL, then over all that is not allowed, until nothing moves any more.
    @inline(__always) private func firstUnit(atOrAfter start: Int, _ phase: Int) -> Int? {
        var index = start
        while true {
            index = index.alignedUp(to: phase, step: interval)
            guard index < unitsPerDay else { return nil }
            guard let allowed else { return index }
            guard let next = allowed.first(atOrAfter: index * unit) else { return nil }
            if next == index * unit { return index }
            index = next / unit
        }
    }

    private func lastUnit(atOrBefore start: Int, _ phase: Int) -> Int? {
        var index = start
        while true {
            index = index.alignedDown(to: phase, step: interval)
            guard index >= 0 else { return nil }
            guard let allowed else { return index }
            guard let next = allowed.last(atOrBefore: index * unit) else { return nil }
            if next == index * unit { return index }
            index = next / unit
        }
    }

    private func unitCount(below index: Int, _ phase: Int) -> Int {
        guard let allowed else { return index > phase ? (index - 1 - phase) / interval + 1 : 0 }
        if interval == 1 { return allowed.rank(index * unit) }
        if index == unitsPerDay, let counts { return Int(counts[phase]) }
        var count = 0
        var found = firstUnit(atOrAfter: 0, phase)
        while let here = found, here < index {
            count += 1
            found = firstUnit(atOrAfter: here + 1, phase)
        }
        return count
    }
}

func greatestCommonDivisor(_ left: Int, _ right: Int) -> Int {
    right == 0 ? left : greatestCommonDivisor(right, left % right)
}
