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

    /// Makes `desired` so by server-side apply unless it is so already.
    func apply(
        _ desired: KubernetesObject, _ type: ResourceType, cache: Informer?, for key: ObjectKey
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
        return try await apply(desired, reference, cache: cache, live: live, subresource: nil, for: key)
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
        _ desired: KubernetesObject, _ reference: ObjectReference, cache: Informer?, live: UInt64?,
        subresource: String?, for key: ObjectKey
    ) async throws -> ApplyOutcome {
        let target = ApplyGuard.Target(reference, subresource: subresource)
        let digest = OwnedFields.digest(of: desired.json)
        switch guarded.withLock({ $0.judge(target, desired: digest, live: live, now: time.now) }) {
        case .upToDate: return .unchanged
        case .hold(let until, let isNew): return .stalled(until: until, isNew: isNew)
        case .apply: break
        }
        let result = try await client.apply(
            desired, reference.type, fieldManager: fieldManager, force: true, subresource: subresource)
        let owned =
            subresource == nil
            ? OwnedFields.digest(of: result, manager: fieldManager) : OwnedFields.digest(of: result.status ?? .null)
        guarded.withLock { $0.applied(target, desired: digest, owned: owned, now: time.now) }
        expect(result, reference, cache: cache, for: key)
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

    /// Holds `key` until the cache of `cache` shows `written`.
    func expect(_ written: KubernetesObject, _ reference: ObjectReference, cache: Informer?, for key: ObjectKey) {
        guard let cache, !written.resourceVersion.isEmpty else { return }
        expectations.withLock {
            $0.expect(reference, version: written.resourceVersion, uid: written.uid, for: key, now: time.now)
        }
        // The event may have come before the answer.
        observe(reference, present: cache.store.stored(reference.key), gone: nil)
    }

    func verdict(_ key: ObjectKey) -> Expectations.Verdict {
        expectations.withLock { $0.verdict(key, now: time.now) }
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
