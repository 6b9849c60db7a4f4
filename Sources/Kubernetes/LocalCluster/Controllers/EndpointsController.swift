internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Writes what `EndpointRules` say.
struct EndpointsController: Sendable {
    private static let compared = ["addressType", "ports", "endpoints", "subsets"]

    let access: ClusterAccess
    let pods: Informer
    let slices: Informer

    func register(with manager: Manager, services: Informer) {
        let endpoints = manager.informer(.endpoints)
        manager.controller("endpoints", for: services, predicate: .all) { try await reconcile($0) }
            .owns(slices)
            .watches(endpoints) { $0.latest.map { [$0.key] } ?? [] }
            .watches(pods) { Self.services(of: $0, in: services.store) }
    }

    /// The Services that select the pod as it is, or as it was.
    private static func services(of change: StoreChange, in store: Store) -> [ObjectKey] {
        guard let namespace = change.latest?.key.namespace else { return [] }
        let states = [change.new, change.old].compactMap { $0?.object }
        return store.list(namespace: namespace).filter { stored in
            let service = stored.object
            guard let selector = service.spec?["selector"]?.object, !selector.isEmpty else { return false }
            return states.contains { pod in
                let labels = pod.labels
                return selector.allSatisfy { labels[$0.key] == $0.value.string }
            }
        }.map(\.key)
    }

    private func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        let endpoints = context.store(.endpoints)
        guard let service = context.object else {
            // Endpoints have no owner; slices have, and go by themselves.
            if let stored = endpoints?.stored(context.key) { try await context.delete(stored, .endpoints) }
            return .done
        }
        let candidates = pods.store.list(namespace: service.namespace ?? "").map(\.object)
        guard !service.isBeingDeleted, let rules = EndpointRules(service: service, pods: candidates) else {
            return .done
        }
        try await write(rules.endpoints, .endpoints, present: endpoints?.get(context.key))
        let wanted = rules.slices
        for slice in wanted { try await write(slice, .endpointSlices, present: slices.store.get(ObjectKey(slice))) }
        let names = Set(wanted.map(\.name))
        for child in context.children(.endpointSlices) where !names.contains(child.key.name) && !child.isBeingDeleted {
            try await context.delete(child, .endpointSlices)
        }
        return .done
    }

    private func write(
        _ wanted: KubernetesObject, _ type: ResourceType, present: KubernetesObject?
    ) async throws(APIError) {
        let options = WriteOptions(fieldManager: ClusterAccess.controllerManager)
        do throws(APIError) {
            guard let present else {
                _ = try await access.client.create(wanted, type, options: options)
                return
            }
            let isSame = Self.compared.allSatisfy { Self.isSame(present.json[$0], wanted.json[$0]) }
            guard !isSame || present.labels != wanted.labels else { return }
            _ = try await access.client.replace(wanted, type, options: options)
        } catch {
            // The cache lags behind, or the namespace goes: the next change brings another pass.
            guard error.isAlreadyExists || error.isNotFound || error.isNamespaceTerminating else { throw error }
        }
    }

    /// An empty list and none are the same to the server.
    private static func isSame(_ left: JSON?, _ right: JSON?) -> Bool {
        (left?.array?.isEmpty == true ? nil : left) == (right?.array?.isEmpty == true ? nil : right)
    }
}
