internal import Concurrency
public import KubernetesClient
internal import StructuredData

/// The last known state of the objects of one type, kept by an `Informer`. Safe to read from any task.
///
/// `metadata.managedFields` are not kept: what matters of them is in `StoredObject.ownedDigest`.
public final class Store: Sendable {
    /// Changes an object on its way in, to leave out what nobody reads. It must keep name, namespace, uid, resource
    /// version, labels and owner references. An object for which it throws is not stored.
    public typealias Transform = @Sendable (inout KubernetesObject) throws -> Void

    private struct IndexValue: Hashable {
        let index: String
        let value: String
    }

    private struct State {
        var objects: [ObjectKey: StoredObject] = [:]
        /// By index and value.
        var indices: [IndexValue: Set<ObjectKey>] = [:]
        /// Where an object is found, to take it out again.
        var indexed: [ObjectKey: [IndexValue]] = [:]
        var resourceVersion = ""
    }

    public let type: ResourceType
    private let fieldManager: String
    private let indexFunctions: [StoreIndex]
    private let transform: Transform?
    private let state = Lock(State())

    public init(
        _ type: ResourceType, fieldManager: String, indices: [StoreIndex] = [], transform: Transform? = nil
    ) {
        self.type = type
        self.fieldManager = fieldManager
        indexFunctions = [.owner] + indices
        self.transform = transform
    }
}

// MARK: - Reading

extension Store {
    public func stored(_ key: ObjectKey) -> StoredObject? { state.withLock { $0.objects[key] } }

    public func get(_ key: ObjectKey) -> KubernetesObject? { stored(key)?.object }

    public func get(namespace: String?, name: String) -> KubernetesObject? {
        get(ObjectKey(namespace: namespace, name: name))
    }

    public func contains(_ key: ObjectKey) -> Bool { state.withLock { $0.objects[key] != nil } }

    public var count: Int { state.withLock { $0.objects.count } }
    /// The version of the collection up to which this store knows it; empty before the first list.
    public var resourceVersion: String { state.withLock { $0.resourceVersion } }
    /// Sorted.
    public var keys: [ObjectKey] { state.withLock { Array($0.objects.keys) }.sorted() }

    /// All objects, sorted by key.
    public func list() -> [StoredObject] { state.withLock { Array($0.objects.values) }.sorted { $0.key < $1.key } }

    public func list(namespace: String) -> [StoredObject] { list().filter { $0.key.namespace == namespace } }

    /// Keys of the objects with `value` in the index `name`, sorted. Empty for an index that does not exist.
    public func keys(index name: String, value: String) -> [ObjectKey] {
        state.withLock { $0.indices[IndexValue(index: name, value: value)] ?? [] }.sorted()
    }

    /// The objects with `value` in the index `name`, sorted by key.
    public func list(index name: String, value: String) -> [StoredObject] {
        let entry = IndexValue(index: name, value: value)
        return state.withLock { state in (state.indices[entry] ?? []).compactMap { state.objects[$0] } }
            .sorted { $0.key < $1.key }
    }

    /// The objects that have an owner reference to `uid`.
    public func list(ownedBy uid: String) -> [StoredObject] { list(index: StoreIndex.owner.name, value: uid) }

    /// Bytes that the encoded objects take.
    public var encodedSize: Int { state.withLock { $0.objects.values.reduce(0) { $0 + $1.encodedSize } } }
}

// MARK: - Writing

extension Store {
    /// Returns what changed, or nil when nothing did. A list is the truth, also when a server was set back to a backup;
    /// late news from a watch about an object that is known in a newer state is dropped. Throws what the transform
    /// threw.
    func upsert(_ object: KubernetesObject, _ origin: Reflector.Origin) throws -> StoreChange? {
        let digest = OwnedFields.digest(of: object, manager: fieldManager)
        var object = object
        object.json.set(nil, at: "metadata", "managedFields")
        try transform?(&object)
        let new = StoredObject(object, ownedDigest: digest)
        let values = indexFunctions.flatMap { index in
            index.values(object).map { IndexValue(index: index.name, value: $0) }
        }
        return state.withLock { state in
            let old = state.objects[new.key]
            if let old, old.uid == new.uid {
                if old.resourceVersion == new.resourceVersion { return nil }
                let isNewer = ResourceVersion.isAtLeast(new.resourceVersion, old.resourceVersion) ?? true
                if origin == .watch, !isNewer { return nil }
            }
            state.objects[new.key] = new
            Self.reindex(&state, new.key, values)
            return StoreChange(old: old, new: new, origin: origin)
        }
    }

    func delete(_ key: ObjectKey) -> StoreChange? {
        state.withLock { state in
            guard let old = state.objects.removeValue(forKey: key) else { return nil }
            Self.reindex(&state, key, [])
            return StoreChange(old: old, new: nil)
        }
    }

    /// Deletes everything that is not in `keys`: the end of a list, which names all that exists.
    func retain(_ keys: Set<ObjectKey>) -> [StoreChange] {
        let missing = state.withLock { state in state.objects.keys.filter { !keys.contains($0) } }
        return missing.sorted().compactMap(delete)
    }

    func setResourceVersion(_ version: String) { state.withLock { $0.resourceVersion = version } }

    private static func reindex(_ state: inout State, _ key: ObjectKey, _ values: [IndexValue]) {
        for entry in state.indexed.removeValue(forKey: key) ?? [] {
            state.indices[entry]?.remove(key)
            if state.indices[entry]?.isEmpty == true { state.indices[entry] = nil }
        }
        guard !values.isEmpty else { return }
        for entry in values { state.indices[entry, default: []].insert(key) }
        state.indexed[key] = values
    }
}
