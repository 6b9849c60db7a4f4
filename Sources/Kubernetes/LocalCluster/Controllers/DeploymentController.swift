internal import APIServerKinds
internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Brings the ReplicaSets of each Deployment to what `DeploymentRules` say.
struct DeploymentController: Sendable {
    let access: ClusterAccess
    let replicaSets: Informer
    let events: EventRecorder

    func register(with manager: Manager, deployments: Informer) {
        manager.controller("deployment", for: deployments) { try await reconcile($0) }
            .owns(replicaSets)
            .watches(replicaSets) { ReplicaSetController.selecting($0, in: deployments.store) }
    }

    private func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let deployment = context.object, let json = deployment.spec?["selector"],
            let selector = LabelSelector(labelSelector: json), !selector.isEmpty, !deployment.isBeingDeleted
        else { return .done }
        let adoption = Adoption(owner: deployment, selector: selector, in: replicaSets.store)
        let reference = deployment.controllerReference(kind: "Deployment", apiVersion: "apps/v1")
        if try await adoption.settle(
            owner: deployment, reference: reference, .replicaSets, client: access.client,
            by: ClusterAccess.controllerManager, context)
        {
            return .done
        }
        let rules = DeploymentRules(deployment: deployment.json, replicaSets: adoption.owned.map(\.json))
        for action in rules.actions { try await perform(action, rules, deployment, context) }
        try await annotate(deployment, rules)
        let now = access.time.wallClock
        try await context.updateStatus(.deployments, to: rules.status(now: now), through: access.client)
        return rules.progressDeadline(now: now).map { .requeue(after: $0) } ?? .done
    }

    /// The Deployment carries the revision of its current ReplicaSet. Written with the status, as Kubernetes' own
    /// controller does it: there an annotation begins no new generation.
    private func annotate(_ deployment: KubernetesObject, _ rules: DeploymentRules) async throws(APIError) {
        guard let revision = rules.currentRevision,
            deployment.annotations[DeploymentRules.revisionAnnotation] != revision
        else { return }
        _ = try await access.client.patch(
            .deployments, namespace: deployment.namespace, name: deployment.name,
            .merge(["metadata": ["annotations": [DeploymentRules.revisionAnnotation: JSON(revision)]]]),
            subresource: "status", options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
    }

    private func perform(
        _ action: DeploymentRules.Action, _ rules: DeploymentRules, _ deployment: KubernetesObject,
        _ context: ReconcileContext
    ) async throws {
        switch action {
        case .create(let replicaSet): try await create(replicaSet, deployment, context)
        case .scale(let name, let replicas):
            let old = rules.all.first { $0.name == name }?.replicas ?? 0
            try await patch(
                name, ["spec": ["replicas": JSON(replicas)], "metadata": rules.scaleAnnotations], deployment, context)
            announce(deployment, name, from: old, to: replicas)
        case .annotate(let name, let annotations):
            try await patch(name, ["metadata": ["annotations": annotations]], deployment, context)
        case .setMinReadySeconds(let name, let seconds):
            try await patch(name, ["spec": ["minReadySeconds": JSON(seconds)]], deployment, context)
        case .delete(let name):
            let key = ObjectKey(namespace: deployment.namespace, name: name)
            guard let stored = replicaSets.store.stored(key) else { return }
            try await context.delete(stored, .replicaSets)
        }
    }

    private func create(
        _ replicaSet: JSON, _ deployment: KubernetesObject, _ context: ReconcileContext
    ) async throws(APIError) {
        let options = WriteOptions(fieldManager: ClusterAccess.controllerManager)
        let created = try await access.client.create(KubernetesObject(replicaSet), .replicaSets, options: options)
        context.expect(created, .replicaSets, isNew: true)
        let replicas = created.spec?["replicas"]?.int ?? 0
        if replicas > 0 { announce(deployment, created.name, from: 0, to: replicas) }
    }

    private func patch(
        _ name: String, _ change: JSON, _ deployment: KubernetesObject, _ context: ReconcileContext
    ) async throws(APIError) {
        let written = try await access.client.patch(
            .replicaSets, namespace: deployment.namespace, name: name, .merge(change),
            options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
        context.expect(written, .replicaSets)
    }

    private func announce(_ deployment: KubernetesObject, _ name: String, from old: Int, to new: Int) {
        let text = "Scaled \(new > old ? "up" : "down") replica set \(name) from \(old) to \(new)"
        events.record(
            EventNote(.normal, reason: "ScalingReplicaSet", action: "Scale", text), about: deployment)
    }
}
