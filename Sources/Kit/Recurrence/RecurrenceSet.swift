/// When something happens: a rule from a start on, in a zone or not, with days added and taken away (RFC 5545 section
/// 3.8.5).
///
/// The set ends with the year 9999. Questions about far times are answered by going there, not by walking.
public struct RecurrenceSet: Sendable {
    public let rule: RecurrenceRule
    /// On the wall; makes an instance only when it matches the rule.
    public let start: LocalDateTime
    /// Whether instances are days rather than points in time.
    public let isAllDay: Bool
    /// Nil for whole days, and for times on the wall wherever the person is.
    public let zone: ZoneTable?

    let timeline: Timeline
    /// Instants, ascending.
    let excluded: [Int]
    /// Ascending; none is excluded.
    let added: [Occurrence]

    /// A set of points in time.
    ///
    /// - Parameters:
    ///   - zone: nil: instants are times on the wall.
    ///   - exdates: wall times; those that mean an instant of the set take it away.
    ///   - rdates: wall times that are in the set beside those of the rule.
    /// - Throws: when the rule does not fit such a start.
    public init(
        start: LocalDateTime, zone: ZoneTable?, rule: RecurrenceRule, exdates: [LocalDateTime] = [],
        rdates: [LocalDateTime] = []
    ) throws(RecurrenceError) {
        func instant(_ time: LocalDateTime) -> Int { zone?.instant(of: time) ?? time.seconds }
        try self.init(
            start, zone, isAllDay: false, rule, exdates.map(instant),
            rdates.map { Occurrence(local: $0, instant: instant($0)) })
    }

    /// A set of points in time, without some instants and with others: those that EXDATE and RDATE name in UTC, of which a
    /// wall time that comes twice has two.
    public init(
        start: LocalDateTime, zone: ZoneTable?, rule: RecurrenceRule, excluding instants: [Int], adding others: [Int]
    ) throws(RecurrenceError) {
        try self.init(
            start, zone, isAllDay: false, rule, instants,
            others.map { Occurrence(local: zone?.local(at: $0) ?? LocalDateTime(seconds: $0), instant: $0) })
    }

    /// A set of days. What the rule says of hours, minutes and seconds is ignored (RFC 5545 section 3.3.10).
    public init(
        day: CivilDate, rule: RecurrenceRule, exdates: [CivilDate] = [], rdates: [CivilDate] = []
    ) throws(RecurrenceError) {
        func wall(_ day: CivilDate) -> LocalDateTime { LocalDateTime(date: day) }
        try self.init(
            wall(day), nil, isAllDay: true, rule, exdates.map { wall($0).seconds },
            rdates.map { Occurrence(local: wall($0), instant: wall($0).seconds) })
    }

    private init(
        _ start: LocalDateTime, _ zone: ZoneTable?, isAllDay: Bool, _ rule: RecurrenceRule,
        _ exdates: [Int], _ rdates: [Occurrence]
    ) throws(RecurrenceError) {
        guard CalendarYear.range.contains(start.date.civil.year) else {
            throw RecurrenceError(offset: 0, message: "a start must be in the years 1 to 9999")
        }
        if isAllDay, rule.frequency < .daily {
            throw RecurrenceError(
                offset: 0, message: "FREQ=\(rule.frequency.rawValue) needs a start with a time of day, not a whole day")
        }
        (self.start, self.zone, self.isAllDay, self.rule) = (start, zone, isAllDay, rule)
        timeline = Self.timeline(rule, start, zone, isAllDay: isAllDay)
        let excluded = Set(exdates)
        self.excluded = excluded.sorted()
        added = Dictionary(rdates.map { ($0.instant, $0) }, uniquingKeysWith: { first, _ in first })
            .values.filter { !excluded.contains($0.instant) }.sorted { $0.instant < $1.instant }
    }

    // MARK: - Asking

    /// All instances in order of time, made as they are asked for.
    public var occurrences: Occurrences { Occurrences(self, after: nil) }

    /// The instances after an instant, in order of time.
    ///
    /// - Parameter instant: seconds since 1970; in UTC when the set has a zone, otherwise on the wall.
    public func occurrences(after instant: Int) -> Occurrences { Occurrences(self, after: instant) }

    /// The instances before an instant, the latest first.
    public func occurrences(before instant: Int) -> ReversedOccurrences { ReversedOccurrences(self, before: instant) }

    /// Nil when there is none.
    public func next(after instant: Int) -> Occurrence? {
        guard !(excluded.isEmpty && added.isEmpty) else { return timeline.first(after: instant) }
        var iterator = occurrences(after: instant).makeIterator()
        return iterator.next()
    }

    /// Nil when there is none.
    public func previous(before instant: Int) -> Occurrence? {
        var found = timeline.last(before: instant)
        while let occurrence = found, excludes(occurrence) { found = timeline.last(before: occurrence.instant) }
        let index = added.partition(before: instant)
        guard index > 0 else { return found }
        let extra = added[index - 1]
        return found.map { $0.instant >= extra.instant ? $0 : extra } ?? extra
    }

    public func contains(_ instant: Int) -> Bool { next(after: instant - 1)?.instant == instant }

    /// How many instances there are in a span of instants; counted, not walked, where no clock is set forward.
    public func count(in span: Range<Int>) -> Int {
        let lost = excluded.count { span.contains($0) && timeline.contains($0) }
        let won = added.count { span.contains($0.instant) && !timeline.contains($0.instant) }
        return timeline.count(in: span) - lost + won
    }

    func excludes(_ occurrence: Occurrence) -> Bool {
        let index = excluded.index(ofFirstAtOrAfter: occurrence.instant)
        return index < excluded.count && excluded[index] == occurrence.instant
    }
}

// MARK: - Making

extension RecurrenceSet {
    private static func timeline(
        _ rule: RecurrenceRule, _ start: LocalDateTime, _ zone: ZoneTable?, isAllDay: Bool
    ) -> Timeline {
        let (days, times) = parts(rule, start, isAllDay: isAllDay)
        var end = ZoneInterval.distantFuture - 1
        var count: Int?
        switch rule.end {
        case .never: break
        case .count(let number): count = number
        case .until(let until): end = instant(of: until, zone, isAllDay: isAllDay)
        }
        // No wall is further than that from its instant, wherever it is, and whatever clocks leave out.
        let last = min(CalendarYear.lastWall, end + 2 * secondsPerDay)
        let walls = WallTimes(days: days, times: times, first: start.seconds, last: last, count: count)
        return Timeline(walls: walls, zone: zone, end: end)
    }

    private static func parts(
        _ rule: RecurrenceRule, _ start: LocalDateTime, isAllDay: Bool
    ) -> (RuleDays, DayTimes) {
        if rule.frequency < .daily {
            return (RuleDays(rule, start: start.date, perDay: 1), .stepped(SteppedTimes(rule, start: start)))
        }
        let named = NamedTimes(rule, start: start)
        let times =
            isAllDay
            ? ClockTimes.product(hours: 1, minutes: 1, seconds: 1)
            : .product(hours: named.hours, minutes: named.minutes, seconds: named.seconds)
        let days = RuleDays(rule, start: start.date, perDay: times.count)
        if days.positions.isEmpty { return (days, .fixed(times.picking(rule.positions))) }
        return (days, times.count == 1 ? .fixed(times) : .picked(times, days))
    }

    /// The last instant that is not after it. A date means all of that day in the zone of the start; for a set of days
    /// only the date counts.
    private static func instant(of until: RecurrenceRule.Until, _ zone: ZoneTable?, isAllDay: Bool) -> Int {
        switch until {
        case .utc(let time), .local(let time):
            if isAllDay { return time.date.daysSince1970 * secondsPerDay }
            if case .utc = until { return time.seconds }
            return zone?.instant(of: time) ?? time.seconds
        case .date(let date):
            let next = LocalDateTime(date: CivilDate(daysSince1970: date.daysSince1970 + 1))
            return (zone?.instant(of: next) ?? next.seconds) - 1
        }
    }
}
