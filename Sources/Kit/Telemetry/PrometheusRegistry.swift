internal import Concurrency
public import Metrics

/// A swift-metrics back end that keeps every series in memory and prints them in the Prometheus text format 0.0.4.
///
/// Counters become `counter`, meters and non-aggregating recorders `gauge`, timers and aggregating recorders
/// `histogram`. Timers are in seconds, whatever unit they were recorded in. Labels that Prometheus does not allow in names are
/// replaced by `_`. A name used with two kinds keeps the first; the second is counted in
/// `telemetry_metric_kind_conflicts_total` and not printed.
public final class PrometheusRegistry: MetricsFactory {
    /// Upper bounds in seconds for timers: from 0.5 ms to a minute.
    public static let defaultTimerBuckets: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    private struct State {
        var families: [String: MetricFamily] = [:]
        var help: [String: String] = [:]
        var collectors: [@Sendable () -> Void] = []
    }

    private let state = Lock(State())
    private let timerBuckets: [Double]
    private let recorderBuckets: [Double]

    public init(
        timerBuckets: [Double] = PrometheusRegistry.defaultTimerBuckets,
        recorderBuckets: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]
    ) {
        self.timerBuckets = timerBuckets
        self.recorderBuckets = recorderBuckets
    }

    /// The text behind `# HELP` of `metric`.
    public func describe(_ metric: String, _ help: String) {
        state.withLock { $0.help[MetricName.sanitized(metric)] = help }
    }

    /// `collect` runs before each rendering, to set gauges that are read rather than counted.
    public func onCollect(_ collect: @escaping @Sendable () -> Void) {
        state.withLock { $0.collectors.append(collect) }
    }

    /// All series, sorted by name and labels.
    public func render() -> String {
        let collectors = state.withLock { $0.collectors }
        for collect in collectors { collect() }
        let (families, help) = state.withLock { ($0.families, $0.help) }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            if let help = help[name] { text += "# HELP \(name) \(help)\n" }
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                Self.append(series, name: name, labels: labels, kind: family.kind, to: &text)
            }
        }
        return text
    }

    private static func append(
        _ series: Series, name: String, labels: LabelSet, kind: MetricKind, to text: inout String
    ) {
        let value = series.snapshot()
        guard kind == .histogram else {
            text += "\(name)\(labels.braced) \(number(value.number))\n"
            return
        }
        var cumulative = 0
        for (bound, count) in zip(series.bounds, value.bucketCounts) {
            cumulative += count
            text += "\(name)_bucket\(labels.with("le", number(bound))) \(cumulative)\n"
        }
        text += "\(name)_bucket\(labels.with("le", "+Inf")) \(value.count)\n"
        text += "\(name)_sum\(labels.braced) \(number(value.sum))\n"
        text += "\(name)_count\(labels.braced) \(value.count)\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int(exactly: value).map(String.init) ?? "\(value)"
    }

    func series(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricKind, _ bounds: [Double] = []
    ) -> Series {
        let name = MetricName.sanitized(label)
        let labels = LabelSet(dimensions)
        return state.withLock { state -> Series in
            guard state.families[name, default: MetricFamily(kind: kind)].kind == kind else {
                let conflicts = "telemetry_metric_kind_conflicts_total"
                let counted = state.families[conflicts]?.series[LabelSet([])] ?? Series(bounds: [])
                state.families[conflicts, default: MetricFamily(kind: .counter)].series[LabelSet([])] = counted
                counted.add(1)
                return Series(bounds: bounds)
            }
            if let known = state.families[name]?.series[labels] { return known }
            let new = Series(bounds: bounds)
            state.families[name, default: MetricFamily(kind: kind)].series[labels] = new
            return new
        }
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        CounterSeries(series: series(label, dimensions, .counter))
    }
    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        FloatingPointCounterSeries(series: series(label, dimensions, .counter))
    }
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        GaugeSeries(series: series(label, dimensions, .gauge))
    }
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate
            ? HistogramSeries(series: series(label, dimensions, .histogram, recorderBuckets))
            : GaugeSeries(series: series(label, dimensions, .gauge))
    }
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        HistogramSeries(series: series(label, dimensions, .histogram, timerBuckets))
    }

    // What counts stays once it has been seen: Prometheus reads a series that vanishes as stale, and one that returns at
    // zero as a restart. A gauge is of something that may be gone.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) { forget(handler as? GaugeSeries) }
    public func destroyRecorder(_ handler: any RecorderHandler) { forget(handler as? GaugeSeries) }
    public func destroyTimer(_ handler: any TimerHandler) {}

    private func forget(_ gauge: GaugeSeries?) {
        guard let gauge else { return }
        state.withLock { state in
            for (name, family) in state.families where family.kind == .gauge {
                guard let labels = family.series.first(where: { $0.value === gauge.series })?.key else { continue }
                state.families[name]?.series[labels] = nil
            }
        }
    }
}

private final class CounterSeries: CounterHandler {
    let series: Series
    init(series: Series) { self.series = series }
    func increment(by amount: Int64) { series.add(Double(amount)) }
    func reset() { series.set(0) }
}

private final class FloatingPointCounterSeries: FloatingPointCounterHandler {
    let series: Series
    init(series: Series) { self.series = series }
    func increment(by amount: Double) { series.add(amount) }
    func reset() { series.set(0) }
}

private final class GaugeSeries: MeterHandler, RecorderHandler {
    let series: Series
    init(series: Series) { self.series = series }
    func set(_ value: Int64) { series.set(Double(value)) }
    func set(_ value: Double) { series.set(value) }
    func increment(by amount: Double) { series.add(amount) }
    func decrement(by amount: Double) { series.add(-amount) }
    func record(_ value: Int64) { series.set(Double(value)) }
    func record(_ value: Double) { series.set(value) }
}

private final class HistogramSeries: RecorderHandler, TimerHandler {
    let series: Series
    init(series: Series) { self.series = series }
    func record(_ value: Int64) { series.observe(Double(value)) }
    func record(_ value: Double) { series.observe(value) }
    func recordNanoseconds(_ duration: Int64) { series.observe(Double(duration) / 1_000_000_000) }
}
