internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Keeps the taint of a cordoned node, and ends pods that do not tolerate a `NoExecute` taint.
struct NodeController: Sendable {
    let access: ClusterAccess
    let pods: Informer
    let events: EventRecorder

    func register(with manager: Manager, nodes: Informer) {
        manager.controller("node", for: nodes) { try await reconcile($0) }
            .watches(pods, when: .generationChanged) { _ in nodes.store.keys }
    }

    private func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let node = context.object, !node.isBeingDeleted else { return .done }
        let now = access.time.wallClock
        if let taints = Self.taints(of: node, now: now) {
            let change: JSON = ["metadata": ["uid": JSON(node.uid)], "spec": ["taints": taints]]
            _ = try await access.client.patch(
                .nodes, name: node.name, .merge(change),
                options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
            return .done
        }
        var next: Duration?
        for stored in pods.store.list() {
            let pod = stored.object
            guard pod.spec?["nodeName"]?.string == node.name, !pod.isBeingDeleted, !PodView(pod).isFinished,
                let stay = NodeRules(node).stay(of: pod.spec ?? [:], now: now)
            else { continue }
            guard stay == .zero else {
                next = min(next ?? stay, stay)
                continue
            }
            events.record(
                EventNote(
                    .normal, reason: "TaintManagerEviction", action: "Delete",
                    "Marking for deletion Pod \(pod.namespace ?? "")/\(pod.name)"), about: pod)
            try await context.delete(stored, .pods)
        }
        return next.map { .requeue(after: $0) } ?? .done
    }

    /// What the node's taints should be; nil when they are so. The times that effects count from are filled in.
    static func taints(of node: KubernetesObject, now: KubernetesTime) -> JSON? {
        let rules = NodeRules(node)
        var taints = rules.taints.filter {
            $0["key"]?.string != NodeRules.unschedulable || ($0["effect"]?.string == "NoSchedule" && rules.isCordoned)
        }
        if rules.isCordoned, !taints.contains(where: { $0["key"]?.string == NodeRules.unschedulable }) {
            taints.append(["key": JSON(NodeRules.unschedulable), "effect": "NoSchedule", "timeAdded": JSON(now.text)])
        }
        for index in taints.indices
        where taints[index]["effect"] == "NoExecute" && taints[index]["timeAdded"] == nil {
            taints[index]["timeAdded"] = JSON(now.text)
        }
        guard taints != rules.taints else { return nil }
        return taints.isEmpty ? .null : .array(taints)
    }
}
