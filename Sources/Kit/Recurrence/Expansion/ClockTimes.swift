/// A set of seconds of a day, or of an hour or minute.
enum ClockTimes: Sendable {
    /// Every combination of some hours, minutes and seconds; each set has a member.
    case product(hours: UInt64, minutes: UInt64, seconds: UInt64)
    /// Ascending.
    case list([Int])

    var count: Int {
        switch self {
        case .product(let hours, let minutes, let seconds):
            hours.nonzeroBitCount * minutes.nonzeroBitCount * seconds.nonzeroBitCount
        case .list(let times): times.count
        }
    }

    /// The first that is `time` or after it.
    @inline(__always) func first(atOrAfter time: Int) -> Int? {
        switch self {
        case .product(let hours, let minutes, let seconds):
            let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60)
            if hours.has(hour) {
                if minutes.has(minute), let second = seconds.first(atOrAfter: second) {
                    return (hour * 60 + minute) * 60 + second
                }
                if let minute = minutes.first(atOrAfter: minute + 1) {
                    return (hour * 60 + minute) * 60 + seconds.trailingZeroBitCount
                }
            }
            guard let hour = hours.first(atOrAfter: hour + 1) else { return nil }
            return (hour * 60 + minutes.trailingZeroBitCount) * 60 + seconds.trailingZeroBitCount
        case .list(let times):
            let index = times.index(ofFirstAtOrAfter: time)
            return index < times.count ? times[index] : nil
        }
    }

    /// The last that is `time` or before it.
    func last(atOrBefore time: Int) -> Int? {
        let before = rank(time + 1)
        return before > 0 ? member(at: before - 1) : nil
    }

    /// How many are before `time`.
    func rank(_ time: Int) -> Int {
        switch self {
        case .product(let hours, let minutes, let seconds):
            let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60)
            let perMinute = seconds.nonzeroBitCount
            let perHour = minutes.nonzeroBitCount * perMinute
            guard hours.has(hour) else { return hours.count(below: hour) * perHour }
            return hours.count(below: hour) * perHour + minutes.count(below: minute) * perMinute
                + (minutes.has(minute) ? seconds.count(below: second) : 0)
        case .list(let times): return times.index(ofFirstAtOrAfter: time)
        }
    }

    /// The one that has `index` others before it; `index` is below the count.
    func member(at index: Int) -> Int {
        switch self {
        case .product(let hours, let minutes, let seconds):
            let perMinute = seconds.nonzeroBitCount
            let perHour = minutes.nonzeroBitCount * perMinute
            let hour = hours.member(at: index / perHour)
            let minute = minutes.member(at: index % perHour / perMinute)
            return (hour * 60 + minute) * 60 + seconds.member(at: index % perMinute)
        case .list(let times): return times[index]
        }
    }

    /// What BYSETPOS leaves of a period with these times.
    func picking(_ positions: [Int]) -> ClockTimes {
        guard !positions.isEmpty else { return self }
        let indexes = Set(positions.map { $0 > 0 ? $0 - 1 : count + $0 }.filter { $0 >= 0 && $0 < count })
        return .list(indexes.sorted().map { member(at: $0) })
    }
}

extension [Int] {
    /// In an ascending list; the count when all are before.
    func index(ofFirstAtOrAfter value: Int) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
