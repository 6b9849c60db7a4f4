internal import APIServerKinds
internal import Concurrency
internal import ControllerRuntime
internal import KubernetesClient
internal import Logging
internal import StructuredData

/// Deletes what belongs to owners that are gone, of every type that is served; types that come later too.
///
/// Background: the owner goes, then what it owned. Foreground: the owner waits (finalizer `foregroundDeletion`) until
/// nothing is left that blocks it. Orphan: the owner waits (finalizer `orphan`) until nothing refers to it.
final class GarbageCollector: Sendable {
    private typealias Reference = ControllerRuntime.ObjectReference

    private struct Watched {
        let informer: Informer
        let task: Task<Void, Never>
    }

    private let access: ClusterAccess
    private let registry: ResourceRegistry
    private let queue: WorkQueue<Reference>
    private let watched = Lock<[String: Watched]>([:])
    /// Kinds (`Gizmo.example.com`) whose definition was seen to go: there are no objects of them, and nobody can be asked.
    private let gone = Lock<Set<String>>([])
    private let definitions: Informer
    private let refresh: AsyncStream<Void>
    private let refreshing: AsyncStream<Void>.Continuation

    init(access: ClusterAccess, registry: ResourceRegistry) {
        self.access = access
        self.registry = registry
        queue = WorkQueue(name: "garbage", time: access.time)
        definitions = Informer(
            .customResourceDefinitions, client: access.client, fieldManager: ClusterAccess.controllerManager,
            options: .init(transform: { $0 = GarbageRules.trimmedDefinition($0) }), time: access.time,
            logger: access.logger)
        (refresh, refreshing) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        definitions.onChange { [weak self] change in self?.noteDefinition(change) }
        refreshing.yield()
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.definitions.run() }
            group.addTask { for await _ in self.refresh { await self.watchServedTypes() } }
            for _ in 0..<4 {
                group.addTask { while let taken = await self.queue.next() { await self.process(taken.key) } }
            }
            await group.waitForAll()
        }
        for entry in watched.withLock({ $0.values.map(\.task) }) { entry.cancel() }
        queue.shutDown()
    }

    // MARK: - What is watched

    private func watchServedTypes() async {
        var wanted: [String: ResourceType] = [:]
        for resource in registry.resources {
            let verbs = Set(resource.verbs)
            guard verbs.isSuperset(of: ["list", "watch", "delete"]), wanted[resource.storageKey] == nil else {
                continue
            }
            wanted[resource.storageKey] = resource.type
        }
        // Events and leases come and go by the thousand and own nothing.
        for key in ["events", "events.k8s.io/events"] { wanted[key] = nil }
        let present = watched.withLock { $0.mapValues(\.informer.type) }
        for (key, type) in present where wanted[key] != type {
            watched.withLock { $0.removeValue(forKey: key) }?.task.cancel()
        }
        for (key, type) in wanted where present[key] != type { watch(key, type) }
        // A definition that was just written may be served a moment later.
        let served = Set(wanted.keys)
        guard definitions.store.keys.contains(where: { name in !served.contains { Self.belongs($0, to: name.name) } })
        else { return }
        guard (try? await access.time.sleep(until: access.time.now.advanced(by: .milliseconds(100)))) != nil else {
            return
        }
        refreshing.yield()
    }

    /// `example.com/gizmos` is what `gizmos.example.com` defines.
    private static func belongs(_ storageKey: String, to definition: String) -> Bool {
        let parts = storageKey.split(separator: "/")
        return parts.count == 2 && "\(parts[1]).\(parts[0])" == definition
    }

    private func watch(_ key: String, _ type: ResourceType) {
        let informer = Informer(
            type, client: access.client, fieldManager: ClusterAccess.controllerManager,
            options: .init(isOptional: true, transform: { $0 = GarbageRules.trimmed($0) }), time: access.time,
            logger: access.logger)
        informer.onChange { [weak self] change in self?.note(change, type) }
        let task = Task { await informer.run() }
        watched.withLock { $0[key] = Watched(informer: informer, task: task) }
    }

    private func note(_ change: StoreChange, _ type: ResourceType) {
        if let new = change.new {
            let object = new.object
            let isRelevant = object.isBeingDeleted ? !object.finalizers.isEmpty : !object.ownerReferences.isEmpty
            if isRelevant { queue.add(Reference(type, new.key)) }
            guard let old = change.old, old.uid != new.uid || object.isBeingDeleted != old.isBeingDeleted else {
                return
            }
        }
        // What is gone, or about to go, concerns what it owned, and who waits for it.
        guard let old = change.old else { return }
        for dependent in dependents(of: old.uid) { queue.add(Reference(dependent.type, ObjectKey(dependent.object))) }
        for owner in old.object.ownerReferences {
            if let reference = find(owner["uid"]?.string ?? "", owner, old.key) { queue.add(reference) }
        }
    }

    /// The last of its objects went before it did, but whoever watched them may have been told to stop before it heard.
    private func noteDefinition(_ change: StoreChange) {
        if let old = change.old, change.new?.uid != old.uid, let kind = GarbageRules.kind(definedBy: old.object) {
            gone.withLock { _ = $0.insert(kind) }
            let informers = watched.withLock { $0.values.map(\.informer) }
            for informer in informers {
                for stored in informer.store.list() where GarbageRules.isOwned(stored.object, by: kind) {
                    queue.add(Reference(informer.type, stored.key))
                }
            }
        }
        if let kind = change.new.flatMap({ GarbageRules.kind(definedBy: $0.object) }) {
            gone.withLock { _ = $0.remove(kind) }
        }
        refreshing.yield()
    }

    private func find(_ uid: String, _ owner: JSON, _ dependent: ObjectKey) -> Reference? {
        guard let resource = resource(owner) else { return nil }
        let namespace = resource.type.namespaced ? dependent.namespace : nil
        let type = watched.withLock { $0[resource.storageKey]?.informer.type } ?? resource.type
        return Reference(type, ObjectKey(namespace: namespace, name: owner["name"]?.string ?? ""))
    }

    private func resource(_ owner: JSON) -> ServedResource? {
        let parts = (owner["apiVersion"]?.string ?? "").split(separator: "/").map(String.init)
        guard let version = parts.last, let kind = owner["kind"]?.string else { return nil }
        return registry.resource(group: parts.count > 1 ? parts[0] : "", version: version, kind: kind)
    }

    private func dependents(of uid: String) -> [(type: ResourceType, object: KubernetesObject)] {
        let informers = watched.withLock { $0.values.map(\.informer) }
        return informers.flatMap { informer in informer.store.list(ownedBy: uid).map { (informer.type, $0.object) } }
    }

    // MARK: - Work

    private func process(_ reference: Reference) async {
        defer { queue.done(reference) }
        do {
            guard
                let object = try await access.client.getIfPresent(
                    reference.type, namespace: reference.key.namespace, name: reference.key.name)
            else { return queue.forget(reference) }
            // What a cache does not show yet must be neither overlooked nor let go.
            let isComplete = watched.withLock { $0.values.allSatisfy { $0.informer.status != .starting } }
            guard isComplete else { return queue.add(reference, after: .milliseconds(100)) }
            if object.isBeingDeleted { try await finish(object, reference) }
            try await judge(object, reference)
            queue.forget(reference)
        } catch {
            guard !Task.isCancelled else { return }
            access.logger.debug("garbage collection of \(reference) is tried again: \(error)")
            queue.addRateLimited(reference)
        }
    }

    /// An owner that is being deleted and waits for what it owns.
    private func finish(_ object: KubernetesObject, _ reference: Reference) async throws {
        let dependents = dependents(of: object.uid)
        if object.finalizers.contains(GarbageRules.orphan) {
            for dependent in dependents { try await release(dependent.object, dependent.type, from: [object.uid]) }
            return try await remove(GarbageRules.orphan, from: object, reference.type)
        }
        guard object.finalizers.contains(GarbageRules.foreground) else { return }
        guard dependents.contains(where: { GarbageRules.blocks($0.object, owner: object.uid) }) else {
            return try await remove(GarbageRules.foreground, from: object, reference.type)
        }
        for dependent in dependents where !dependent.object.isBeingDeleted {
            queue.add(Reference(dependent.type, ObjectKey(dependent.object)))
        }
    }

    private func judge(_ object: KubernetesObject, _ reference: Reference) async throws {
        guard !object.ownerReferences.isEmpty else { return }
        var owners: [String: GarbageRules.Owner] = [:]
        for owner in object.ownerReferences {
            guard let uid = owner["uid"]?.string else { continue }
            owners[uid] = try await state(of: owner, uid: uid, dependent: reference)
        }
        let hasDependents = !dependents(of: object.uid).isEmpty
        switch GarbageRules.verdict(of: object, owners: owners, hasDependents: hasDependents) {
        case .keep: return
        case .dropReferences(let uids): try await release(object, reference.type, from: uids)
        case .delete(let propagation):
            // This version: whoever goes may have let it go since it was read. A conflict is looked at again.
            do throws(APIError) {
                try await access.client.delete(
                    reference.type, namespace: object.namespace, name: object.name,
                    options: DeleteOptions(
                        uid: object.uid, resourceVersion: object.resourceVersion, propagation: propagation))
            } catch { guard error.isNotFound else { throw error } }
        }
    }

    /// Asked of the server itself: a cache that lags behind must not cost an object. An owner of a kind that is not
    /// served now may still exist, unless what defined it was seen to go.
    private func state(
        of owner: JSON, uid: String, dependent: Reference
    ) async throws(APIError) -> GarbageRules.Owner {
        guard let resource = resource(owner), let name = owner["name"]?.string, !name.isEmpty else {
            return gone.withLock { $0.contains(GarbageRules.kind(of: owner)) } ? .absent : .present
        }
        // A cluster-wide object cannot belong to one of a namespace.
        if resource.type.namespaced, dependent.key.namespace == nil { return .present }
        let namespace = resource.type.namespaced ? dependent.key.namespace : nil
        let found = try await access.client.getIfPresent(resource.type, namespace: namespace, name: name)
        guard let found, found.uid == uid else { return .absent }
        return found.isBeingDeleted && found.finalizers.contains(GarbageRules.foreground) ? .waiting : .present
    }

    private func release(
        _ object: KubernetesObject, _ type: ResourceType, from uids: Set<String>
    ) async throws(APIError) {
        // The newest state: another owner may have come.
        guard let live = try await access.client.getIfPresent(type, namespace: object.namespace, name: object.name),
            live.uid == object.uid
        else { return }
        let kept = live.ownerReferences.filter { !uids.contains($0["uid"]?.string ?? "") }
        guard kept.count != live.ownerReferences.count else { return }
        try await change(live, type, "ownerReferences", to: kept)
    }

    private func remove(_ finalizer: String, from object: KubernetesObject, _ type: ResourceType) async throws(APIError)
    {
        try await change(object, type, "finalizers", to: object.finalizers.filter { $0 != finalizer }.map { JSON($0) })
    }

    private func change(
        _ object: KubernetesObject, _ type: ResourceType, _ key: String, to list: [JSON]
    ) async throws(APIError) {
        let metadata: JSON = [
            "uid": JSON(object.uid), "resourceVersion": JSON(object.resourceVersion),
            key: list.isEmpty ? .null : .array(list),
        ]
        do throws(APIError) {
            _ = try await access.client.patch(
                type, namespace: object.namespace, name: object.name, .merge(["metadata": metadata]),
                options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
        } catch { guard error.isNotFound else { throw error } }
    }
}
