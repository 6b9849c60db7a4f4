internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// Lets go of the number of pods where an autoscaler sets it.
///
/// A field that its only owner no longer applies goes back to its default (Kubernetes, "Server-Side Apply", "Transferring
/// ownership"), and that of `spec.replicas` is 1: a service under load would lose all its pods but one. So another field
/// manager is given the number first; the autoscaler takes it over from that one when it changes it.
struct ReplicaHandover {
    private static let manager = "\(Label.operatorName)-replicas"

    let app: TodoApp
    let context: ReconcileContext

    /// Before the Deployments of services that are to be scaled are applied: the number stays as it is.
    func release(_ children: ChildWriter) async throws {
        for (name, deployment) in deployments(children)
        where deployment.at("metadata", "annotations", Label.replicas)?.string != Label.byAutoscaler {
            try await own(name) { $0 }
        }
    }

    /// After that: those that are new, or were made smaller than the spec allows, get the least that it asks for.
    func raise(_ children: inout ChildWriter) async throws {
        for (name, deployment) in deployments(children) {
            let least = app[service: name].replicas
            guard deployment.at("spec", "replicas")?.int ?? 1 < least else { continue }
            if let raised = try await own(name, { max($0, least) }) { children.note(raised) }
        }
    }

    private func deployments(_ children: ChildWriter) -> [(TodoApp.ServiceName, JSON)] {
        app.autoscaled.compactMap { name in
            children.deployments[AppNames(app).service(name)].map { (name, $0) }
        }
    }

    /// Throws `isConflict` where the autoscaler was at it meanwhile: the next pass sees what it did.
    @discardableResult
    private func own(_ name: TodoApp.ServiceName, _ change: (Int) -> Int) async throws -> KubernetesObject? {
        let key = ObjectKey(namespace: app.metadata.namespace, name: AppNames(app).service(name))
        guard let live = try await context.client.find(DesiredState.deploymentType, key),
            live.controller == nil || live.controller?["uid"]?.string == app.metadata.uid
        else { return nil }
        let count = live.json.at("spec", "replicas")?.int ?? 1
        let replicas: JSON = [
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": [
                "name": .string(key.name), "namespace": .string(app.metadata.namespace),
                "resourceVersion": .string(live.resourceVersion),
            ],
            "spec": ["replicas": JSON(change(count))],
        ]
        return try await context.client.apply(
            KubernetesObject(replicas), DesiredState.deploymentType, fieldManager: Self.manager, force: true,
            subresource: nil)
    }
}
