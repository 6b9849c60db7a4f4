import Concurrency
import ControllerRuntime
import KubernetesClient
import Metrics
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct MetricsTests {
    /// The names that dashboards for controller-runtime and client-go expect.
    static let expected: Set<String> = [
        "controller_runtime_reconcile_total", "controller_runtime_reconcile_errors_total",
        "controller_runtime_terminal_reconcile_errors_total", "controller_runtime_reconcile_time_seconds",
        "controller_runtime_reconcile_timeouts_total", "controller_runtime_active_workers",
        "controller_runtime_max_concurrent_reconciles", "workqueue_depth", "workqueue_adds_total",
        "workqueue_retries_total", "workqueue_queue_duration_seconds", "workqueue_work_duration_seconds",
        "workqueue_unfinished_work_seconds", "workqueue_longest_running_processor_seconds",
        "leader_election_master_status",
    ]

    @Test func metricsHaveTheNamesOfControllerRuntimeAndCountWhatHappened() async throws {
        let registry = Registry()
        MetricsSystem.bootstrap(registry)
        struct Boom: Error {}
        let op = TestOperator(election: .init(namespace: "ns", name: "lock", identity: "metrics"))
        op.intervene { context in
            if context.key.name == "metrics-bad" { throw TerminalError("no") }
            if context.key.name == "metrics-retry", context.attempt == 1 { throw Boom() }
            return nil
        }
        for name in ["metrics-good", "metrics-bad", "metrics-retry"] {
            op.server.put(object(name, ["spec": ["value": "v1"]]))
        }
        try await op.running {
            try await op.advance("all had their passes", limit: .seconds(8), step: .milliseconds(5)) {
                op.value("metrics-good") == "v1" && op.value("metrics-retry") == "v1" && op.passes("metrics-bad") > 0
            }
            await op.pass(.seconds(6))
        }
        #expect(Self.expected.subtracting(registry.names) == [])
        #expect(registry.value("controller_runtime_reconcile_total", "result", "error") >= 2)
        #expect(registry.value("controller_runtime_reconcile_total", "result", "success") >= 2)
        #expect(registry.value("controller_runtime_terminal_reconcile_errors_total", "controller", "app") >= 1)
        #expect(registry.value("workqueue_retries_total", "name", "app") >= 1)
        #expect(registry.value("workqueue_adds_total", "name", "app") >= 3)
    }
}

/// Counts counters and notes the names of the rest.
private final class Registry: MetricsFactory {
    private let counts = Lock<[String: Int64]>([:])
    private let seen = Lock<Set<String>>([])

    var names: Set<String> { seen.withLock { $0 } }

    func value(_ name: String, _ label: String, _ value: String) -> Int64 {
        counts.withLock { counts in
            counts.filter { $0.key.hasPrefix("\(name);") && $0.key.contains(";\(label)=\(value);") }.values.reduce(0, +)
        }
    }

    private func note(_ label: String, _ dimensions: [(String, String)]) -> String {
        seen.withLock { _ = $0.insert(label) }
        return "\(label);" + dimensions.map { "\($0.0)=\($0.1);" }.map { ";" + $0 }.joined()
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let key = note(label, dimensions)
        return Count { [counts] amount in counts.withLock { $0[key, default: 0] += amount } }
    }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        _ = note(label, dimensions)
        return NOOPMetricsHandler.instance
    }
    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        _ = note(label, dimensions)
        return NOOPMetricsHandler.instance
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        _ = note(label, dimensions)
        return NOOPMetricsHandler.instance
    }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}

private final class Count: CounterHandler {
    private let add: @Sendable (Int64) -> Void
    init(_ add: @escaping @Sendable (Int64) -> Void) { self.add = add }
    func increment(by amount: Int64) { add(amount) }
    func reset() {}
}
