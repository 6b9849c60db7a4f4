internal import KubernetesClient
internal import StructuredData

/// Something that a person reading `kubectl describe` should know.
public struct EventNote: Sendable, Hashable {
    public enum Severity: String, Sendable, Hashable {
        case normal = "Normal"
        case warning = "Warning"
    }

    public var severity: Severity
    /// Why, as a CamelCase constant: `DatabaseUnreachable`.
    public var reason: String
    /// What was being done, as a CamelCase constant: `Apply`.
    public var action: String
    /// In words; cut at 1024 bytes.
    public var text: String

    public init(_ severity: Severity, reason: String, action: String, _ text: String) {
        self.severity = severity
        self.reason = reason
        self.action = action
        self.text = text
    }
}

/// Makes `events.k8s.io/v1` Events out of notes, without clock and I/O: the first of a kind is created; repetitions
/// are counted in its series, sent every half minute. An object gets at most 25 new Events at once and then one each
/// five minutes; what is over that is dropped.
struct EventAggregator: Sendable {
    struct Configuration: Sendable {
        var burst = 25
        var perSecond = 1.0 / 300
        /// How often a series that grows is sent.
        var interval: Duration = .seconds(30)
        /// A series ends when it has not grown for so long.
        var idleLimit: Duration = .seconds(360)
        var maximumSeries = 4096
        init() {}
    }

    struct Request: Sendable, Equatable {
        enum Action: Sendable, Equatable {
            case create(KubernetesObject)
            case update(count: Int, lastObserved: KubernetesTime)
        }

        fileprivate let kind: Kind
        let event: ObjectKey
        let action: Action
    }

    fileprivate struct Kind: Hashable {
        let uid: String
        let object: ObjectKey
        let note: EventNote

        var bucket: String { uid.isEmpty ? object.description : uid }
    }

    private struct Series {
        let event: ObjectKey
        var count = 1
        var sent = 1
        var lastObserved: KubernetesTime
        var lastSeen: Instant
        var lastSent: Instant
    }

    private let controller: String
    private let instance: String
    private let configuration: Configuration
    private var series: [Kind: Series] = [:]
    private var buckets: [String: TokenBucket] = [:]

    init(controller: String, instance: String, configuration: Configuration = Configuration()) {
        self.controller = controller
        self.instance = instance
        self.configuration = configuration
    }

    /// The request for this note, if it wants one now.
    mutating func add(
        _ note: EventNote, about object: KubernetesObject, now: Instant, wallClock: KubernetesTime
    ) -> Request? {
        let kind = Kind(uid: object.uid, object: ObjectKey(object), note: note)
        if var known = series[kind], now - known.lastSeen <= configuration.idleLimit {
            known.count += 1
            known.lastObserved = wallClock
            known.lastSeen = now
            series[kind] = known
            return nil
        }
        let fresh = TokenBucket(perSecond: configuration.perSecond, burst: configuration.burst)
        guard buckets[kind.bucket, default: fresh].take(now) else { return nil }
        if series.count >= configuration.maximumSeries { forgetOldest() }
        let event = event(note, about: object, wallClock: wallClock)
        series[kind] = Series(event: ObjectKey(event), lastObserved: wallClock, lastSeen: now, lastSent: now)
        return Request(kind: kind, event: ObjectKey(event), action: .create(event))
    }

    /// The series to send now. Forgets those that have ended.
    mutating func flush(now: Instant) -> [Request] {
        var requests: [Request] = []
        for (kind, known) in series {
            let hasEnded = now - known.lastSeen > configuration.idleLimit
            if known.count > known.sent, hasEnded || now - known.lastSent >= configuration.interval {
                let update = Request.Action.update(count: known.count, lastObserved: known.lastObserved)
                requests.append(Request(kind: kind, event: known.event, action: update))
                series[kind]?.sent = known.count
                series[kind]?.lastSent = now
            }
            if hasEnded { series[kind] = nil }
        }
        let inUse = Set(series.keys.map(\.bucket))
        let refill = Duration.seconds(Double(configuration.burst) / configuration.perSecond)
        buckets = buckets.filter { inUse.contains($0.key) || !$0.value.isFull(now, after: refill) }
        return requests
    }

    /// The server does not have the Event of this request: the next note of its kind makes a new one.
    mutating func forget(_ request: Request) {
        guard let known = series[request.kind], known.event == request.event else { return }
        series[request.kind] = nil
    }

    /// A quarter at once: to look for the oldest costs a walk over all.
    private mutating func forgetOldest() {
        let seen = series.values.map(\.lastSeen).sorted()
        let limit = seen[seen.count / 4]
        series = series.filter { $0.value.lastSeen > limit }
    }

    private func event(
        _ note: EventNote, about object: KubernetesObject, wallClock: KubernetesTime
    ) -> KubernetesObject {
        var regarding: JSON = [
            "apiVersion": JSON(object.apiVersion), "kind": JSON(object.kind), "name": JSON(object.name),
            "uid": JSON(object.uid), "resourceVersion": JSON(object.resourceVersion),
        ]
        regarding["namespace"] = object.namespace.map { JSON($0) }
        let name = "\(object.name.prefix(220)).\(String(UInt64.random(in: .min ... .max), radix: 16))"
        return KubernetesObject([
            "apiVersion": "events.k8s.io/v1", "kind": "Event",
            "metadata": ["name": JSON(name), "namespace": JSON(object.namespace ?? "default")],
            "eventTime": JSON(wallClock.microText), "type": JSON(note.severity.rawValue),
            "reason": JSON(note.reason), "action": JSON(note.action), "note": JSON(Self.cut(note.text)),
            "reportingController": JSON(controller), "reportingInstance": JSON(instance), "regarding": regarding,
        ])
    }

    /// The first 1024 bytes, between characters.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > 1024 else { return text }
        var result = ""
        var size = 0
        for character in text {
            size += character.utf8.count
            guard size <= 1021 else { break }
            result.append(character)
        }
        return result + "…"
    }
}
