internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// How the controllers of workloads make and delete pods: the next pass waits until the cache shows each write, and each
/// is an Event of the workload.
struct PodControl: Sendable {
    /// No more are created in one pass.
    static let burst = 500

    let access: ClusterAccess
    let pods: Informer
    let events: EventRecorder

    /// A pod of `template` that `owner` controls.
    /// - Parameter name: nil lets the server complete `generateName`, by default the owner's name and a dash.
    static func pod(
        of template: JSON, owner: KubernetesObject, _ type: ResourceType, name: String? = nil,
        generateName: String? = nil
    ) -> JSON {
        var metadata: JSON = [
            "namespace": JSON(owner.namespace ?? ""),
            "ownerReferences": [owner.controllerReference(kind: type.kind, apiVersion: type.apiVersion)],
        ]
        if let name {
            metadata["name"] = JSON(name)
        } else {
            metadata["generateName"] = JSON(generateName ?? "\(owner.name)-")
        }
        for key in ["labels", "annotations", "finalizers"] { metadata[key] = template.at("metadata", key) }
        return ["apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] ?? [:]]
    }

    func adopt(
        _ adoption: Adoption, owner: KubernetesObject, _ type: ResourceType, _ context: ReconcileContext
    ) async throws(APIError) -> Bool {
        try await adoption.settle(
            owner: owner, reference: owner.controllerReference(kind: type.kind, apiVersion: type.apiVersion), .pods,
            client: access.client, by: ClusterAccess.controllerManager, context)
    }

    /// Creates the pod. Nothing happens when its namespace goes: the owner goes with it.
    /// - Parameter text: what the Event says; nil is "Created pod: NAME".
    func create(
        _ pod: JSON, for owner: KubernetesObject, _ context: ReconcileContext, text: String? = nil
    ) async throws(APIError) {
        do {
            let created = try await access.client.create(
                KubernetesObject(pod), .pods, options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
            context.expect(created, .pods, isNew: true)
            record(.normal, "SuccessfulCreate", text ?? "Created pod: \(created.name)", about: owner)
        } catch {
            if error.isNamespaceTerminating { return }
            record(.warning, "FailedCreate", "Error creating: \(error.text)", about: owner)
            throw error
        }
    }

    func delete(
        _ pod: KubernetesObject, for owner: KubernetesObject, _ context: ReconcileContext, text: String? = nil
    ) async throws {
        guard let stored = pods.store.stored(ObjectKey(pod)), stored.uid == pod.uid else { return }
        try await context.delete(stored, .pods)
        record(.normal, "SuccessfulDelete", text ?? "Deleted pod: \(pod.name)", about: owner)
    }

    /// Takes a finalizer off a pod that may be gone already.
    func removeFinalizer(
        _ name: String, from pod: KubernetesObject, _ context: ReconcileContext
    ) async throws(APIError) {
        let rest = pod.finalizers.filter { $0 != name }
        guard rest.count < pod.finalizers.count else { return }
        let change: JSON = [
            "metadata": ["uid": JSON(pod.uid), "finalizers": rest.isEmpty ? .null : .array(rest.map { JSON($0) })]
        ]
        do {
            let written = try await access.client.patch(
                .pods, namespace: pod.namespace, name: pod.name, .merge(change),
                options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
            context.expect(written, .pods)
        } catch {
            guard error.isNotFound || error.isConflict else { throw error }
        }
    }

    func record(_ severity: EventNote.Severity, _ reason: String, _ text: String, about object: KubernetesObject) {
        events.record(EventNote(severity, reason: reason, action: "Reconcile", text), about: object)
    }
}
