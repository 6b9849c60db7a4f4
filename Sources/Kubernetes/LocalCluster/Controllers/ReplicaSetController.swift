internal import APIServerKinds
internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Keeps as many pods as each ReplicaSet asks for.
struct ReplicaSetController: Sendable {
    let control: PodControl

    func register(with manager: Manager, replicaSets: Informer) {
        manager.controller("replicaset", for: replicaSets, predicate: .ignoringStatus) { try await reconcile($0) }
            .owns(control.pods)
            .watches(control.pods) { change in Self.selecting(change, in: replicaSets.store) }
    }

    /// The keys of those objects in `store` whose selector picks an object without a controller.
    static func selecting(_ change: StoreChange, in store: Store) -> [ObjectKey] {
        guard let object = change.new?.object, object.controller == nil, let namespace = object.namespace else {
            return []
        }
        return store.list(namespace: namespace).filter { stored in
            let selector = stored.object.spec?["selector"].flatMap { LabelSelector(labelSelector: $0) }
            return selector.map { !$0.isEmpty && $0.matches(object.labels) } ?? false
        }.map(\.key)
    }

    private func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let replicaSet = context.object, let json = replicaSet.spec?["selector"],
            let selector = LabelSelector(labelSelector: json), !selector.isEmpty
        else { return .done }
        let adoption = Adoption(owner: replicaSet, selector: selector, in: control.pods.store)
        let rules = ReplicaSetRules(replicaSet: replicaSet, pods: adoption.owned)
        var failure: APIError?
        if !replicaSet.isBeingDeleted {
            if try await control.adopt(adoption, owner: replicaSet, .replicaSets, context) { return .done }
            do throws(APIError) {
                for _ in 0..<min(rules.missing, PodControl.burst) {
                    try await control.create(rules.newPod, for: replicaSet, context)
                }
            } catch { failure = error }
            for pod in rules.surplus { try await control.delete(pod.object, for: replicaSet, context) }
        }
        let now = control.access.time.wallClock
        try await context.updateStatus(
            .replicaSets, to: rules.status(now: now, failure: failure?.text), through: control.access.client)
        if let failure { throw failure }
        return rules.nextAvailability(now: now).map { .requeue(after: $0) } ?? .done
    }
}
