/// When a digest is due, in wall time: a cron expression, or an RRULE (`FREQ=…`).
///
/// A rule is counted from the first Monday of 2024, so that every second week is the same one for everybody.
public struct DigestSchedule: Sendable {
    private enum Calendar: Sendable {
        case cron(CronExpression)
        case rule(RecurrenceSet)
    }

    private let calendar: Calendar
    private static let start = LocalDateTime(seconds: 1_704_067_200)

    /// - Throws: what is wrong, where, and what is allowed.
    public init(_ text: String) throws(RecurrenceError) {
        if text.uppercased().contains("FREQ=") {
            calendar = .rule(try RecurrenceSet(start: Self.start, zone: nil, rule: RecurrenceRule(text)))
        } else {
            calendar = .cron(try CronExpression(text))
        }
    }

    /// The first time after `time`; nil when there is none.
    public func next(after time: LocalDateTime) -> LocalDateTime? {
        switch calendar {
        case .cron(let expression): expression.next(after: time.seconds, in: nil).map { LocalDateTime(seconds: $0) }
        case .rule(let set): set.next(after: time.seconds)?.local
        }
    }

    /// The times around `now`, so that everybody's next one is among them, wherever they are, and those of the last
    /// `window`: from a day and a bit before that in UTC to the first one that is later than a day and a bit after now.
    /// Where these are too many, the first ones are left out.
    public func times(around now: Instant, and window: Duration = .zero) -> [LocalDateTime] {
        let second = Int(now.microsecondsSince1970 / 1_000_000)
        let end = LocalDateTime(seconds: second + Self.margin)
        var last = LocalDateTime(seconds: second - Self.margin - Int(window / .seconds(1)))
        var times: [LocalDateTime] = []
        while last <= end, let time = next(after: last) {
            if times.count == 2 * Self.limit { times.removeFirst(Self.limit) }
            times.append(time)
            last = time
        }
        return Array(times.suffix(Self.limit))
    }

    /// Whether it is due more than once a minute.
    var isTooFrequent: Bool {
        var last = next(after: Self.start)
        for _ in 0..<3 {
            guard let time = last, let following = next(after: time) else { return false }
            if following.seconds - time.seconds < 60 { return true }
            last = following
        }
        return false
    }

    /// Why it is not due after `now`, in any zone; nil when it is.
    func whyNeverDue(after now: Instant) -> String? {
        let second = Int(now.microsecondsSince1970 / 1_000_000)
        guard next(after: LocalDateTime(seconds: second - Self.margin)) == nil else { return nil }
        guard next(after: LocalDateTime(seconds: Self.start.seconds - 1)) == nil else {
            return "is not due any more: it is counted from 2024-01-01; leave COUNT out, or name a later UNTIL"
        }
        return "is never due: there is no such day, as there is no 30 February; name one that there is"
    }

    /// No zone is farther from UTC.
    private static let margin = 26 * 3600
    /// One for every minute of that and of a day before, and some more.
    private static let limit = 4700
}
