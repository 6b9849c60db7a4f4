public import FoundationEssentials

/// A rule of the house: when the owners of some tasks are reminded of them. One is made of each ReminderSchedule.
public struct ReminderPolicy: Sendable, Hashable, Identifiable {
    public enum Schedule: Sendable, Hashable {
        /// So many minutes before each task is due; whole days are days of the calendar.
        case offsets([Int])
        /// One reminder of all tasks that the selector finds at that moment, whenever the text (cron or RRULE) says so;
        /// in each person's own zone when none is named.
        case digest(String, zone: String?)
    }

    /// The uid of the object that it was made of.
    public var id: UUID
    public var namespace: String
    public var name: String
    public var schedule: Schedule
    /// In the query language, read in the calendar of each owner.
    public var selector: String
    /// Empty: all that the person has.
    public var channels: [ReminderChannel]
    /// Besides those of the person.
    public var quietHours: QuietHours?
    public var catchUp: CatchUp
    public var isSuspended: Bool
    /// Of the object.
    public var generation: Int

    public init(
        id: UUID, namespace: String, name: String, schedule: Schedule, selector: String = "",
        channels: [ReminderChannel] = [], quietHours: QuietHours? = nil, catchUp: CatchUp = CatchUp(),
        isSuspended: Bool = false, generation: Int = 1
    ) {
        self.id = id
        self.namespace = namespace
        self.name = name
        self.schedule = schedule
        self.selector = selector
        self.channels = channels
        self.quietHours = quietHours
        self.catchUp = catchUp
        self.isSuspended = isSuspended
        self.generation = generation
    }

    public enum Limits {
        public static let offsets = 20
    }

    /// Throws all that is wrong, by field: `schedule` and `selector` with the position in them, `catchUp`.
    /// A digest must be due some time after `now`.
    public func validate(at now: Instant = .now()) throws(ValidationError) {
        var problems: [ValidationError.Field] = []
        do {
            let query = try TaskQuery(parsing: selector)
            // It is planned when a task is written, not when time goes by.
            if case .offsets = schedule, query.filter.mentions(\.moves) {
                problems.append(
                    .init("selector", "cannot depend on today's date beside offsets: name days as in 2026-01-31"))
            }
        } catch {
            problems.append(.init("selector", "\(error)"))
        }
        if case .offsets(let offsets) = schedule {
            if offsets.isEmpty || offsets.count > Limits.offsets {
                problems.append(.init("schedule", "needs 1 to \(Limits.offsets) offsets"))
            }
            if let wrong = offsets.first(where: { !(0...Reminder.Limits.offset).contains($0) }) {
                problems.append(
                    .init("schedule", "\(wrong) minutes before is not from 0 to \(Reminder.Limits.offset)"))
            }
        }
        if case .digest(let text, let zone) = schedule {
            do {
                let digest = try DigestSchedule(text)
                if digest.isTooFrequent {
                    problems.append(.init("schedule", "is due more often than once a minute"))
                }
                if let reason = digest.whyNeverDue(after: now) { problems.append(.init("schedule", reason)) }
            } catch {
                problems.append(.init("schedule", "\(error)"))
            }
            if let zone, !ZoneName.isKnown(zone) {
                problems.append(.init("schedule", "\(zone) is no IANA time zone, such as Europe/Berlin"))
            }
        }
        if !CatchUp.windows.contains(catchUp.window) {
            problems.append(.init("catchUp", "needs a window of one minute to one year"))
        }
        if !problems.isEmpty { throw ValidationError(problems) }
    }
}

extension TaskTerm {
    /// Whether it is true of a task today and false tomorrow, though nobody wrote the task.
    fileprivate var moves: Bool {
        switch self {
        case .overdue: true
        case .date(_, .compared(_, let date)): date.moves
        case .date(_, .between(let first, let last)): first.moves || last.moves
        default: false
        }
    }
}

extension TaskDate {
    fileprivate var moves: Bool { if case .day = self { false } else { true } }
}

/// What becomes of reminders that were missed while nothing ran.
public struct CatchUp: Sendable, Hashable {
    public enum Policy: String, Sendable, Hashable, CaseIterable {
        /// Each fires once, marked late.
        case all
        /// Of several for one task the last one fires; the others expire.
        case latest
        /// All expire.
        case none
    }

    public static let windows = Duration.seconds(60)...Duration.seconds(366 * 86_400)

    /// What was missed for longer expires, whatever the policy.
    public var window: Duration
    public var policy: Policy

    public init(window: Duration = .seconds(86_400), policy: Policy = .all) {
        self.window = window
        self.policy = policy
    }

    /// Of people's own reminders: what somebody asked for they shall hear.
    public static let people = CatchUp(window: .seconds(7 * 86_400), policy: .all)

    /// How far back digests are looked for that were missed: those before the window are listed as expired, of a week.
    public var digestWindow: Duration { max(window, .seconds(7 * 86_400)) }
}
