internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Binds every pod that has no node to the one there is, if that takes it.
struct Scheduler: Sendable {
    private static let name = "default-scheduler"

    let access: ClusterAccess
    let nodes: Informer
    let events: EventRecorder

    func register(with manager: Manager, pods: Informer) {
        manager.controller("scheduler", for: pods, predicate: Self.unbound && .ignoringStatus) { try await bind($0) }
            .watches(nodes, when: .ignoringStatus) { _ in
                pods.store.list().filter { Self.isUnbound($0.object) }.map(\.key)
            }
    }

    private static func isUnbound(_ pod: KubernetesObject) -> Bool {
        (pod.spec?["nodeName"]?.string ?? "").isEmpty && !pod.isBeingDeleted && !PodView(pod).isFinished
    }

    private static let unbound = Predicate { $0.new.map { isUnbound($0.object) } ?? false }

    private func bind(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let pod = context.object, Self.isUnbound(pod), let node = nodes.store.list().first?.object,
            pod.spec?["schedulerName"]?.string ?? Self.name == Self.name
        else { return .done }
        guard pod.spec?["schedulingGates"]?.array?.isEmpty ?? true else {
            try await postpone(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")
            return .done
        }
        if let refusal = NodeRules(node).refusal(of: pod.spec ?? [:]) {
            let message =
                "0/1 nodes are available: 1 \(refusal). preemption: 0/1 nodes are available: "
                + "1 Preemption is not helpful for scheduling."
            if try await postpone(pod, "Unschedulable", message) {
                let note = EventNote(.warning, reason: "FailedScheduling", action: "Scheduling", message)
                events.record(note, about: pod)
            }
            return .done
        }
        let binding: JSON = [
            "apiVersion": "v1", "kind": "Binding", "metadata": ["name": JSON(pod.name), "uid": JSON(pod.uid)],
            "target": ["apiVersion": "v1", "kind": "Node", "name": JSON(node.name)],
        ]
        do {
            _ = try await access.client.create(
                binding, .pods, namespace: pod.namespace, name: pod.name, subresource: "binding")
        } catch {
            // Bound or gone meanwhile.
            guard error.isConflict || error.isNotFound else { throw error }
            return .done
        }
        let text = "Successfully assigned \(pod.namespace ?? "")/\(pod.name) to \(node.name)"
        events.record(EventNote(.normal, reason: "Scheduled", action: "Binding", text), about: pod)
        return .done
    }

    /// Says why the pod waits; true when that is new.
    @discardableResult
    private func postpone(
        _ pod: KubernetesObject, _ reason: String, _ message: String
    ) async throws(APIError) -> Bool {
        let old = PodView(pod).condition("PodScheduled")
        guard old?["reason"]?.string != reason || old?["message"]?.string != message else { return false }
        let since = old?["status"] == "False" ? old?["lastTransitionTime"] : nil
        var status = pod.status ?? [:]
        let others = (status["conditions"]?.array ?? []).filter { $0["type"] != "PodScheduled" }
        let condition: JSON = [
            "type": "PodScheduled", "status": "False", "reason": JSON(reason), "message": JSON(message),
            "lastTransitionTime": since ?? JSON(access.time.wallClock.text),
        ]
        status["conditions"] = .array(others + [condition])
        return try await access.client.updatePodStatus(of: pod, to: status, by: Self.name) != nil
    }
}
