internal import Glibc
public import Logging
internal import Metrics

/// Logs and metrics of one process.
public enum Telemetry {
    public enum LogFormat: String, Sendable, CaseIterable { case json, text }

    /// Sets the process-wide log and metrics back ends; call it once, first thing in `main`.
    @discardableResult
    public static func bootstrap(level: Logger.Level = .info, format: LogFormat = .json) -> PrometheusRegistry {
        LoggingSystem.bootstrap { LineLogHandler(label: $0, level: level, format: format) }
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        ProcessMetrics.register(in: registry)
        return registry
    }

    /// `text` when standard error is a terminal, else `json`.
    public static var defaultLogFormat: LogFormat { isatty(STDERR_FILENO) == 1 ? .text : .json }
}
