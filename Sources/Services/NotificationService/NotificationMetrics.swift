internal import Metrics
internal import Telemetry
internal import TodoModel

/// The figures of this service.
struct NotificationMetrics: Sendable {
    private let factory: any MetricsFactory
    private let enqueued: Counter
    private let dead: Counter
    private let malformed: Counter
    private let pendingNow: Gauge
    private let deadNow: Gauge

    init(_ registry: PrometheusRegistry) {
        factory = registry
        enqueued = Counter(label: "todo_deliveries_enqueued_total", factory: registry)
        dead = Counter(label: "todo_deliveries_dead_total", factory: registry)
        malformed = Counter(label: "todo_reminder_events_malformed_total", factory: registry)
        pendingNow = Gauge(label: "todo_deliveries_pending", factory: registry)
        deadNow = Gauge(label: "todo_deliveries_dead", factory: registry)
        registry.describe("todo_delivery_attempt_duration_seconds", "By channel and result of the attempt.")
        registry.describe("todo_deliveries_pending", "To be sent, or between two attempts; of all replicas.")
    }

    func enqueued(_ count: Int) { enqueued.increment(by: count) }
    func died(_ count: Int = 1) { dead.increment(by: count) }
    func wasMalformed() { malformed.increment() }

    func backlog(pending: Int, dead: Int) {
        pendingNow.record(pending)
        deadNow.record(dead)
    }

    /// - Parameter result: one of a few words of ours.
    func attempted(_ kind: NotificationChannel.Kind, _ result: String, taking duration: Duration) {
        Timer(
            label: "todo_delivery_attempt_duration_seconds",
            dimensions: [("channel", kind.rawValue), ("result", result)],
            factory: factory
        ).recordNanoseconds(Int64(duration / .nanoseconds(1)))
    }
}
