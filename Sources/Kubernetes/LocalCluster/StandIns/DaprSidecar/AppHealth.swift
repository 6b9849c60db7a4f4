internal import ControllerRuntime
internal import HTTPTypes

/// The health checks of an app that asked for them with `dapr.io/enable-app-health-check` (contract section 2).
public struct AppHealthCheck: Sendable, Hashable {
    public var path = "/healthz"
    public var interval: Duration = .seconds(5)
    public var timeout: Duration = .milliseconds(500)
    /// So many failures in a row make it unhealthy; one success makes it healthy.
    public var threshold = 3

    public init() {}

    /// From the pod's annotations; nil unless it is enabled.
    init?(_ annotations: [String: String]) {
        guard annotations["dapr.io/enable-app-health-check"] == "true" else { return nil }
        func number(_ name: String) -> Int? { annotations["dapr.io/app-health-\(name)"].flatMap { Int($0) } }
        if let path = annotations["dapr.io/app-health-check-path"] { self.path = path }
        if let seconds = number("probe-interval"), seconds > 0 { interval = .seconds(seconds) }
        if let milliseconds = number("probe-timeout"), milliseconds > 0 { timeout = .milliseconds(milliseconds) }
        if let threshold = number("threshold"), threshold > 0 { self.threshold = threshold }
    }

    /// Asks until cancelled, and tells of each change. An app begins as unhealthy.
    func run(_ app: AppChannel, time: any TimeSource, onChange: @Sendable (_ isHealthy: Bool) -> Void) async {
        var isHealthy = false
        var failures = 0
        while !Task.isCancelled {
            let answer = await app.send(.get, path, timeout: timeout)
            failures = (200..<300).contains(answer?.status ?? 0) ? 0 : failures + 1
            if failures == 0 ? !isHealthy : isHealthy && failures >= threshold {
                isHealthy.toggle()
                onChange(isHealthy)
            }
            guard (try? await time.sleep(until: time.now.advanced(by: interval))) != nil else { return }
        }
    }
}
