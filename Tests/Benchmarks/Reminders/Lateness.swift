import Concurrency
import Metrics

/// Keeps every lateness that the workers record, and nothing else.
final class Lateness: MetricsFactory, TimerHandler, CounterHandler, RecorderHandler, MeterHandler,
    FloatingPointCounterHandler
{
    private let recorded = Lock<[Duration]>([])

    var count: Int { recorded.withLock { $0.count } }

    /// All since the last time, sorted.
    func take() -> [Duration] {
        recorded.withLock { recorded in
            defer { recorded = [] }
            return recorded.sorted()
        }
    }

    func recordNanoseconds(_ duration: Int64) { recorded.withLock { $0.append(.nanoseconds(duration)) } }
    func increment(by amount: Int64) {}
    func increment(by amount: Double) {}
    func reset() {}
    func record(_ value: Int64) {}
    func record(_ value: Double) {}
    func set(_ value: Int64) {}
    func set(_ value: Double) {}
    func decrement(by amount: Double) {}

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { self }
    func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        self
    }
    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { self }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler { self }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { self }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}
