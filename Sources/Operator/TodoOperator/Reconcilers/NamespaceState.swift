internal import ControllerRuntime
internal import KubernetesClient

extension ReconcileContext {
    private static let namespaces = ResourceType(
        group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false)

    /// Whether the object goes with its namespace.
    func isNamespaceGoing() async -> Bool {
        guard let name = key.namespace else { return false }
        // An operator of one namespace may not be allowed to look; then what is missing is told as such.
        let found = try? await client.find(Self.namespaces, ObjectKey(namespace: nil, name: name))
        return found?.isBeingDeleted ?? false
    }
}
