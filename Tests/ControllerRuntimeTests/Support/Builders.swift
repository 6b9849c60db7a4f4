import Concurrency
import ControllerRuntime
import KubernetesClient
import Logging
import StructuredData

extension ResourceType {
    static let app = ResourceType(group: "example.com", version: "v1", kind: "App", plural: "apps")
    static let configMap = ResourceType(group: "", version: "v1", kind: "ConfigMap", plural: "configmaps")
    static let secret = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")
    static let topic = ResourceType(group: "kafka.example.com", version: "v1", kind: "Topic", plural: "topics")
    static let lease = ResourceType(group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases")
    static let event = ResourceType(group: "events.k8s.io", version: "v1", kind: "Event", plural: "events")
}

/// An object with the metadata that a server would have given it.
func object(
    _ type: ResourceType, _ name: String, namespace: String = "ns", version: Int = 1, generation: Int = 1,
    uid: String? = nil, labels: [String: String] = [:], _ more: JSON = [:]
) -> KubernetesObject {
    var json = more
    json["apiVersion"] = JSON(type.apiVersion)
    json["kind"] = JSON(type.kind)
    json.set(JSON(name), at: "metadata", "name")
    json.set(JSON(namespace), at: "metadata", "namespace")
    json.set(JSON(uid ?? "uid-\(name)"), at: "metadata", "uid")
    json.set(JSON("\(version)"), at: "metadata", "resourceVersion")
    json.set(JSON(generation), at: "metadata", "generation")
    if !labels.isEmpty { json.set(JSON(labels), at: "metadata", "labels") }
    return KubernetesObject(json)
}

func object(
    _ name: String, namespace: String = "ns", version: Int = 1, generation: Int = 1, uid: String? = nil,
    labels: [String: String] = [:], _ more: JSON = [:]
) -> KubernetesObject {
    object(
        .app, name, namespace: namespace, version: version, generation: generation, uid: uid, labels: labels, more)
}

func key(_ name: String, namespace: String = "ns") -> ObjectKey { ObjectKey(namespace: namespace, name: name) }

/// A logger that says nothing and has its metadata.
let quiet = Logger(label: "test") { _ in SilentHandler() }

struct SilentHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {}
}

/// Keeps what is logged.
struct LogRecorder: LogHandler {
    struct Line: Sendable, Equatable {
        let level: Logger.Level
        let text: String
    }

    private let recorded = Lock<[Line]>([])
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    var lines: [Line] { recorded.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { recorded.withLock { $0.append(Line(level: event.level, text: "\(event.message)")) } }
}

func apiError(_ code: Int, _ reason: String = "", _ message: String = "") -> APIError {
    APIError(verb: "test", path: "/", cause: .status(Status(code: code, reason: reason, message: message)))
}

struct ConditionNotMet: Error, CustomStringConvertible {
    let description: String
}

/// Returns once `condition` holds; gives other tasks the processor meanwhile. Throws after `limit` of real time.
func until(
    _ what: String = "the condition holds", limit: Duration = .seconds(60),
    _ condition: @Sendable () -> Bool
) async throws {
    let end = ContinuousClock.now.advanced(by: limit)
    while !condition() {
        guard ContinuousClock.now < end else { throw ConditionNotMet(description: "waited in vain until \(what)") }
        await Task.yield()
    }
}

extension ManualTime {
    /// Moves the clock on in steps until `condition` holds; whom a step wakes may act before the next one. Throws when
    /// that takes longer than `limit` by this clock: at its end it stands still, so that who is slow only by the real
    /// clock, as on a busy machine, is not called late.
    func advance(
        until what: String, limit: Duration, step: Duration, _ condition: () -> Bool
    ) async throws {
        let end = now.advanced(by: limit)
        while !condition(), now < end {
            let waiting = sleepers
            advance(by: min(step, end - now))
            await yield(atMost: .milliseconds(100)) { sleepers >= waiting || condition() }
            for _ in 0..<30 where !condition() { await Task.yield() }
        }
        await yield(atMost: .seconds(20), until: condition)
        guard condition() else { throw ConditionNotMet(description: "waited in vain until \(what)") }
    }

    private func yield(atMost limit: Duration, until condition: () -> Bool) async {
        let end = ContinuousClock.now.advanced(by: limit)
        while !condition(), ContinuousClock.now < end { await Task.yield() }
    }
}
