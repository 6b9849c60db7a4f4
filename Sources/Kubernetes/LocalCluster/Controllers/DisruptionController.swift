internal import APIServerKinds
internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Keeps the status of PodDisruptionBudgets.
struct DisruptionController: Sendable {
    let access: ClusterAccess
    let pods: Informer
    let replicaSets: Informer
    let deployments: Informer
    let statefulSets: Informer

    func register(with manager: Manager) {
        let budgets = manager.informer(.podDisruptionBudgets)
        // An eviction writes into the status.
        manager.controller("disruption", for: budgets, predicate: .all) { try await reconcile($0) }
            .watches(pods) { Self.concerned(by: $0, in: budgets.store) }
            .watches(deployments, when: .generationChanged) { ofWorkload($0, in: budgets.store) }
            .watches(statefulSets, when: .generationChanged) { ofWorkload($0, in: budgets.store) }
    }

    /// The budgets that select pods of the workload: one without pods counts for none of them.
    private func ofWorkload(_ change: StoreChange, in budgets: Store) -> [ObjectKey] {
        guard let workload = change.latest?.object, let namespace = workload.namespace,
            let selector = workload.spec?["selector"].flatMap({ LabelSelector(labelSelector: $0) })
        else { return [] }
        return pods.store.list(namespace: namespace).filter { selector.matches($0.object.labels) }
            .flatMap { Self.concerned(by: StoreChange(old: nil, new: $0), in: budgets) }
    }

    /// The budgets that select the pod, or did before the change.
    static func concerned(by change: StoreChange, in budgets: Store) -> [ObjectKey] {
        guard let namespace = change.latest?.key.namespace else { return [] }
        let pods = [change.old, change.new].compactMap { $0?.object }
        return budgets.list(namespace: namespace).filter { stored in
            let selector = stored.object.spec?["selector"].flatMap { LabelSelector(labelSelector: $0) }
            return pods.contains { selector?.matches($0.labels) ?? false }
        }.map(\.key)
    }

    private func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        // Also of one that is being deleted: it guards its pods until it is gone.
        guard let budget = context.object,
            let selector = budget.spec?["selector"].flatMap({ LabelSelector(labelSelector: $0) })
        else { return .done }
        let selected = pods.store.list(namespace: budget.namespace ?? "").map(\.object)
            .filter { selector.matches($0.labels) }.map(PodView.init).filter { !$0.isFinished }
        let now = access.time.wallClock
        let rules = DisruptionRules(budget: budget, pods: selected, expected: expected(selected), now: now)
        try await context.updateStatus(
            .podDisruptionBudgets, to: rules.status, through: access.client, ofThisVersion: true)
        return rules.nextExpiry.map { .requeue(after: $0) } ?? .done
    }

    /// How many pods the controllers of these want in all.
    private func expected(_ pods: [PodView]) -> Int {
        var counts: [String: Int] = [:]
        for pod in pods {
            guard let owner = pod.object.controller, let name = owner["name"]?.string else { continue }
            let key = ObjectKey(namespace: pod.object.namespace, name: name)
            if owner["kind"]?.string == "StatefulSet", let set = statefulSets.store.get(key) {
                counts[set.uid] = set.spec?["replicas"]?.int ?? 1
            }
            guard owner["kind"]?.string == "ReplicaSet", let replicaSet = replicaSets.store.get(key) else { continue }
            if let parent = replicaSet.controller, let parentName = parent["name"]?.string,
                let deployment = deployments.store.get(namespace: pod.object.namespace, name: parentName)
            {
                counts[deployment.uid] = deployment.spec?["replicas"]?.int ?? 1
            } else {
                counts[replicaSet.uid] = replicaSet.spec?["replicas"]?.int ?? 1
            }
        }
        return counts.values.reduce(0, +)
    }
}

/// The numbers of a PodDisruptionBudget.
struct DisruptionRules {
    /// How long a pod that was evicted counts as gone while nobody has seen it go.
    private static let patience: Duration = .seconds(120)

    let budget: KubernetesObject
    let pods: [PodView]
    /// What the pods' controllers want in all.
    let expected: Int
    let now: KubernetesTime

    /// When each pod was evicted that is not seen to go yet.
    private var disrupted: [(pod: String, at: KubernetesTime)] {
        let there = Set(pods.filter { !$0.object.isBeingDeleted }.map(\.object.name))
        let noted = budget.status?["disruptedPods"]?.object ?? [:]
        return noted.compactMap { entry -> (pod: String, at: KubernetesTime)? in
            guard there.contains(entry.key), let time = entry.value.string.flatMap({ KubernetesTime($0) }),
                now < time.advanced(by: Self.patience)
            else { return nil }
            return (entry.key, time)
        }
    }

    /// When the first of them counts as there again.
    var nextExpiry: Duration? { disrupted.map { now.duration(to: $0.at.advanced(by: Self.patience)) }.min() }

    var status: JSON {
        let (expectedPods, desired) = desiredHealthy
        let disrupted = disrupted
        let evicted = Set(disrupted.map(\.pod))
        let healthy = pods.filter {
            $0.isReady && !$0.object.isBeingDeleted && !evicted.contains($0.object.name)
        }.count
        let allowed = expectedPods > 0 ? max(0, healthy - desired) : 0
        let state: JSON = allowed > 0 ? "True" : "False"
        let old = budget.status?["conditions"]?.array?.first { $0["type"]?.string == "DisruptionAllowed" }
        let transition = old?["status"] == state ? old?["lastTransitionTime"] : nil
        var status = budget.status ?? [:]
        status["observedGeneration"] = JSON(budget.generation)
        status["currentHealthy"] = JSON(healthy)
        status["desiredHealthy"] = JSON(desired)
        status["expectedPods"] = JSON(expectedPods)
        status["disruptionsAllowed"] = JSON(allowed)
        status["disruptedPods"] =
            disrupted.isEmpty
            ? Optional<JSON>.none : JSON(Dictionary(uniqueKeysWithValues: disrupted.map { ($0.pod, $0.at.text) }))
        status["conditions"] = [
            [
                "type": "DisruptionAllowed", "status": state, "message": "",
                "reason": allowed > 0 ? "SufficientPods" : "InsufficientPods",
                "observedGeneration": JSON(budget.generation), "lastTransitionTime": transition ?? JSON(now.text),
            ]
        ]
        return status
    }

    private var desiredHealthy: (expected: Int, desired: Int) {
        if let unavailable = budget.spec?["maxUnavailable"] {
            return (expected, max(0, expected - DeploymentRules.count(unavailable, of: expected, roundUp: true)))
        }
        let minimum = budget.spec?["minAvailable"] ?? 1
        if let count = minimum.int { return (pods.count, count) }
        return (expected, DeploymentRules.count(minimum, of: expected, roundUp: true))
    }
}
