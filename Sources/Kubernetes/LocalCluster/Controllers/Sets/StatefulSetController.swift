internal import APIServerKinds
internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Keeps the numbered pods of each StatefulSet, as `StatefulSetRules` say.
struct StatefulSetController: Sendable {
    let control: PodControl
    let history: RevisionHistory

    func register(with manager: Manager, sets: Informer) {
        manager.controller("statefulset", for: sets) { try await reconcile($0) }
            .owns(control.pods)
            .owns(history.revisions)
            .watches(control.pods) { change in ReplicaSetController.selecting(change, in: sets.store) }
    }

    private func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let set = context.object, !set.isBeingDeleted, let json = set.spec?["selector"],
            let selector = LabelSelector(labelSelector: json), !selector.isEmpty
        else { return .done }
        let adoption = Adoption(owner: set, selector: selector, in: control.pods.store)
        if try await control.adopt(adoption, owner: set, .statefulSets, context) { return .done }
        let update = try await history.current(of: set, .statefulSets, context)
        // In the first pass the template is the only one.
        let name = set.status?["currentRevision"]?.string ?? update.name
        let current = history.all(of: set).first { $0.name == name } ?? update
        let rules = StatefulSetRules(
            owner: set, pods: adoption.owned, current: revision(current), update: revision(update),
            now: control.access.time.wallClock)
        for action in rules.actions { try await perform(action, set, context) }
        try await context.updateStatus(.statefulSets, to: rules.status(), through: control.access.client)
        let live = Set(adoption.owned.compactMap { $0.labels[RevisionHistory.hashLabel] })
        try await history.prune(set, live: live.union([current.name, update.name]), context)
        return rules.nextAvailability.map { .requeue(after: $0) } ?? .done
    }

    private func revision(_ object: KubernetesObject) -> StatefulSetRules.Revision {
        StatefulSetRules.Revision(
            name: object.name, hash: object.name, template: RevisionHistory.template(object) ?? [:])
    }

    private func perform(
        _ action: StatefulSetRules.Action, _ set: KubernetesObject, _ context: ReconcileContext
    ) async throws {
        switch action {
        case .create(let pod):
            let name = pod.at("metadata", "name")?.string ?? ""
            try await control.create(
                pod, for: set, context, text: "create Pod \(name) in StatefulSet \(set.name) successful")
        case .delete(let pod):
            try await control.delete(
                pod, for: set, context, text: "delete Pod \(pod.name) in StatefulSet \(set.name) successful")
        }
    }
}
