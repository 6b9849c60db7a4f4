import Concurrency
import ControllerRuntime
import KubernetesClient
import StructuredData

/// An API server in memory, as far as the runtime needs one: versions, watches, server-side apply with ownership,
/// finalizers, and faults.
final class FakeServer: ObjectClient {
    struct Call: Sendable, Equatable {
        let verb: String
        let type: ResourceType
        let name: String
    }

    struct State {
        var version = 10
        var objects: [ResourceType: [ObjectKey: KubernetesObject]] = [:]
        var history: [(type: ResourceType, version: Int, event: WatchEvent)] = []
        var oldestVersion = 0
        var watchers: [Int: Watcher] = [:]
        var nextWatcher = 0
        var calls: [Call] = []
        var served: Set<ResourceType>?
        var deniedVerbs: Set<String> = []
        /// Watches of these types are accepted and then get nothing, not even an end.
        var mute: Set<ResourceType> = []
        /// What a watch that is given up still says.
        var lastWords: WatchEvent?
        /// Asked before each call; may throw or wait.
        var fault: (@Sendable (Call) async throws -> Void)?
        /// Applied to every object that is written, as defaults and webhooks are.
        var admission: (@Sendable (inout KubernetesObject) -> Void)?
        var listOptions: [ListOptions] = []
        var watchOptions: [WatchOptions] = []
    }

    struct Watcher {
        let type: ResourceType
        let namespace: String?
        let stream: AsyncThrowingStream<WatchEvent, any Error>.Continuation
    }

    let state = Lock(State())

    init(_ objects: [KubernetesObject] = [], _ type: ResourceType = .app) {
        for object in objects { put(object, type) }
    }

    // MARK: what a test does and asks

    var calls: [Call] { state.withLock { $0.calls } }
    var writes: [Call] { calls.filter { !["get", "list", "watch", "ping", "serves", "can"].contains($0.verb) } }
    func count(_ verb: String, _ type: ResourceType) -> Int { calls.count { $0.verb == verb && $0.type == type } }
    func object(_ type: ResourceType, _ key: ObjectKey) -> KubernetesObject? {
        state.withLock { $0.objects[type]?[key] }
    }
    func objects(_ type: ResourceType) -> [KubernetesObject] {
        state.withLock { Array(($0.objects[type] ?? [:]).values) }.sorted { ObjectKey($0) < ObjectKey($1) }
    }
    func forgetCalls() { state.withLock { $0.calls = [] } }
    func configure(_ change: @Sendable (inout State) -> Void) { state.withLock { change(&$0) } }

    /// Somebody else writes the object.
    @discardableResult
    func put(_ object: KubernetesObject, _ type: ResourceType = .app) -> KubernetesObject {
        state.withLock { Self.store(object, type, &$0) }
    }

    /// Somebody else changes the object.
    func edit(_ type: ResourceType, _ key: ObjectKey, _ change: @Sendable (inout JSON) -> Void) {
        state.withLock { state in
            guard var object = state.objects[type]?[key] else { return }
            let before = object.json
            change(&object.json)
            if before["spec"] != object.json["spec"] || before["data"] != object.json["data"] {
                object.json.set(JSON(object.generation + 1), at: "metadata", "generation")
            }
            Self.store(object, type, &state)
        }
    }

    func remove(_ type: ResourceType, _ key: ObjectKey) { state.withLock { Self.drop(type, key, &$0) } }

    /// Ends all watches of a type; those that follow from versions up to now get a 410.
    func compact() {
        state.withLock { state in
            state.version += 1
            state.oldestVersion = state.version
            state.history = []
        }
    }

    func endWatches(_ type: ResourceType, _ error: (any Error)? = nil) {
        let watchers = state.withLock { state in
            let ended = state.watchers.filter { $0.value.type == type }
            for id in ended.keys { state.watchers[id] = nil }
            return Array(ended.values)
        }
        for watcher in watchers { watcher.stream.finish(throwing: error) }
    }

    func send(_ event: WatchEvent, _ type: ResourceType) {
        for watcher in state.withLock({ $0.watchers.values.filter { $0.type == type } }) { watcher.stream.yield(event) }
    }

    var openWatches: Int { state.withLock { $0.watchers.count } }

    // MARK: storage

    private func enter(_ verb: String, _ type: ResourceType, _ name: String = "") async throws {
        let call = Call(verb: verb, type: type, name: name)
        let (fault, served) = state.withLock { state in
            state.calls.append(call)
            return (state.fault, state.served?.contains(type) ?? true)
        }
        try await fault?(call)
        if !served { throw apiError(404, "NotFound", "the server could not find the requested resource") }
    }

    @discardableResult
    private static func store(_ object: KubernetesObject, _ type: ResourceType, _ state: inout State)
        -> KubernetesObject
    {
        var object = object
        let key = ObjectKey(object)
        let old = state.objects[type]?[key]
        state.version += 1
        if object.isBeingDeleted, object.finalizers.isEmpty {
            drop(type, key, &state)
            return object
        }
        object.json.set(JSON("\(state.version)"), at: "metadata", "resourceVersion")
        if object.uid.isEmpty { object.json.set(JSON("uid-\(state.version)"), at: "metadata", "uid") }
        if object.generation == 0 { object.json.set(1, at: "metadata", "generation") }
        state.objects[type, default: [:]][key] = object
        publish(old == nil ? .added(object) : .modified(object), type, object, &state)
        return object
    }

    private static func drop(_ type: ResourceType, _ key: ObjectKey, _ state: inout State) {
        guard var object = state.objects[type]?.removeValue(forKey: key) else { return }
        state.version += 1
        object.json.set(JSON("\(state.version)"), at: "metadata", "resourceVersion")
        publish(.deleted(object), type, object, &state)
    }

    private static func publish(
        _ event: WatchEvent, _ type: ResourceType, _ object: KubernetesObject, _ state: inout State
    ) {
        state.history.append((type, state.version, event))
        guard !state.mute.contains(type) else { return }
        for watcher in state.watchers.values where watcher.type == type {
            guard watcher.namespace == nil || watcher.namespace == object.namespace else { continue }
            watcher.stream.yield(event)
        }
    }
}

// MARK: - Reading

extension FakeServer {
    func get(_ type: ResourceType, namespace: String?, name: String) async throws -> KubernetesObject {
        try await enter("get", type, name)
        guard let found = object(type, ObjectKey(namespace: namespace, name: name)) else {
            throw apiError(404, "NotFound")
        }
        return found
    }

    func list(_ type: ResourceType, namespace: String?, options: ListOptions) async throws -> ObjectList {
        try await enter("list", type)
        state.withLock { $0.listOptions.append(options) }
        let (version, objects) = state.withLock { ($0.version, Array(($0.objects[type] ?? [:]).values)) }
        let name = options.fieldSelector.map { String($0.dropFirst("metadata.name=".count)) }
        let all = objects.filter { namespace == nil || $0.namespace == namespace }
            .filter { name == nil || $0.name == name }.sorted { ObjectKey($0) < ObjectKey($1) }
        let start = options.continueToken.flatMap { Int($0) } ?? 0
        let end = min(all.count, start + (options.limit ?? all.count))
        return ObjectList(
            items: Array(all[start..<end]), resourceVersion: "\(version)",
            continueToken: end < all.count ? "\(end)" : nil)
    }

    func watch(
        _ type: ResourceType, namespace: String?, options: WatchOptions,
        each: @escaping @Sendable (WatchEvent) -> Bool
    ) async throws {
        try await enter("watch", type)
        let (events, stream) = AsyncThrowingStream<WatchEvent, any Error>.makeStream()
        let since = Int(options.resourceVersion ?? "") ?? 0
        let (id, expired) = state.withLock { state in
            state.watchOptions.append(options)
            state.nextWatcher += 1
            guard since >= state.oldestVersion else { return (state.nextWatcher, true) }
            if !state.mute.contains(type) {
                for entry in state.history where entry.type == type && entry.version > since {
                    stream.yield(entry.event)
                }
            }
            state.watchers[state.nextWatcher] = Watcher(type: type, namespace: namespace, stream: stream)
            return (state.nextWatcher, false)
        }
        if expired { throw apiError(410, "Expired", "too old resource version") }
        defer { state.withLock { $0.watchers[id] = nil } }
        for try await event in events { guard each(event) else { return } }
        if Task.isCancelled, let words = state.withLock({ $0.lastWords }), !each(words) { return }
        try Task.checkCancellation()
    }

    func serves(_ type: ResourceType) async throws -> Bool {
        let call = Call(verb: "serves", type: type, name: "")
        let (fault, served) = state.withLock { state in
            state.calls.append(call)
            return (state.fault, state.served?.contains(type) ?? true)
        }
        try await fault?(call)
        return served
    }

    func isAllowed(_ verb: String, _ type: ResourceType, namespace: String?) async throws -> Bool {
        state.withLock { !$0.deniedVerbs.contains(verb) }
    }

    func ping() async throws { try await enter("ping", .app) }
}

// MARK: - Writing

extension FakeServer {
    func create(
        _ object: KubernetesObject, _ type: ResourceType, namespace: String?, options: WriteOptions
    ) async throws -> KubernetesObject {
        try await enter("create", type, object.name)
        return try state.withLock { state in
            guard state.objects[type]?[ObjectKey(object)] == nil else { throw apiError(409, "AlreadyExists") }
            return Self.store(object, type, &state)
        }
    }

    func replace(
        _ object: KubernetesObject, _ type: ResourceType, subresource: String?, options: WriteOptions
    ) async throws -> KubernetesObject {
        try await enter("replace", type, object.name)
        return try state.withLock { state in
            guard let old = state.objects[type]?[ObjectKey(object)] else { throw apiError(404, "NotFound") }
            guard object.resourceVersion.isEmpty || object.resourceVersion == old.resourceVersion else {
                throw apiError(409, "Conflict")
            }
            return Self.store(object, type, &state)
        }
    }

    func patch(
        _ type: ResourceType, namespace: String?, name: String, _ patch: Patch, subresource: String?,
        options: WriteOptions
    ) async throws -> KubernetesObject {
        try await enter("patch", type, name)
        guard case .merge(let change) = patch else { throw apiError(415) }
        return try state.withLock { state in
            guard let old = state.objects[type]?[ObjectKey(namespace: namespace, name: name)] else {
                throw apiError(404, "NotFound")
            }
            if let wanted = change.at("metadata", "resourceVersion")?.string, wanted != old.resourceVersion {
                throw apiError(409, "Conflict")
            }
            return Self.store(KubernetesObject(MergePatch.apply(change, to: old.json)), type, &state)
        }
    }

    func delete(
        _ type: ResourceType, namespace: String?, name: String, options: DeleteOptions
    ) async throws -> DeleteOutcome {
        try await enter("delete", type, name)
        return try state.withLock { state in
            let key = ObjectKey(namespace: namespace, name: name)
            guard var object = state.objects[type]?[key] else { throw apiError(404, "NotFound") }
            if let uid = options.uid, uid != object.uid { throw apiError(409, "Conflict") }
            guard !object.finalizers.isEmpty else {
                Self.drop(type, key, &state)
                return .deleted(uid: object.uid)
            }
            object.json.set("2026-01-01T00:00:00Z", at: "metadata", "deletionTimestamp")
            return .pending(Self.store(object, type, &state))
        }
    }

    /// The fields of `object` win; an apply that changes nothing makes no new version.
    func apply(
        _ object: KubernetesObject, _ type: ResourceType, fieldManager: String, force: Bool, subresource: String?
    ) async throws -> KubernetesObject {
        try await enter(subresource == nil ? "apply" : "apply/\(subresource ?? "")", type, object.name)
        return try state.withLock { state in
            let old = state.objects[type]?[ObjectKey(object)]
            if subresource != nil, old == nil { throw apiError(404, "NotFound") }
            if let old, !object.resourceVersion.isEmpty, object.resourceVersion != old.resourceVersion {
                throw apiError(409, "Conflict")
            }
            var new = old ?? object
            if subresource == nil {
                let status = old?.status
                new.json = MergePatch.apply(object.json, to: new.json)
                new.json["status"] = status
                new.json.set([Self.entry(object.json, fieldManager)], at: "metadata", "managedFields")
                if let old, old.json["spec"] != new.json["spec"] {
                    new.json.set(JSON(old.generation + 1), at: "metadata", "generation")
                }
            } else {
                new.json["status"] = object.status
            }
            state.admission?(&new)
            if let old, old.json == new.json { return old }
            return Self.store(new, type, &state)
        }
    }

    private static func entry(_ applied: JSON, _ manager: String) -> JSON {
        var fields = applied
        for field in ["apiVersion", "kind", "status"] { fields[field] = nil }
        for field in ["name", "namespace", "resourceVersion", "uid"] { fields.set(nil, at: "metadata", field) }
        return [
            "manager": JSON(manager), "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": paths(fields),
        ]
    }

    private static func paths(_ value: JSON) -> JSON {
        guard let members = value.object else { return [:] }
        var result: JSON = [:]
        for (name, member) in members { result["f:\(name)"] = paths(member) }
        return result
    }
}
