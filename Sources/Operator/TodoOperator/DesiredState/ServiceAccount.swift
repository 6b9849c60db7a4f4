internal import StructuredData
internal import TodoResources

extension DesiredState {
    /// The identity of the pods. They never call the Kubernetes API, so no token is mounted.
    static func serviceAccount(of app: TodoApp) -> JSON {
        [
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata("api", of: app),
            "automountServiceAccountToken": false,
        ]
    }
}
