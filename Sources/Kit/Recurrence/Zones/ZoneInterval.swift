/// A span of time in which a zone's clocks are not changed.
public struct ZoneInterval: Sendable, Hashable {
    /// The first second, since 1970 in UTC.
    public let start: Int
    /// The first second after it.
    public let end: Int
    /// What the clocks are ahead of UTC, in seconds.
    public let offset: Int
    /// What they were ahead until `start`.
    public let previousOffset: Int

    public func contains(_ instant: Int) -> Bool { instant >= start && instant < end }

    /// The wall times that mean an instant of this span by its own offset. When clocks were set back at its start, the
    /// repeated hour means the first of both, which is in the span before.
    var walls: Range<Int> {
        let low = start + max(offset, previousOffset)
        return low..<max(low, end + offset)
    }

    /// The wall times that were left out when clocks were set forward at `start`; they are read by the offset before.
    var gap: Range<Int> {
        let low = start + previousOffset
        return low..<max(low, start + offset)
    }

    /// Far enough, yet no arithmetic with it overflows.
    static let distantPast = Int.min / 4
    static let distantFuture = Int.max / 4

    /// All of time, in UTC or on a wall without a zone.
    static let always = ZoneInterval(start: distantPast, end: distantFuture, offset: 0, previousOffset: 0)
}
