/// Small sets of numbers as the bits of one word.
extension UInt64 {
    @inline(__always) func has(_ bit: Int) -> Bool { self >> UInt64(truncatingIfNeeded: bit) & 1 == 1 }

    /// The least member that is `bit` or above it.
    @inline(__always) func first(atOrAfter bit: Int) -> Int? {
        let rest = self.droppingBelow(bit)
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }

    /// The greatest member that is `bit` or below it.
    @inline(__always) func last(atOrBefore bit: Int) -> Int? {
        let rest = self & Self.below(bit + 1)
        return rest == 0 ? nil : 63 - rest.leadingZeroBitCount
    }

    /// How many members are below `bit`.
    @inline(__always) func count(below bit: Int) -> Int { (self & Self.below(bit)).nonzeroBitCount }

    @inline(__always) func droppingBelow(_ bit: Int) -> UInt64 { self & ~Self.below(bit) }

    /// The member that has `index` members below it; `index` is below the count.
    func member(at index: Int) -> Int {
        var rest = self
        for _ in 0..<index { rest &= rest &- 1 }
        return rest.trailingZeroBitCount
    }

    /// All numbers from 0 up to, not including, `bit`.
    @inline(__always) static func below(_ bit: Int) -> UInt64 {
        bit >= 64 ? .max : (1 << UInt64(Swift.max(bit, 0))) - 1
    }

    init(members: some Sequence<Int>) {
        self = 0
        for member in members { self |= 1 << UInt64(member) }
    }
}
