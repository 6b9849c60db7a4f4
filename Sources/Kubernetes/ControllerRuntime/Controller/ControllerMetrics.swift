internal import Metrics

/// The series that controller-runtime exports for a controller.
struct ControllerMetrics: Sendable {
    enum Result: String, CaseIterable {
        case success
        case requeueAfter = "requeue_after"
        case error
    }

    private let total: [Result: Counter]
    let errors: Counter
    let terminalErrors: Counter
    let timeouts: Counter
    let duration: Metrics.Timer
    let activeWorkers: Meter
    private let maximum: Gauge

    init(controller: String, workers: Int) {
        let labels = [("controller", controller)]
        func counter(_ name: String) -> Counter { Counter(label: "controller_runtime_\(name)", dimensions: labels) }
        total = Dictionary(
            uniqueKeysWithValues: Result.allCases.map { result in
                let labels = labels + [("result", result.rawValue)]
                return (result, Counter(label: "controller_runtime_reconcile_total", dimensions: labels))
            })
        errors = counter("reconcile_errors_total")
        terminalErrors = counter("terminal_reconcile_errors_total")
        timeouts = counter("reconcile_timeouts_total")
        duration = Metrics.Timer(label: "controller_runtime_reconcile_time_seconds", dimensions: labels)
        activeWorkers = Meter(label: "controller_runtime_active_workers", dimensions: labels)
        maximum = Gauge(label: "controller_runtime_max_concurrent_reconciles", dimensions: labels)
        activeWorkers.set(0)
        maximum.record(workers)
    }

    func count(_ result: Result) { total[result]?.increment() }
}
