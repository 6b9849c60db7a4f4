public import Recurrence

extension Series {
    /// The instance after this one, and when it is due; nil when the series is over.
    ///
    /// - Parameters:
    ///   - now: when this instance was done.
    ///   - zone: where the person is; for days, and times without a zone.
    public func next(at now: Instant, zone: ZoneTable) -> Series? {
        let clock = start.zone.flatMap(ZoneTable.named) ?? zone
        let seconds = Int((now.microsecondsSince1970 - now.microsecondsSince1970.modulo(1_000_000)) / 1_000_000)
        let wall = clock.local(at: seconds)
        guard let found = basis == .due ? nextByDue(seconds, wall, clock) : nextByCompletion(wall) else { return nil }
        guard found.date.civil.year <= Self.lastYear else { return nil }
        var next = self
        next.occurrence = found
        next.number += 1
        return next
    }

    /// When this instance is due by the rule.
    public var due: Due {
        Due(date: occurrence.date, time: start.time == nil ? nil : occurrence.time, zone: start.zone)
    }

    /// The set by which instances follow each other; nil when the rule does not fit the start.
    public var set: RecurrenceSet? { Self.set(countedRule, start, start.wall, exdates) }

    /// The rule of the set: the first instance is one of COUNT, whether the rule names its time or not (RFC 5545 section
    /// 3.3.10).
    public var countedRule: RecurrenceRule {
        guard case .count(let count) = rule.end,
            Self.set(rule, start, start.wall, [])?.contains(instant(start.wall)) == false
        else { return rule }
        var others = rule
        others.end = count > 1 ? .count(count - 1) : .until(.local(start.wall))
        return others
    }

    /// The next ones after this instance, at most so many, as if each were done in time.
    public func following(_ limit: Int) -> [LocalDateTime] {
        guard basis == .due else {
            var found: [LocalDateTime] = []
            var series = self
            while found.count < limit, let next = series.nextByCompletion(series.occurrence) {
                found.append(next)
                series.occurrence = next
                series.number += 1
            }
            return found
        }
        return set.map { set in set.occurrences(after: instant(occurrence)).prefix(limit).map(\.local) } ?? []
    }

    /// What a day of a series may be.
    private static let lastYear = 2999

    private static func set(
        _ rule: RecurrenceRule, _ due: Due, _ start: LocalDateTime, _ exdates: [LocalDateTime]
    ) -> RecurrenceSet? {
        guard due.time != nil else {
            return try? RecurrenceSet(day: start.date, rule: rule, exdates: exdates.map(\.date))
        }
        return try? RecurrenceSet(
            start: start, zone: due.zone.flatMap(ZoneTable.named), rule: rule, exdates: exdates)
    }

    /// As the set counts: in UTC when there is a zone, on the wall otherwise.
    private func instant(_ wall: LocalDateTime) -> Int {
        start.zone.flatMap(ZoneTable.named)?.instant(of: wall) ?? wall.seconds
    }

    private func nextByDue(_ now: Int, _ wall: LocalDateTime, _ clock: ZoneTable) -> LocalDateTime? {
        guard let set else { return nil }
        let here = instant(occurrence)
        // What is before that is missed; a day is not before it is over.
        let present =
            start.time == nil ? LocalDateTime(date: wall.date).seconds : start.zone == nil ? wall.seconds : now
        switch overdue {
        case .next: return set.next(after: max(here, present - 1))?.local
        case .one:
            if let missed = set.previous(before: present), missed.instant > here { return missed.local }
            return set.next(after: here)?.local
        case .all:
            var oldest: Occurrence?
            for _ in 0..<overdueLimit {
                guard let missed = set.previous(before: oldest?.instant ?? present), missed.instant > here else {
                    break
                }
                oldest = missed
            }
            return (oldest ?? set.next(after: here))?.local
        }
    }

    private func nextByCompletion(_ wall: LocalDateTime) -> LocalDateTime? {
        var rule = rule
        if case .count(let count) = rule.end {
            guard number < count else { return nil }
            rule.end = .never
        }
        // Days are counted at the usual time of day; hours and less from when it was done, to the minute.
        let begin =
            rule.frequency < .daily
            ? LocalDateTime(date: wall.date, time: wall.time)
            : LocalDateTime(date: wall.date, time: start.time ?? .midnight)
        // Done early, this instance itself would be the next.
        return Self.set(rule, start, begin, exdates)?.next(after: max(instant(begin), instant(occurrence)))?.local
    }

    /// What is left of the COUNT of the rule from this instance on, when it counts by the rule: left out is used up.
    func left(of count: Int) -> Int {
        let (first, here, counted) = (instant(start.wall), instant(occurrence), countedRule)
        let before = first < here ? Self.set(counted, start, start.wall, [])?.count(in: first..<here) : nil
        return max(1, count - (before.map { counted == rule ? $0 : $0 + 1 } ?? number - 1))
    }
}

extension Int64 {
    fileprivate func modulo(_ divisor: Int64) -> Int64 {
        let rest = self % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
