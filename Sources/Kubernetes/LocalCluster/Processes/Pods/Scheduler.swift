internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Binds every pod that has no node to the one there is.
struct Scheduler: Sendable {
    let access: ClusterAccess
    let node: NodeDescription
    let events: EventRecorder

    func register(with manager: Manager, pods: Informer) {
        manager.controller("scheduler", for: pods, predicate: Self.unbound) { try await bind($0) }
    }

    private static let unbound = Predicate { change in
        guard let pod = change.new?.object else { return false }
        return pod.spec?["nodeName"]?.string ?? "" == "" && !pod.isBeingDeleted
    }

    private func bind(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let pod = context.object, (pod.spec?["nodeName"]?.string ?? "").isEmpty, !pod.isBeingDeleted,
            pod.spec?["schedulingGates"]?.array?.isEmpty ?? true
        else { return .done }
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
        events.record(
            EventNote(
                .normal, reason: "Scheduled", action: "Binding",
                "Successfully assigned \(pod.namespace ?? "")/\(pod.name) to \(node.name)"), about: pod)
        return .done
    }
}
