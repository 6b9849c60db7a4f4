internal import TodoModel
internal import TodoResources
internal import TodoStore

/// What a reconcile found out about a schedule.
enum ScheduleObservation: Sendable {
    /// It cannot be honoured as it is. The last policy that could be goes on.
    case refused(ConditionReason, String)
    /// Something else has to be there first.
    case waiting(ConditionReason, String)
    case kept(PolicyStore.Status, isSuspended: Bool)
}

/// Status as a function of what was observed.
enum ScheduleStatusRules {
    /// - Parameter now: RFC 3339 with whole seconds.
    static func status(
        after previous: ReminderSchedule.Status?, generation: Int, seeing observation: ScheduleObservation, now: String
    ) -> ReminderSchedule.Status {
        var status = previous ?? ReminderSchedule.Status()
        var conditions = ConditionSet(previous: previous?.conditions ?? [], generation: generation, now: now)
        status.observedGeneration = generation
        switch observation {
        case .refused(let reason, let message): conditions.stall(reason, message)
        case .waiting(let reason, let message): conditions.wait(reason, message)
        case .kept(let outcome, let isSuspended):
            count(outcome, in: &status)
            if outcome.isPlanning {
                conditions.wait(.progressing, "reminders are being planned")
            } else {
                conditions.settle(
                    isSuspended ? .suspended : .scheduled,
                    isSuspended ? "spec.suspend is true: nothing fires" : "reminders fire as they are planned")
            }
        }
        status.conditions = conditions.all
        return status
    }

    private static func count(_ outcome: PolicyStore.Status, in status: inout ReminderSchedule.Status) {
        status.planned = outcome.planned
        status.fired = outcome.fired
        status.delivered = outcome.delivered
        status.failed = outcome.failed
        status.expired = outcome.expired
        status.nextFireTime = outcome.nextFire.map(wholeSeconds)
        status.lastFireTime = outcome.lastFire.map(wholeSeconds)
        status.latenessP99Milliseconds = outcome.latenessP99.map { Int($0 / .milliseconds(1)) }
    }

    /// As Kubernetes writes times.
    private static func wholeSeconds(_ instant: Instant) -> String { "\(instant.text.prefix(19))Z" }
}
