internal import Concurrency
internal import ControllerRuntime
internal import Metrics
internal import TodoResources

/// Which apps are ready, as series that an alert can look at: `todo_app_ready`, 1 or 0. There is none of an app that is gone,
/// or suspended, of which nobody knows.
final class ReadyGauges: Sendable {
    private let factory: any MetricsFactory
    private let gauges = Lock<[ObjectKey: Gauge]>([:])

    init(_ factory: any MetricsFactory) { self.factory = factory }

    /// - Parameter ready: the status of the app's condition `Ready`.
    func note(_ ready: Condition.Status, of app: ObjectKey) {
        guard ready != .unknown else { return forget(app) }
        let gauge = gauges.withLock { gauges in
            let gauge =
                gauges[app]
                ?? Gauge(
                    label: "todo_app_ready", dimensions: [("namespace", app.namespace ?? ""), ("app", app.name)],
                    factory: factory)
            gauges[app] = gauge
            return gauge
        }
        gauge.record(ready == .yes ? 1 : 0)
    }

    func forget(_ app: ObjectKey) { gauges.withLock { $0.removeValue(forKey: app) }?.destroy() }
}
