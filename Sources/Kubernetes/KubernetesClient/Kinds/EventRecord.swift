public import StructuredData

/// Something that happened to an object, told to the people who look after it: `events.k8s.io/v1` `Event`.
///
/// Texts that are over the API's limits (note 1024 bytes, reason and action 128) are cut, so that no event is refused.
public struct EventRecord: Sendable, Hashable {
    public enum Severity: String, Sendable, Hashable {
        case normal = "Normal"
        case warning = "Warning"
    }

    /// The same event again, within minutes of the last time.
    public struct Series: Sendable, Hashable {
        /// Occurrences, the first one included.
        public var count: Int
        public var lastObservedTime: KubernetesTime

        public init(count: Int, lastObservedTime: KubernetesTime) {
            self.count = count
            self.lastObservedTime = lastObservedTime
        }

        /// The merge patch that counts the series up in the stored event.
        public var patch: Patch { .merge(["series": json]) }

        var json: JSON { ["count": JSON(count), "lastObservedTime": JSON(lastObservedTime.microText)] }
    }

    /// What it happened to.
    public var regarding: ObjectReference
    /// Another object that has a part in it.
    public var related: ObjectReference?
    public var severity: Severity
    /// Why, a CamelCase constant: `Scaled`, `ImagePullFailed`.
    public var reason: String
    /// What was done, a CamelCase constant: `Reconcile`.
    public var action: String
    /// For people.
    public var note: String
    public var time: KubernetesTime
    public var series: Series?

    public init(
        regarding: ObjectReference, related: ObjectReference? = nil, severity: Severity = .normal, reason: String,
        action: String, note: String, time: KubernetesTime = .now, series: Series? = nil
    ) {
        self.regarding = regarding
        self.related = related
        self.severity = severity
        self.reason = reason
        self.action = action
        self.note = note
        self.time = time
        self.series = series
    }

    /// The object to create. Events on cluster-scoped objects live in `default`.
    /// - Parameters:
    ///   - controller: `todo-operator.dev/operator`.
    ///   - instance: the pod or process that reports.
    public func object(controller: String, instance: String) -> KubernetesObject {
        var json: JSON = ["apiVersion": "events.k8s.io/v1", "kind": "Event"]
        json["metadata"] = ["namespace": JSON(namespace), "name": JSON(name)]
        json["eventTime"] = JSON(time.microText)
        json["type"] = JSON(severity.rawValue)
        json["reason"] = JSON(Self.cut(reason, to: 128))
        json["action"] = JSON(Self.cut(action, to: 128))
        json["note"] = JSON(Self.cut(note, to: 1024))
        json["reportingController"] = JSON(controller)
        json["reportingInstance"] = JSON(Self.cut(instance, to: 128))
        json["regarding"] = regarding.json
        json["related"] = related?.json
        json["series"] = series?.json
        return KubernetesObject(json)
    }

    public var namespace: String {
        guard let namespace = regarding.namespace, !namespace.isEmpty else { return "default" }
        return namespace
    }

    /// Unique per object and time; a name for an Event may have 253 bytes.
    public var name: String { "\(Self.cut(regarding.name, to: 230)).\(String(time.microseconds, radix: 16))" }

    /// The longest beginning of `text` that has at most `limit` bytes and ends between characters.
    private static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: limit)
        while end > text.startIndex, end.samePosition(in: text) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}

/// Names an object, `v1` `ObjectReference`.
public struct ObjectReference: Sendable, Hashable {
    public var apiVersion: String
    public var kind: String
    public var namespace: String?
    public var name: String
    public var uid: String
    public var resourceVersion: String?

    public init(
        apiVersion: String, kind: String, namespace: String? = nil, name: String, uid: String = "",
        resourceVersion: String? = nil
    ) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.resourceVersion = resourceVersion
    }

    public init(_ object: KubernetesObject) {
        self.init(
            apiVersion: object.apiVersion, kind: object.kind, namespace: object.namespace, name: object.name,
            uid: object.uid, resourceVersion: object.resourceVersion)
    }

    public var json: JSON {
        var json: JSON = ["apiVersion": JSON(apiVersion), "kind": JSON(kind), "name": JSON(name)]
        json["namespace"] = namespace.map { JSON($0) }
        if !uid.isEmpty { json["uid"] = JSON(uid) }
        json["resourceVersion"] = resourceVersion.flatMap { $0.isEmpty ? nil : JSON($0) }
        return json
    }
}
