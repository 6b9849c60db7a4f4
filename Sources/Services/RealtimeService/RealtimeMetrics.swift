internal import Concurrency
internal import Metrics
internal import Telemetry

/// The figures of this service.
final class RealtimeMetrics: Sendable {
    /// Connections that were upgraded. By its name the operator has the service scaled; it is there from the start, at 0.
    let connections: Meter
    /// From when an event came in to when the last connection of one event loop was written to.
    let fanOut: Timer
    /// From when an event happened to the same.
    let age: Timer
    let eventsDelivered: Counter
    let eventsRepeated: Counter
    let eventsUnreadable: Counter
    /// Events written to connections.
    let framesSent: Counter
    private let factory: any MetricsFactory
    private let counters = Lock<[String: Counter]>([:])

    init(_ registry: PrometheusRegistry) {
        factory = registry
        connections = Meter(label: "realtime_connections", factory: registry)
        fanOut = Timer(label: "realtime_fanout_duration_seconds", factory: registry)
        age = Timer(label: "realtime_event_age_seconds", factory: registry)
        func events(_ result: String) -> Counter {
            Counter(label: "realtime_events_total", dimensions: [("result", result)], factory: registry)
        }
        eventsDelivered = events("delivered")
        eventsRepeated = events("repeated")
        eventsUnreadable = events("unreadable")
        framesSent = Counter(label: "realtime_event_frames_total", factory: registry)
        registry.describe("realtime_connections", "Open WebSockets.")
        registry.describe("realtime_fanout_duration_seconds", "From an event's delivery to its last write.")
        registry.describe("realtime_event_age_seconds", "From what happened to its last write.")
    }

    /// `code` as the server closed it; `client` when the client did, `lost` without a closing handshake.
    func closed(_ code: String) { count("realtime_closes_total", "code", code) }
    func handshake(_ result: String) { count("realtime_handshakes_total", "result", result) }
    func catchUp(_ cause: String) { count("realtime_catch_ups_total", "cause", cause) }

    /// The values are few and our own, never a client's.
    private func count(_ name: String, _ label: String, _ value: String) {
        let counter = counters.withLock { counters in
            let key = "\(name) \(value)"
            if let known = counters[key] { return known }
            let counter = Counter(label: name, dimensions: [(label, value)], factory: factory)
            counters[key] = counter
            return counter
        }
        counter.increment()
    }
}
