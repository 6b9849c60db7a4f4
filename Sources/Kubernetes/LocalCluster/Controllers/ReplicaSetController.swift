internal import APIServerKinds
internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Keeps as many pods as each ReplicaSet asks for.
struct ReplicaSetController: Sendable {
    private static let burst = 500

    let access: ClusterAccess
    let pods: Informer
    let events: EventRecorder
    private let unseen = UnseenWrites()

    init(access: ClusterAccess, pods: Informer, events: EventRecorder) {
        self.access = access
        self.pods = pods
        self.events = events
    }

    func register(with manager: Manager, replicaSets: Informer) {
        manager.controller("replicaset", for: replicaSets, predicate: .ignoringStatus) { try await reconcile($0) }
            .owns(pods)
            .watches(pods) { change in Self.selecting(change, in: replicaSets.store) }
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
        guard unseen.areSeen(context.key, in: pods.store) else { return .done }
        let adoption = Adoption(owner: replicaSet, selector: selector, in: pods.store)
        let rules = ReplicaSetRules(replicaSet: replicaSet, pods: adoption.owned)
        var failure: APIError?
        if !replicaSet.isBeingDeleted {
            let reference = replicaSet.controllerReference(kind: "ReplicaSet", apiVersion: "apps/v1")
            if try await adoption.settle(
                owner: replicaSet, reference: reference, .pods, client: access.client, unseen: unseen,
                by: ClusterAccess.controllerManager)
            {
                return .done
            }
            failure = await scale(replicaSet, rules, context.key)
            for pod in rules.surplus {
                guard let stored = pods.store.stored(ObjectKey(pod.object)) else { continue }
                try await context.delete(stored, .pods)
                record(.normal, "SuccessfulDelete", "Deleted pod: \(pod.object.name)", about: replicaSet)
            }
        }
        let now = access.time.wallClock
        try await access.client.updateStatus(
            of: replicaSet, .replicaSets, to: rules.status(now: now, failure: failure?.text),
            by: ClusterAccess.controllerManager)
        if let failure { throw failure }
        return rules.nextAvailability(now: now).map { .requeue(after: $0) } ?? .done
    }

    /// Creates what is missing; returns why it could not.
    private func scale(_ replicaSet: KubernetesObject, _ rules: ReplicaSetRules, _ key: ObjectKey) async -> APIError? {
        for _ in 0..<min(rules.missing, Self.burst) {
            do throws(APIError) {
                let pod = try await access.client.create(
                    rules.newPod, .pods, options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
                unseen.note(pod, for: key)
                record(.normal, "SuccessfulCreate", "Created pod: \(pod.name)", about: replicaSet)
            } catch {
                // The namespace goes, and this object with it.
                if error.isNamespaceTerminating { return nil }
                record(.warning, "FailedCreate", "Error creating: \(error.text)", about: replicaSet)
                return error
            }
        }
        return nil
    }

    private func record(
        _ severity: EventNote.Severity, _ reason: String, _ text: String, about object: KubernetesObject
    ) {
        events.record(EventNote(severity, reason: reason, action: "Reconcile", text), about: object)
    }
}
