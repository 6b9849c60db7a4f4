internal import Metrics
internal import TodoModel
internal import TodoStore

/// What the workers count.
struct WorkerMetrics: Sendable {
    let due: Recorder
    let planned: Counter
    let failures: Counter
    let repaired: Counter
    private let lateness: Timer
    private let onTime: Counter
    private let late: Counter
    private let expired: Counter
    private let held: Counter

    init(factory: any MetricsFactory, labels: [(String, String)]) {
        func counter(_ name: String, _ more: (String, String)...) -> Counter {
            Counter(label: name, dimensions: labels + more, factory: factory)
        }
        due = Recorder(label: "todo_reminders_due", dimensions: labels, aggregate: false, factory: factory)
        planned = counter("todo_reminders_planned_total")
        failures = counter("todo_reminders_failed_total")
        repaired = counter("todo_series_repaired_total")
        lateness = Timer(label: "todo_reminder_lateness_seconds", dimensions: labels, factory: factory)
        onTime = counter("todo_reminders_fired_total", ("late", "false"))
        late = counter("todo_reminders_fired_total", ("late", "true"))
        expired = counter("todo_reminders_expired_total")
        held = counter("todo_reminders_held_total")
    }

    /// - Parameter now: when the claim was known to be committed.
    func record(_ claim: FireStore.Claim, at now: Instant) {
        onTime.increment(by: claim.onTime.count)
        late.increment(by: claim.late)
        expired.increment(by: claim.expired)
        held.increment(by: claim.held)
        for due in claim.onTime {
            lateness.recordNanoseconds(max(0, now.microsecondsSince1970 - due.microsecondsSince1970) * 1000)
        }
    }
}
