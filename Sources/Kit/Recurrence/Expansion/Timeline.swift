/// One instance of a set.
public struct Occurrence: Sendable, Hashable {
    /// What the rule names: the recurrence id (RFC 5545 section 3.8.4.4). Midnight for a whole day.
    public let local: LocalDateTime
    /// Seconds since 1970: in UTC when the set has a zone; otherwise on the wall, as in `local`.
    public let instant: Int

    public var date: CivilDate { local.date }
}

/// Wall times put in the order of the instants they mean in a zone.
///
/// Both orders are the same but where clocks are set forward: the wall times that are left out mean the same instants as
/// those right after. There two rows of wall times are merged; what means one instant is one instance.
struct Timeline: Sendable {
    let walls: WallTimes
    /// Nil: instants are wall times.
    let zone: ZoneTable?
    /// The last instant that counts.
    let end: Int

    init(walls: WallTimes, zone: ZoneTable?, end: Int = ZoneInterval.distantFuture - 1) {
        self.walls = walls
        self.zone = zone
        self.end = end
    }

    func interval(at instant: Int) -> ZoneInterval { zone?.interval(at: instant) ?? .always }

    func interval(ofWall wall: Int) -> ZoneInterval { zone?.interval(ofWall: wall) ?? .always }

    func first(after instant: Int) -> Occurrence? {
        var cursor = TimelineCursor(self, after: instant)
        return cursor.next()
    }

    func last(before instant: Int) -> Occurrence? {
        guard instant > ZoneInterval.distantPast else { return nil }
        var block = YearBlock()
        let before = min(instant, end + 1)
        var interval = interval(at: before - 1)
        var main = interval.walls.ending(before: before + interval.offset)
        var gap = interval.gap.ending(before: before + interval.previousOffset)
        while true {
            let late = walls.last(in: main, &block).map { Occurrence($0, interval.offset) }
            let early = walls.last(in: gap, &block).map { Occurrence($0, interval.previousOffset) }
            if let late, let early { return late.instant >= early.instant ? late : early }
            if let found = late ?? early { return found }
            let rest = min(main.lowerBound, gap.lowerBound) - 1
            guard let wall = walls.last(atOrBefore: rest, &block) else { return nil }
            interval = self.interval(ofWall: wall)
            (main, gap) = (interval.walls, interval.gap)
        }
    }

    func contains(_ instant: Int) -> Bool { first(after: instant - 1)?.instant == instant }

    /// How many there are in a span of instants.
    func count(in span: Range<Int>) -> Int {
        let span = span.ending(before: end + 1)
        guard !span.isEmpty, walls.first <= walls.last else { return 0 }
        let first = interval(at: max(span.lowerBound, interval(ofWall: walls.first).start))
        let last = interval(at: min(span.upperBound - 1, interval(ofWall: walls.last).end - 1))
        guard first.start <= last.start else { return 0 }
        let head = count(in: span, first)
        if first.start == last.start { return head }
        // Between the first and the last interval every wall time counts; two that are read alike count once.
        let between = first.end + first.offset..<max(first.end + first.offset, last.start + last.previousOffset)
        return head + walls.count(from: between.lowerBound, before: between.upperBound) - twins(in: between)
            + count(in: span, last)
    }

    /// Those of one interval.
    private func count(in span: Range<Int>, _ interval: ZoneInterval) -> Int {
        let main = interval.walls.clamped(to: span.shifted(by: interval.offset))
        let gap = interval.gap.clamped(to: span.shifted(by: interval.previousOffset))
        return walls.count(from: main.lowerBound, before: main.upperBound)
            + walls.count(from: gap.lowerBound, before: gap.upperBound) - twins(in: gap)
    }

    /// How many of some wall times are in a gap, and mean an instant that a wall time after it means too.
    private func twins(in range: Range<Int>) -> Int {
        guard zone != nil, !range.isEmpty else { return 0 }
        var (block, other) = (YearBlock(), YearBlock())
        var count = 0
        var wall = range.lowerBound
        while let found = walls.first(atOrAfter: wall, &block), found < range.upperBound {
            let interval = interval(ofWall: found)
            if interval.gap.contains(found) {
                let twin = found - interval.previousOffset + interval.offset
                if walls.first(atOrAfter: twin, &other) == twin { count += 1 }
                wall = found + 1
            } else {
                wall = interval.walls.upperBound
            }
        }
        return count
    }
}

extension WallTimes {
    fileprivate func last(in range: Range<Int>, _ block: inout YearBlock) -> Int? {
        guard !range.isEmpty, let wall = last(atOrBefore: range.upperBound - 1, &block), wall >= range.lowerBound
        else { return nil }
        return wall
    }
}

extension Range<Int> {
    fileprivate func ending(before end: Int) -> Range { lowerBound..<Swift.max(lowerBound, Swift.min(upperBound, end)) }

    fileprivate func shifted(by offset: Int) -> Range {
        func clamp(_ bound: Int) -> Int {
            Swift.min(Swift.max(bound, ZoneInterval.distantPast), ZoneInterval.distantFuture)
        }
        return clamp(lowerBound) + offset..<clamp(upperBound) + offset
    }
}

extension Occurrence {
    @inline(__always) init(_ wall: Int, _ offset: Int) {
        self.init(local: LocalDateTime(seconds: wall), instant: wall - offset)
    }
}

/// Goes along a timeline.
struct TimelineCursor: Sendable {
    private let timeline: Timeline
    private var block = YearBlock()
    private var interval: ZoneInterval
    /// Wall times of the interval that are read by its own offset end here.
    private var mainEnd: Int
    /// Where to look for the next wall time.
    private var main: Int
    /// The next wall time of the gap at the interval's start.
    private var gap: Int?

    /// At the first of all.
    init(_ timeline: Timeline) {
        self.init(timeline, timeline.interval(ofWall: timeline.walls.first))
        enter(from: timeline.walls.first)
    }

    init(_ timeline: Timeline, after instant: Int) {
        let start = min(max(instant, ZoneInterval.distantPast), ZoneInterval.distantFuture - 2) + 1
        self.init(timeline, timeline.interval(at: start))
        main = max(interval.walls.lowerBound, start + interval.offset)
        gap = firstInGap(from: start + interval.previousOffset)
    }

    private init(_ timeline: Timeline, _ interval: ZoneInterval) {
        self.timeline = timeline
        self.interval = interval
        mainEnd = interval.walls.upperBound
        main = interval.walls.lowerBound
    }

    private mutating func enter(from wall: Int) {
        mainEnd = interval.walls.upperBound
        main = max(wall, interval.walls.lowerBound)
        gap = firstInGap(from: wall)
    }

    private mutating func firstInGap(from wall: Int) -> Int? {
        guard interval.offset > interval.previousOffset, wall < interval.gap.upperBound,
            let found = timeline.walls.first(atOrAfter: max(wall, interval.gap.lowerBound), &block),
            found < interval.gap.upperBound
        else { return nil }
        return found
    }

    mutating func next() -> Occurrence? {
        while true {
            let wall = timeline.walls.first(atOrAfter: main, &block)
            if let gap {
                return merged(wall.map { $0 < mainEnd ? $0 : .max } ?? .max, gap)
            }
            guard let wall else { return nil }
            if wall < mainEnd {
                main = wall + 1
                return bounded(Occurrence(wall, interval.offset))
            }
            interval = timeline.interval(ofWall: wall)
            enter(from: wall)
        }
    }

    /// The earlier of two wall times; the one that clocks show when they mean the same instant.
    private mutating func merged(_ wall: Int, _ early: Int) -> Occurrence? {
        let instant = early - interval.previousOffset
        let takesEarly = wall == .max || instant <= wall - interval.offset
        let takesMain = wall != .max && wall - interval.offset <= instant
        if takesEarly { gap = firstInGap(from: early + 1) }
        if takesMain { main = wall + 1 }
        return bounded(takesMain ? Occurrence(wall, interval.offset) : Occurrence(early, interval.previousOffset))
    }

    @inline(__always) private func bounded(_ occurrence: Occurrence) -> Occurrence? {
        occurrence.instant <= timeline.end ? occurrence : nil
    }
}
