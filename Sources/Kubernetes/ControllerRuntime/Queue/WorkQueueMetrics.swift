internal import Metrics

/// The series that client-go exports for a work queue; durations are in seconds.
struct WorkQueueMetrics: Sendable {
    let depth: Gauge
    let adds: Counter
    let retries: Counter
    let queueDuration: Metrics.Timer
    let workDuration: Metrics.Timer
    private let unfinishedWork: Gauge
    private let longestRunning: Gauge

    init(name: String) {
        let labels = [("name", name), ("controller", name)]
        depth = Gauge(label: "workqueue_depth", dimensions: labels)
        adds = Counter(label: "workqueue_adds_total", dimensions: labels)
        retries = Counter(label: "workqueue_retries_total", dimensions: labels)
        queueDuration = Metrics.Timer(label: "workqueue_queue_duration_seconds", dimensions: labels)
        workDuration = Metrics.Timer(label: "workqueue_work_duration_seconds", dimensions: labels)
        unfinishedWork = Gauge(label: "workqueue_unfinished_work_seconds", dimensions: labels)
        longestRunning = Gauge(label: "workqueue_longest_running_processor_seconds", dimensions: labels)
        depth.record(0)
    }

    func setUnfinished(total: Duration, longest: Duration) {
        unfinishedWork.record(total / .seconds(1))
        longestRunning.record(longest / .seconds(1))
    }
}

extension Metrics.Timer {
    func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
