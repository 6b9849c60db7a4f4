internal import Concurrency
public import KubernetesClient
internal import StructuredData

/// The last known state of the objects of one type, kept by an `Informer`. Safe to read from any task.
///
/// `metadata.managedFields` are not kept: what matters of them is in `StoredObject.ownedDigest`.
public final class Store: Sendable {
    /// Changes an object on its way in, to leave out what nobody reads. What a `StoredObject` has beside the object, and
    /// where an index finds it, is that of the whole. An object for which it throws is not stored.
    public typealias Transform = @Sendable (inout KubernetesObject) throws -> Void

    private struct IndexValue: Hashable {
        let index: String
        let value: String
    }

    private struct Entry {
        let object: StoredObject
        /// Where it is found, to take it out again.
        let values: [IndexValue]
    }

    private struct State {
        var entries: [ObjectKey: Entry] = [:]
        /// By index and value.
        var indices: [IndexValue: Set<ObjectKey>] = [:]
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
    public func stored(_ key: ObjectKey) -> StoredObject? { state.withLock { $0.entries[key]?.object } }

    public func get(_ key: ObjectKey) -> KubernetesObject? { stored(key)?.object }

    public func get(namespace: String?, name: String) -> KubernetesObject? {
        get(ObjectKey(namespace: namespace, name: name))
    }

    public func contains(_ key: ObjectKey) -> Bool { state.withLock { $0.entries[key] != nil } }

    public var count: Int { state.withLock { $0.entries.count } }
    /// The version of the collection up to which this store knows it; empty before the first list.
    public var resourceVersion: String { state.withLock { $0.resourceVersion } }
    /// Sorted.
    public var keys: [ObjectKey] { state.withLock { Array($0.entries.keys) }.sorted() }

    /// All objects, sorted by key.
    public func list() -> [StoredObject] {
        state.withLock { $0.entries.values.map(\.object) }.sorted { $0.key < $1.key }
    }

    /// The objects of a namespace, sorted by key.
    public func list(namespace: String) -> [StoredObject] {
        state.withLock { state in
            state.entries.values.compactMap { $0.object.key.namespace == namespace ? $0.object : nil }
        }.sorted { $0.key < $1.key }
    }

    /// Keys of the objects with `value` in the index `name`, sorted. Empty for an index that does not exist.
    public func keys(index name: String, value: String) -> [ObjectKey] {
        state.withLock { $0.indices[IndexValue(index: name, value: value)] ?? [] }.sorted()
    }

    /// The objects with `value` in the index `name`, sorted by key.
    public func list(index name: String, value: String) -> [StoredObject] {
        let entry = IndexValue(index: name, value: value)
        return state.withLock { state in (state.indices[entry] ?? []).compactMap { state.entries[$0]?.object } }
            .sorted { $0.key < $1.key }
    }

    /// The objects that have an owner reference to `uid`.
    public func list(ownedBy uid: String) -> [StoredObject] { list(index: StoreIndex.owner.name, value: uid) }

    /// Bytes that the encoded objects take.
    public var encodedSize: Int { state.withLock { $0.entries.values.reduce(0) { $0 + $1.object.encodedSize } } }
}

// MARK: - Writing

extension Store {
    /// Returns what changed, or nil when nothing did. A list is the truth, also when a server was set back to a backup;
    /// late news from a watch about an object that is known in a newer state is dropped, also when that is another one
    /// of its name; so is what was read live of an object that is known to be gone since. Throws what the transform
    /// threw.
    func upsert(_ object: KubernetesObject, _ origin: Reflector.Origin) throws -> StoreChange? {
        let digest = OwnedFields.digest(of: object, manager: fieldManager)
        var kept = object
        kept.json.set(nil, at: "metadata", "managedFields")
        try transform?(&kept)
        let new = StoredObject(object, keeping: kept, ownedDigest: digest, sharing: known)
        let values = indexFunctions.flatMap { index in
            index.values(object).map { IndexValue(index: index.name, value: $0) }
        }
        return state.withLock { state in
            let old = state.entries[new.key]?.object
            if let old {
                if old.uid == new.uid, old.resourceVersion == new.resourceVersion { return nil }
                let isNewer = ResourceVersion.isAtLeast(new.resourceVersion, old.resourceVersion) ?? true
                if !origin.isList, !isNewer { return nil }
            } else if origin == .read, ResourceVersion.isAtLeast(state.resourceVersion, new.resourceVersion) == true {
                return nil
            }
            Self.put(Entry(object: new, values: values), at: new.key, &state)
            return StoreChange(old: old, new: new, origin: origin)
        }
    }

    /// What a watch says of the version up to which the store knows the collection: another object of that name, which
    /// was read live at a later one, stays. The same one goes in any case: it may have left what is selected, of which
    /// no watch tells again, and what was read live says nothing of that.
    func delete(_ key: ObjectKey, uid: String) -> StoreChange? {
        state.withLock { state in
            guard let old = state.entries[key]?.object else { return nil }
            let isKnown = ResourceVersion.isAtLeast(state.resourceVersion, old.resourceVersion) ?? true
            guard isKnown || old.uid == uid else { return nil }
            return Self.remove(key, &state)
        }
    }

    /// Deletes everything that is not in `keys`: the end of a list, which names all that exists.
    func retain(_ keys: Set<ObjectKey>) -> [StoreChange] {
        state.withLock { state in
            let missing = state.entries.keys.filter { !keys.contains($0) }.sorted()
            return missing.compactMap { Self.remove($0, &state) }
        }
    }

    private static func remove(_ key: ObjectKey, _ state: inout State) -> StoreChange? {
        guard let old = state.entries[key]?.object else { return nil }
        put(nil, at: key, &state)
        return StoreChange(old: old, new: nil)
    }

    func setResourceVersion(_ version: String) { state.withLock { $0.resourceVersion = version } }

    /// The same owner as another of its objects has it.
    private func known(_ owner: StoredObject.Owner) -> StoredObject.Owner {
        let entry = IndexValue(index: StoreIndex.owner.name, value: owner.uid)
        let others = state.withLock { state in
            state.indices[entry]?.first.flatMap { state.entries[$0]?.object.controller }
        }
        return others == owner ? others ?? owner : owner
    }

    private static func put(_ entry: Entry?, at key: ObjectKey, _ state: inout State) {
        let old = state.entries[key]?.values ?? []
        let new = shared(entry?.values ?? [], state)
        state.entries[key] = entry.map { Entry(object: $0.object, values: new) }
        guard new != old else { return }
        for value in old {
            state.indices[value]?.remove(key)
            if state.indices[value]?.isEmpty == true { state.indices[value] = nil }
        }
        for value in new { state.indices[value, default: []].insert(key) }
    }

    /// The same values as another object that is found where this one is, or at least values that are there already, and
    /// not another copy of their text.
    private static func shared(_ values: [IndexValue], _ state: State) -> [IndexValue] {
        if let first = values.first, let other = state.indices[first]?.first, let known = state.entries[other]?.values,
            known == values
        {
            return known
        }
        return values.map { value in state.indices.index(forKey: value).map { state.indices[$0].key } ?? value }
    }
}
