internal import KubernetesClient
internal import StructuredData

/// What the DaemonSet controller does next on the one node: a pure function of a DaemonSet, its pods and the node.
struct DaemonSetRules {
    let owner: KubernetesObject
    let pods: [PodView]
    let node: KubernetesObject
    /// Of the present template.
    let hash: String
    let now: KubernetesTime

    init(owner: KubernetesObject, pods: [KubernetesObject], node: KubernetesObject, hash: String, now: KubernetesTime) {
        self.owner = owner
        self.pods = pods.map(PodView.init)
        self.node = node
        self.hash = hash
        self.now = now
    }

    private var spec: JSON { owner.spec ?? [:] }
    private var minReadySeconds: Int { spec["minReadySeconds"]?.int ?? 0 }
    private var live: [PodView] { pods.filter(\.isActive).sorted { $0.object.name < $1.object.name } }
    private func isNew(_ pod: PodView) -> Bool { pod.object.labels[RevisionHistory.hashLabel] == hash }
    private func isAvailable(_ pod: PodView) -> Bool {
        pod.available(after: minReadySeconds).map { $0 <= now } ?? false
    }

    /// Whether the node takes the pods: a cordon does not keep them off, nor do taints that they tolerate.
    var isWanted: Bool {
        let pod = newPod
        return NodeRules(node).refusal(of: pod["spec"] ?? [:]) == nil
    }

    var delete: [KubernetesObject] {
        let finished = pods.filter { $0.isFinished && !$0.object.isBeingDeleted }.map(\.object)
        guard isWanted else { return finished + live.map(\.object) }
        let (new, old) = (live.filter(isNew), live.filter { !isNew($0) })
        let surplus = new.sorted(by: ReplicaSetRules.goesBefore).dropLast(1) + (new.isEmpty ? old.dropLast(1) : [])
        return finished + surplus.map(\.object) + outdated(old, new).map(\.object)
    }

    private func outdated(_ old: [PodView], _ new: [PodView]) -> [PodView] {
        let update = spec["updateStrategy"]
        guard update?["type"]?.string != "OnDelete" else { return [] }
        // What does not work holds nothing up.
        guard surges else { return Array(old.prefix(1)) }
        return new.contains(where: isAvailable) ? old : old.filter { !isAvailable($0) }
    }

    /// The new pod comes before the old one goes.
    private var surges: Bool {
        let surge = spec.at("updateStrategy", "rollingUpdate", "maxSurge") ?? 0
        return DeploymentRules.count(surge, of: 1, roundUp: true) > 0
    }

    var create: [JSON] {
        guard isWanted, !live.contains(where: isNew) else { return [] }
        let isRolling = spec.at("updateStrategy", "type")?.string != "OnDelete"
        return live.isEmpty || (surges && isRolling) ? [newPod] : []
    }

    /// It names its node, and tolerates what would keep other pods off.
    private var newPod: JSON {
        var template = spec["template"] ?? [:]
        template.set(JSON(hash), at: "metadata", "labels", RevisionHistory.hashLabel)
        template.set(JSON("\(owner.generation)"), at: "metadata", "labels", "pod-template-generation")
        let affinity: JSON = [
            "nodeSelectorTerms": [
                ["matchFields": [["key": "metadata.name", "operator": "In", "values": [JSON(node.name)]]]]
            ]
        ]
        let path = "requiredDuringSchedulingIgnoredDuringExecution"
        if template.at("spec", "affinity", "nodeAffinity", path) == nil {
            template.set(affinity, at: "spec", "affinity", "nodeAffinity", path)
        }
        let tolerations: [JSON] = [
            ("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"),
            ("memory-pressure", "NoSchedule"), ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"),
        ].map { ["key": JSON("node.kubernetes.io/\($0)"), "operator": "Exists", "effect": JSON($1)] }
        let own = template.at("spec", "tolerations")?.array ?? []
        template.set(.array(own + tolerations.filter { !own.contains($0) }), at: "spec", "tolerations")
        return PodControl.pod(of: template, owner: owner, .daemonSets)
    }

    var status: JSON {
        let desired = isWanted ? 1 : 0
        let scheduled = min(live.count, 1)
        var status: JSON = [
            "observedGeneration": JSON(owner.generation), "desiredNumberScheduled": JSON(desired),
            "currentNumberScheduled": JSON(min(scheduled, desired)),
            "numberMisscheduled": JSON(desired == 0 ? scheduled : 0),
            "numberReady": JSON(min(desired, live.filter(\.isReady).count)),
        ]
        let available = min(desired, live.filter(isAvailable).count)
        for (key, count) in [
            ("updatedNumberScheduled", min(desired, live.filter(isNew).count)), ("numberAvailable", available),
            ("numberUnavailable", desired - available),
        ] where count > 0 {
            status[key] = JSON(count)
        }
        return status
    }

    /// When a pod becomes available by time alone.
    var nextAvailability: Duration? {
        let times = live.compactMap { $0.available(after: minReadySeconds) }.filter { $0 > now }
        return times.min().map { now.duration(to: $0) }
    }
}
