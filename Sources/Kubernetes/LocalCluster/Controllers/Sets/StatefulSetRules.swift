internal import KubernetesClient
internal import StructuredData

/// What the StatefulSet controller does next: a pure function of a StatefulSet, its pods and its two templates, with the
/// rules of Kubernetes' own controller (documentation, "StatefulSets", "Deployment and Scaling Guarantees").
struct StatefulSetRules {
    enum Action: Equatable {
        case create(JSON)
        case delete(KubernetesObject)
    }

    /// A template and the hash under which its pods are known.
    struct Revision: Equatable {
        let name: String
        let hash: String
        let template: JSON
    }

    let owner: KubernetesObject
    /// By ordinal; pods of other names are left alone.
    let pods: [Int: PodView]
    /// What new pods below the partition get.
    let current: Revision
    let update: Revision
    let now: KubernetesTime

    init(
        owner: KubernetesObject, pods: [KubernetesObject], current: Revision, update: Revision, now: KubernetesTime
    ) {
        self.owner = owner
        self.current = current
        self.update = update
        self.now = now
        var byOrdinal: [Int: PodView] = [:]
        for pod in pods {
            if let ordinal = Self.ordinal(of: pod.name, in: owner.name) { byOrdinal[ordinal] = PodView(pod) }
        }
        self.pods = byOrdinal
    }

    static func ordinal(of name: String, in set: String) -> Int? {
        guard name.hasPrefix("\(set)-") else { return nil }
        return Int(name.dropFirst(set.count + 1))
    }

    private var spec: JSON { owner.spec ?? [:] }
    var replicas: Int { spec["replicas"]?.int ?? 1 }
    private var start: Int { spec.at("ordinals", "start")?.int ?? 0 }
    private var isOrdered: Bool { spec["podManagementPolicy"]?.string != "Parallel" }
    private var minReadySeconds: Int { spec["minReadySeconds"]?.int ?? 0 }
    private var isRolling: Bool { spec.at("updateStrategy", "type")?.string != "OnDelete" }
    private var partition: Int { spec.at("updateStrategy", "rollingUpdate", "partition")?.int ?? 0 }
    private var wanted: Range<Int> { start..<(start + replicas) }
    private var condemned: [Int] { pods.keys.filter { !wanted.contains($0) }.sorted(by: >) }

    private func isAvailable(_ pod: PodView) -> Bool {
        !pod.object.isBeingDeleted && (pod.available(after: minReadySeconds).map { $0 <= now } ?? false)
    }

    private func hash(of pod: PodView) -> String { pod.object.labels[RevisionHistory.hashLabel] ?? "" }

    /// The steps that can be taken now; the caller comes back when a pod has changed.
    var actions: [Action] {
        var actions: [Action] = []
        for ordinal in wanted {
            guard let pod = pods[ordinal] else {
                actions.append(.create(newPod(ordinal)))
                if isOrdered { return actions }
                continue
            }
            if pod.isFinished, !pod.object.isBeingDeleted {
                actions.append(.delete(pod.object))
                if isOrdered { return actions }
            } else if isOrdered, !isAvailable(pod) {
                return actions
            }
        }
        for ordinal in condemned {
            guard let pod = pods[ordinal] else { continue }
            if !pod.object.isBeingDeleted { actions.append(.delete(pod.object)) }
            if isOrdered { return actions }
        }
        return actions.isEmpty ? rollingUpdate : actions
    }

    /// From the last ordinal down, one that is not of the new template at a time.
    private var rollingUpdate: [Action] {
        guard isRolling else { return [] }
        for ordinal in wanted.reversed() where ordinal >= start + partition {
            guard let pod = pods[ordinal] else { return [] }
            if hash(of: pod) != wantedRevision(ordinal).hash {
                return pod.object.isBeingDeleted ? [] : [.delete(pod.object)]
            }
            if !isAvailable(pod) { return [] }
        }
        return []
    }

    private func wantedRevision(_ ordinal: Int) -> Revision {
        if !isRolling { return update }
        return ordinal < start + partition ? current : update
    }

    // MARK: - Pods

    private func newPod(_ ordinal: Int) -> JSON {
        let revision = wantedRevision(ordinal)
        let name = "\(owner.name)-\(ordinal)"
        var template = revision.template
        for (key, value) in [
            ("apps.kubernetes.io/pod-index", "\(ordinal)"), ("statefulset.kubernetes.io/pod-name", name),
            (RevisionHistory.hashLabel, revision.hash),
        ] {
            template.set(JSON(value), at: "metadata", "labels", key)
        }
        template.set(JSON(name), at: "spec", "hostname")
        template.set(spec["serviceName"], at: "spec", "subdomain")
        let claims = (spec["volumeClaimTemplates"]?.array ?? []).compactMap { $0.at("metadata", "name")?.string }
        if !claims.isEmpty {
            let others = template.at("spec", "volumes")?.array ?? []
            let own: [JSON] = claims.map {
                ["name": JSON($0), "persistentVolumeClaim": ["claimName": JSON("\($0)-\(name)")]]
            }
            let kept = others.filter { !claims.contains($0["name"]?.string ?? "") }
            template.set(.array(kept + own), at: "spec", "volumes")
        }
        return PodControl.pod(of: template, owner: owner, .statefulSets, name: name)
    }

    // MARK: - Status

    func status() -> JSON {
        let live = pods.values.filter(\.isActive)
        let updated = live.filter { hash(of: $0) == update.hash }.count
        let ready = live.filter(\.isReady).count
        let isComplete = isRolling && updated == replicas && ready == replicas && live.count == replicas
        let shown = isComplete ? update : current
        var status: JSON = [
            "observedGeneration": JSON(owner.generation), "replicas": JSON(live.count), "collisionCount": 0,
            "availableReplicas": JSON(live.filter(isAvailable).count), "currentRevision": JSON(shown.name),
            "updateRevision": JSON(update.name),
        ]
        for (key, count) in [
            ("readyReplicas", ready), ("updatedReplicas", updated),
            ("currentReplicas", live.filter { hash(of: $0) == shown.hash }.count),
        ] where count > 0 {
            status[key] = JSON(count)
        }
        return status
    }

    /// When the next pod becomes available by time alone.
    var nextAvailability: Duration? {
        let times = pods.values.compactMap { $0.available(after: minReadySeconds) }.filter { $0 > now }
        return times.min().map { now.duration(to: $0) }
    }
}
