internal import Concurrency
internal import KubernetesClient
internal import StructuredData

/// The way in which a controller writes: only what has to change, with its expectations noted, and never in a loop.
final class ObjectWriter: Sendable {
    let client: any ObjectClient
    let fieldManager: String
    private let time: any TimeSource
    private let guarded = Lock(ApplyGuard())
    private let expectations = Lock(Expectations())

    init(client: any ObjectClient, fieldManager: String, time: any TimeSource) {
        self.client = client
        self.fieldManager = fieldManager
        self.time = time
    }

    /// A version that no object ever has. An apply that names one is refused where there is an object, and makes it
    /// where there is none: versions are compared only with one that exists.
    private static let versionOfNothing: JSON = "1"

    /// Makes `desired` so by server-side apply unless it is so already; with `ifAbsent` only where there is none.
    func apply(
        _ desired: KubernetesObject, _ type: ResourceType, ifAbsent: Bool, cache: Informer?, for key: ObjectKey
    ) async throws -> ApplyOutcome {
        guard !desired.name.isEmpty else { throw WriteError.incomplete("\(type.kind) without metadata.name") }
        if let status = cache?.status, !status.isAvailable { throw WriteError.unavailable(type, status) }
        let reference = ObjectReference(type, ObjectKey(desired))
        let live: UInt64?
        if let cache {
            live = cache.store.stored(reference.key)?.ownedDigest
        } else {
            live = try await client.find(type, reference.key).map { OwnedFields.digest(of: $0, manager: fieldManager) }
        }
        return try await apply(
            desired, reference, ifAbsent: ifAbsent, cache: cache, live: live, subresource: nil, for: key)
    }

    /// Makes an object. Throws `isAlreadyExists` when there is one.
    func create(
        _ object: KubernetesObject, _ type: ResourceType, cache: Informer?, for key: ObjectKey
    ) async throws -> KubernetesObject {
        let made = try await client.create(
            object, type, namespace: object.namespace, options: WriteOptions(fieldManager: fieldManager))
        expect(made, ObjectReference(type, ObjectKey(made)), cache: cache, for: key, isAnswered: true)
        return made
    }

    /// Makes the status of `object` equal to `status` unless it is so already: all of it that is ours, without a
    /// resource version. Nothing happens when the object is gone.
    func applyStatus(_ status: JSON, of object: KubernetesObject, cache: Informer) async throws -> ApplyOutcome {
        let key = ObjectKey(object)
        let current = cache.store.get(key)?.status
        if current == status { return .unchanged }
        var desired = KubernetesObject([
            "apiVersion": JSON(cache.type.apiVersion), "kind": JSON(cache.type.kind),
            "metadata": ["name": JSON(key.name)], "status": status,
        ])
        desired.json.set(key.namespace.map { JSON($0) }, at: "metadata", "namespace")
        do {
            return try await apply(
                desired, ObjectReference(cache.type, key), cache: cache,
                live: OwnedFields.digest(of: current ?? .null), subresource: "status", for: key)
        } catch let error as APIError where error.isNotFound { return .unchanged }
    }

    private func apply(
        _ desired: KubernetesObject, _ reference: ObjectReference, ifAbsent: Bool = false, cache: Informer?,
        live: UInt64?, subresource: String?, for key: ObjectKey
    ) async throws -> ApplyOutcome {
        let target = ApplyGuard.Target(reference, subresource: subresource)
        let digest = OwnedFields.digest(of: desired.json)
        switch guarded.withLock({ $0.judge(target, desired: digest, live: live, now: time.now) }) {
        case .upToDate: return .unchanged
        case .hold(let until, let isNew): return .stalled(until: until, isNew: isNew)
        case .apply: break
        }
        var sent = desired
        if ifAbsent { sent.json.set(Self.versionOfNothing, at: "metadata", "resourceVersion") }
        let result = try await client.apply(
            sent, reference.type, fieldManager: fieldManager, force: true, subresource: subresource)
        let owned =
            subresource == nil
            ? OwnedFields.digest(of: result, manager: fieldManager) : OwnedFields.digest(of: result.status ?? .null)
        guarded.withLock { $0.applied(target, desired: digest, owned: owned, now: time.now) }
        expect(result, reference, cache: cache, for: key, isAnswered: true, wasThere: subresource != nil)
        return .applied(result)
    }

    /// Deletes the object with `uid`; one that is gone, or another one of that name, is fine.
    func delete(
        _ reference: ObjectReference, uid: String, propagation: DeleteOptions.Propagation, cache: Informer?,
        for key: ObjectKey
    ) async throws {
        do {
            try await client.delete(
                reference.type, namespace: reference.key.namespace, name: reference.key.name,
                options: DeleteOptions(uid: uid, propagation: propagation))
        } catch let error as APIError where error.isNotFound || error.isConflict {}
        guarded.withLock { $0.forget(ApplyGuard.Target(reference)) }
        guard let cache else { return }
        expectations.withLock { $0.expectDeletion(reference, uid: uid, for: key, now: time.now) }
        observe(reference, present: cache.store.stored(reference.key), gone: nil)
    }

    /// Holds `key` until the cache of `cache` shows `written`; see `Expectations` for `isAnswered`.
    ///
    /// - Parameter wasThere: the cache had the object when it was written. One that it has no longer is gone, or is no
    ///   longer selected: nothing more will be shown of it.
    func expect(
        _ written: KubernetesObject, _ reference: ObjectReference, cache: Informer?, for key: ObjectKey,
        isAnswered: Bool = false, wasThere: Bool = false
    ) {
        guard let cache, cache.status.isAvailable, !written.resourceVersion.isEmpty else { return }
        expectations.withLock {
            $0.expect(
                reference, version: written.resourceVersion, uid: written.uid, for: key, isAnswered: isAnswered,
                now: time.now)
        }
        // The event may have come before the answer.
        let present = cache.store.stored(reference.key)
        if present == nil, wasThere {
            expectations.withLock { $0.forget(reference, for: key) }
        } else {
            observe(reference, present: present, gone: nil)
        }
    }

    func verdict(_ key: ObjectKey) -> Expectations.Verdict {
        expectations.withLock { $0.verdict(key, now: time.now) }
    }

    func beginPass(_ key: ObjectKey) { expectations.withLock { $0.beginPass(key) } }

    /// How soon there has to be another pass; nil when there has not.
    func endPass(_ key: ObjectKey) -> Urgency? { expectations.withLock { $0.endPass(key) } }

    /// Those of `keys` to which the change brings a pass now. To be asked before `observe`.
    func keysForPass(
        _ keys: Set<ObjectKey>, after change: StoreChange, of reference: ObjectReference, _ urgency: Urgency
    ) -> [ObjectKey] {
        guard !keys.isEmpty else { return [] }
        let version = change.origin == .watch ? change.new?.resourceVersion : nil
        return expectations.withLock { expectations in
            keys.filter { expectations.bringsPass(reference, version: version, to: $0, urgency) }
        }
    }

    /// The cache has changed; returns the keys that need wait no longer.
    @discardableResult
    func observe(_ reference: ObjectReference, present: StoredObject?, gone: StoredObject?) -> [ObjectKey] {
        if present == nil, gone != nil { guarded.withLock { $0.noteGone(reference, now: time.now) } }
        return expectations.withLock { $0.observe(reference, present: present, gone: gone) }
    }

    /// Whether somebody keeps undoing what is applied to the object.
    func isStalled(_ reference: ObjectReference) -> Bool {
        guarded.withLock { $0.isStalled(ApplyGuard.Target(reference), now: time.now) }
    }

    func prune() { guarded.withLock { $0.prune(now: time.now) } }
}
