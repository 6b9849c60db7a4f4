internal import KubernetesClient
internal import Logging
internal import Metrics

/// Series about one informer.
struct InformerMetrics: Sendable {
    let objects: Gauge
    let lists: Counter
    private let failures: Counter
    private let muted: Counter
    private let skipped: Counter

    init(_ type: ResourceType) {
        let labels = [("kind", type.kind), ("group", type.group)]
        objects = Gauge(label: "reflector_objects", dimensions: labels)
        lists = Counter(label: "reflector_lists_total", dimensions: labels)
        failures = Counter(label: "reflector_failures_total", dimensions: labels)
        muted = Counter(label: "reflector_mute_connections_total", dimensions: labels)
        skipped = Counter(label: "reflector_skipped_objects_total", dimensions: labels)
    }

    func count(_ problem: WatchProblem) {
        switch problem {
        case .listFailed, .watchFailed: failures.increment()
        case .mute: muted.increment()
        case .undecodable: skipped.increment()
        }
    }
}

extension WatchProblem {
    /// An expired version and a broken connection are daily business.
    var level: Logger.Level {
        switch self {
        case .listFailed(.expired), .watchFailed(.expired), .watchFailed(.other): .info
        case .listFailed, .watchFailed, .mute, .undecodable: .warning
        }
    }
}
