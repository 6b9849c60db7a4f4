internal import APIServerKinds
internal import KubernetesClient
internal import StructuredData

/// What the ReplicaSet controller does next: a pure function of a ReplicaSet and the pods that it owns or could own.
struct ReplicaSetRules {
    let replicaSet: KubernetesObject
    let pods: [PodView]

    /// - Parameter pods: those that it controls and that match its selector.
    init(replicaSet: KubernetesObject, pods: [KubernetesObject]) {
        self.replicaSet = replicaSet
        self.pods = pods.map(PodView.init)
    }

    var desired: Int { replicaSet.spec?["replicas"]?.int ?? 1 }
    var minReadySeconds: Int { replicaSet.spec?["minReadySeconds"]?.int ?? 0 }
    var active: [PodView] { pods.filter(\.isActive) }
    var missing: Int { max(0, desired - active.count) }

    /// The pods that are one too many, those that are missed least first.
    var surplus: [PodView] {
        let count = active.count - desired
        guard count > 0 else { return [] }
        return Array(active.sorted(by: Self.goesBefore).prefix(count))
    }

    /// The order in which Kubernetes deletes pods: not assigned, not running, not ready, of lower deletion cost, ready
    /// for a shorter time, restarted more often, younger (kubernetes/pkg/controller, `ActivePodsWithRanks`).
    static func goesBefore(_ left: PodView, _ right: PodView) -> Bool {
        if left.nodeName.isEmpty != right.nodeName.isEmpty { return left.nodeName.isEmpty }
        let phases = ["Pending": 0, "Unknown": 1, "Running": 2]
        let (leftPhase, rightPhase) = (phases[left.phase] ?? 0, phases[right.phase] ?? 0)
        if leftPhase != rightPhase { return leftPhase < rightPhase }
        if left.isReady != right.isReady { return !left.isReady }
        if left.deletionCost != right.deletionCost { return left.deletionCost < right.deletionCost }
        if let leftSince = left.readySince, let rightSince = right.readySince, leftSince != rightSince {
            return leftSince > rightSince
        }
        if left.restarts != right.restarts { return left.restarts > right.restarts }
        if let leftCreated = left.created, let rightCreated = right.created, leftCreated != rightCreated {
            return leftCreated > rightCreated
        }
        return left.object.name < right.object.name
    }

    /// A pod of the template; the server completes its name.
    var newPod: JSON {
        PodControl.pod(of: replicaSet.spec?["template"] ?? [:], owner: replicaSet, .replicaSets)
    }

    func status(now: KubernetesTime, failure: String?) -> JSON {
        let active = active
        let labels = LabelSelector(map: replicaSet.spec?.at("template", "metadata", "labels") ?? [:])
        let counts = [
            ("fullyLabeledReplicas", active.filter { labels.matches($0.object.labels) }.count),
            ("readyReplicas", active.filter(\.isReady).count),
            ("availableReplicas", active.filter { isAvailable($0, now: now) }.count),
        ]
        var status: JSON = ["replicas": JSON(active.count)]
        for (key, count) in counts where count > 0 { status[key] = JSON(count) }
        status["observedGeneration"] = JSON(replicaSet.generation)
        if let failure { status["conditions"] = [failureCondition(failure, now: now)] }
        return status
    }

    /// The first one stays until pods can be made again: each attempt has the name of another pod in it.
    private func failureCondition(_ message: String, now: KubernetesTime) -> JSON {
        replicaSet.status?["conditions"]?.array?.first { $0["type"]?.string == "ReplicaFailure" } ?? [
            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": JSON(message),
            "lastTransitionTime": JSON(now.text),
        ]
    }

    private func isAvailable(_ pod: PodView, now: KubernetesTime) -> Bool {
        pod.available(after: minReadySeconds).map { $0 <= now } ?? false
    }

    /// When the next pod becomes available by time alone; nil when none will.
    func nextAvailability(now: KubernetesTime) -> Duration? {
        let times = active.compactMap { $0.available(after: minReadySeconds) }.filter { $0 > now }
        return times.min().map { now.duration(to: $0) }
    }
}

extension KubernetesObject {
    /// As `controllerReference`, for objects that may have come without kind and version.
    func controllerReference(kind: String, apiVersion: String) -> JSON {
        [
            "apiVersion": JSON(apiVersion), "kind": JSON(kind), "name": JSON(name), "uid": JSON(uid),
            "controller": true, "blockOwnerDeletion": true,
        ]
    }

    func isControlled(by uid: String) -> Bool { controller?["uid"]?.string == uid }
}
