internal import APIServerKinds
internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Keeps one pod of each DaemonSet on the node, as `DaemonSetRules` say.
struct DaemonSetController: Sendable {
    let control: PodControl
    let history: RevisionHistory
    let nodes: Informer

    func register(with manager: Manager, sets: Informer) {
        manager.controller("daemonset", for: sets) { try await reconcile($0) }
            .owns(control.pods)
            .owns(history.revisions)
            .watches(control.pods) { change in ReplicaSetController.selecting(change, in: sets.store) }
            .watches(nodes, when: .ignoringStatus) { _ in sets.store.keys }
    }

    private func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let set = context.object, !set.isBeingDeleted, let json = set.spec?["selector"],
            let selector = LabelSelector(labelSelector: json), !selector.isEmpty,
            let node = nodes.store.list().first?.object
        else { return .done }
        let adoption = Adoption(owner: set, selector: selector, in: control.pods.store)
        if try await control.adopt(adoption, owner: set, .daemonSets, context) { return .done }
        let hash = RevisionHistory.hash(try await history.current(of: set, .daemonSets, context))
        let rules = DaemonSetRules(
            owner: set, pods: adoption.owned, node: node, hash: hash, now: control.access.time.wallClock)
        for pod in rules.delete { try await control.delete(pod, for: set, context) }
        for pod in rules.create { try await control.create(pod, for: set, context) }
        try await context.updateStatus(.daemonSets, to: rules.status, through: control.access.client)
        let live = Set(adoption.owned.compactMap { $0.labels[RevisionHistory.hashLabel] })
        try await history.prune(set, live: live.union([hash]), context)
        return rules.nextAvailability.map { .requeue(after: $0) } ?? .done
    }
}
