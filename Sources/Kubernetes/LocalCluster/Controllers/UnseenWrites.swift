internal import Concurrency
internal import ControllerRuntime
internal import KubernetesClient

/// Writes of a controller that its cache does not show yet. A pass that counts what exists must not run before.
final class UnseenWrites: Sendable {
    private struct Write {
        let object: ObjectKey
        let version: String
    }

    private let writes = Lock<[ObjectKey: [Write]]>([:])

    /// `written` is what the server answered to a write made for `key`.
    func note(_ written: KubernetesObject, for key: ObjectKey) {
        let write = Write(object: ObjectKey(written), version: written.resourceVersion)
        writes.withLock { $0[key, default: []].append(write) }
    }

    /// Whether the cache shows all of them. The event that shows the last one brings the next pass.
    func areSeen(_ key: ObjectKey, in store: Store) -> Bool {
        let pending = writes.withLock { $0[key] ?? [] }
        guard !pending.isEmpty else { return true }
        let collection = store.resourceVersion
        let unseen = pending.filter { write in
            let known = store.stored(write.object)?.resourceVersion ?? "0"
            // The cache may be past a version without showing the object: it is gone again.
            return ![known, collection].contains { ResourceVersion.isAtLeast($0, write.version) ?? false }
        }
        writes.withLock { $0[key] = unseen.isEmpty ? nil : unseen }
        return unseen.isEmpty
    }
}
