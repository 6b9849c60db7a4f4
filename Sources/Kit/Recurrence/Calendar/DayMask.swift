/// A set of days of one year as bits; bit 0 is 1 January.
struct DayMask: Sendable {
    private var words: InlineArray<6, UInt64>

    init() { words = .init(repeating: 0) }

    /// The days up to `length`.
    init(allBelow length: Int) {
        self.init()
        for index in words.indices { words[index] = .below(length - index * 64) }
    }

    /// The days below `length` whose weekday is a member of `weekdays` (bit 0 is Monday).
    init(weekdays: UInt64, firstWeekday: Int, below length: Int) {
        self.init()
        for index in words.indices {
            words[index] =
                Self.everySeven(weekdays, from: firstWeekday + index * 64) & .below(length - index * 64)
        }
    }

    /// A week's bits, repeated from the weekday `first` on: bit `n` is set when weekday `first + n` is a member.
    @inline(__always) static func everySeven(_ weekdays: UInt64, from first: Int) -> UInt64 {
        let phase = UInt64(first.modulo(7))
        // Multiplying by bits that are seven apart lays the week side by side; what sticks out at the top falls off.
        return ((weekdays >> phase | weekdays << (7 - phase)) & 0x7F) &* 0x8102_0408_1020_4081
    }

    var isEmpty: Bool {
        words[0] | words[1] | words[2] | words[3] | words[4] | words[5] == 0
    }

    func contains(_ day: Int) -> Bool { words[day >> 6].has(day & 63) }

    mutating func insert(_ day: Int) { words[day >> 6] |= 1 << UInt64(day & 63) }

    /// Inserts `day + n` for each member `n` of `bits`; members before the year are dropped.
    mutating func insert(_ bits: UInt64, at day: Int) {
        guard day >= 0 else { return insert(bits >> UInt64(-day), at: 0) }
        let (word, shift) = (day >> 6, UInt64(day & 63))
        words[word] |= bits << shift
        if shift > 0, word < 5 { words[word + 1] |= bits >> (64 - shift) }
    }

    /// The least day that is `day` or after it.
    @inline(__always) func first(atOrAfter day: Int) -> Int? {
        var index = day >> 6
        guard index < 6 else { return nil }
        var word = words[index].droppingBelow(day & 63)
        while word == 0 {
            index += 1
            guard index < 6 else { return nil }
            word = words[index]
        }
        return index << 6 + word.trailingZeroBitCount
    }

    /// The greatest day that is `day` or before it.
    func last(atOrBefore day: Int) -> Int? {
        guard day >= 0 else { return nil }
        var index = Swift.min(day >> 6, 5)
        var word = words[index] & .below(Swift.min(day - index << 6, 63) + 1)
        while word == 0 {
            index -= 1
            guard index >= 0 else { return nil }
            word = words[index]
        }
        return index << 6 + 63 - word.leadingZeroBitCount
    }

    var count: Int { count(below: 384) }

    func count(below day: Int) -> Int {
        var total = 0
        for index in words.indices { total += words[index].count(below: day - index << 6) }
        return total
    }

    /// The day that has `index` days of the set before it; nil when there are not so many.
    func member(at index: Int) -> Int? {
        var rest = index
        for place in words.indices {
            let count = words[place].nonzeroBitCount
            if rest < count { return place << 6 + words[place].member(at: rest) }
            rest -= count
        }
        return nil
    }

    mutating func formIntersection(_ other: DayMask) {
        for index in words.indices { words[index] &= other.words[index] }
    }

    mutating func formUnion(_ other: DayMask) {
        for index in words.indices { words[index] |= other.words[index] }
    }
}
