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
        registry.onChange { [refreshing] in refreshing.yield() }
        refreshing.yield()
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.definitions.run() }
            group.addTask { for await _ in self.refresh { self.watchServedTypes() } }
            for _ in 0..<4 {
                group.addTask { while let taken = await self.queue.next() { await self.process(taken.key) } }
            }
            await group.waitForAll()
        }
        for entry in watched.withLock({ $0.values.map(\.task) }) { entry.cancel() }
        queue.shutDown()
    }

    // MARK: - What is watched

    private func watchServedTypes() {
        var wanted: [String: ServedResource] = [:]
        for resource in registry.resources {
            let verbs = Set(resource.verbs)
            guard verbs.isSuperset(of: ["list", "watch", "delete"]), wanted[resource.storageKey] == nil else {
                continue
            }
            wanted[resource.storageKey] = resource
        }
        // Events and leases come and go by the thousand and own nothing.
        for key in ["events", "events.k8s.io/events"] { wanted[key] = nil }
        let present = watched.withLock { $0.mapValues(\.informer.type) }
        for key in present.keys where wanted[key] == nil {
            guard let former = watched.withLock({ $0.removeValue(forKey: key) }) else { continue }
            former.task.cancel()
            // Nobody tells any more that these went, for which an owner may wait.
            for stored in former.informer.store.list() {
                note(StoreChange(old: stored, new: nil), former.informer.type)
            }
        }
        for (key, resource) in wanted where present[key] != resource.type { watch(key, resource) }
    }

    private func watch(_ key: String, _ resource: ServedResource) {
        let type = resource.type
        let informer = Informer(
            type, client: access.client, fieldManager: ClusterAccess.controllerManager,
            options: .init(
                isOptional: true, indices: [GarbageRules.ownerKind], transform: { $0 = GarbageRules.trimmed($0) }),
            time: access.time, logger: access.logger)
        informer.onChange { [weak self] change in self?.note(change, type) }
        // Its objects may have gone while it was not served, or in another version: then no watch tells of them.
        if resource.isCustom {
            informer.onStatusChange { [weak self] status in
                if status == .synced { self?.lookAtDependents(ofKind: "\(type.kind).\(type.group)") }
            }
        }
        let former = watched.withLock { watched in
            watched.updateValue(Watched(informer: informer, task: Task { await informer.run() }), forKey: key)
        }
        former?.task.cancel()
    }

    private func note(_ change: StoreChange, _ type: ResourceType) {
        let new = change.new?.object
        if let new {
            let isRelevant = new.isBeingDeleted ? !new.finalizers.isEmpty : !new.ownerReferences.isEmpty
            if isRelevant { queue.add(Reference(type, ObjectKey(new))) }
        }
        guard let old = change.old else { return }
        let present = change.new?.uid == old.uid ? new : nil
        for owner in GarbageRules.unblocked(from: old.object, to: present) {
            if let reference = find(owner, old.key) { queue.add(reference) }
        }
        // What is gone, or about to go, concerns what it owned.
        guard present?.isBeingDeleted != old.isBeingDeleted else { return }
        for dependent in dependents(of: old.uid) { queue.add(Reference(dependent.type, ObjectKey(dependent.object))) }
    }

    /// The last of its objects went before it did, but whoever watched them may have been told to stop before it heard.
    private func noteDefinition(_ change: StoreChange) {
        if let old = change.old, change.new?.uid != old.uid, let kind = GarbageRules.kind(definedBy: old.object) {
            gone.withLock { _ = $0.insert(kind) }
            lookAtDependents(ofKind: kind)
        }
        if let kind = change.new.flatMap({ GarbageRules.kind(definedBy: $0.object) }) {
            gone.withLock { _ = $0.remove(kind) }
        }
    }

    private func lookAtDependents(ofKind kind: String) {
        let informers = watched.withLock { $0.values.map(\.informer) }
        for informer in informers {
            for key in informer.store.keys(index: GarbageRules.ownerKind.name, value: kind) {
                queue.add(Reference(informer.type, key))
            }
        }
    }

    private func find(_ owner: JSON, _ dependent: ObjectKey) -> Reference? {
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
            let isComplete = watched.withLock { $0.values.allSatisfy(\.informer.isKnown) }
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
