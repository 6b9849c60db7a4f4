internal import FoundationEssentials
internal import Recurrence
internal import TodoModel
internal import TodoResources

/// Why a schedule cannot be honoured; the message says where the mistake is and what is allowed.
struct ScheduleProblem: Error {
    let reason: ConditionReason
    let message: String
}

extension ReminderPolicy {
    /// What a schedule asks for. The schema has been checked; this reads what only the platform understands.
    init(_ schedule: ReminderSchedule, uid: String) throws(ScheduleProblem) {
        guard let id = UUID(uuidString: uid) else {
            throw ScheduleProblem(reason: .invalidSpec, message: "metadata.uid is not a UUID")
        }
        let spec = schedule.spec
        self.init(
            id: id, namespace: schedule.metadata.namespace, name: schedule.metadata.name,
            schedule: try Self.schedule(spec.schedule), selector: spec.selector ?? "",
            channels: spec.channels.map(\.channel).sorted { $0.rawValue < $1.rawValue },
            quietHours: try spec.quietHours.map(Self.quietHours), catchUp: try Self.catchUp(spec.catchUp),
            isSuspended: spec.suspend, generation: schedule.metadata.generation ?? 1)
        do { try validate() } catch {
            let isSelector = error.fields.contains { $0.field == "selector" }
            throw ScheduleProblem(reason: isSelector ? .invalidSelector : .invalidSchedule, message: "spec.\(error)")
        }
    }

    private static func schedule(_ spec: ReminderSchedule.Schedule) throws(ScheduleProblem) -> Schedule {
        if let zone = spec.timeZone, !ZoneName.isKnown(zone) {
            throw ScheduleProblem(
                reason: .invalidSchedule,
                message:
                    "spec.schedule.timeZone: \(zone) is not in the time zone database; name one such as Europe/Berlin")
        }
        if let cron = spec.cron {
            try check("cron") { () throws(RecurrenceError) in _ = try CronExpression(cron) }
            return .digest(cron, zone: spec.timeZone)
        }
        if let rule = spec.rrule {
            try check("rrule") { () throws(RecurrenceError) in _ = try RecurrenceRule(rule) }
            return .digest(rule, zone: spec.timeZone)
        }
        return .offsets(Set(try minutes(spec.offsets ?? [])).sorted())
    }

    private static func minutes(_ offsets: [String]) throws(ScheduleProblem) -> [Int] {
        var minutes: [Int] = []
        for (number, text) in offsets.enumerated() {
            minutes.append(try self.minutes(text, "schedule.offsets[\(number)]"))
        }
        return minutes
    }

    private static func minutes(_ text: String, _ field: String) throws(ScheduleProblem) -> Int {
        do { return try CalendarDuration(text).nominalSeconds / 60 } catch {
            throw ScheduleProblem(reason: .invalidSchedule, message: "spec.\(field): \(error)")
        }
    }

    private static func check(
        _ field: String, _ read: () throws(RecurrenceError) -> Void
    ) throws(ScheduleProblem) {
        do { try read() } catch {
            throw ScheduleProblem(reason: .invalidSchedule, message: "spec.schedule.\(field): \(error)")
        }
    }

    private static func quietHours(_ spec: ReminderSchedule.QuietHours) throws(ScheduleProblem) -> QuietHours {
        guard let from = TimeOfDay(spec.from), let to = TimeOfDay(spec.to),
            let hours = QuietHours(from: from, to: to, policy: spec.policy == .drop ? .drop : .deliverAfter)
        else {
            throw ScheduleProblem(
                reason: .invalidSpec, message: "spec.quietHours: from and to must be two times of a day, such as 22:00")
        }
        return hours
    }

    private static func catchUp(_ spec: ReminderSchedule.CatchUp) throws(ScheduleProblem) -> CatchUp {
        CatchUp(window: .seconds(60 * (try minutes(spec.window, "catchUp.window"))), policy: spec.policy.policy)
    }
}

extension ReminderSchedule.Channel {
    fileprivate var channel: ReminderChannel {
        switch self {
        case .inApp: .inApp
        case .email: .email
        case .webhook: .webhook
        }
    }
}

extension ReminderSchedule.CatchUpPolicy {
    fileprivate var policy: CatchUp.Policy {
        switch self {
        case .all: .all
        case .latest: .latest
        case .none: .none
        }
    }
}
