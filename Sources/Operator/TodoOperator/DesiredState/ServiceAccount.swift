internal import StructuredData
internal import TodoResources

extension ServiceContext {
    /// The identity of the pods. They never call the Kubernetes API, so no token is mounted.
    var serviceAccount: JSON {
        [
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata,
            "automountServiceAccountToken": false,
        ]
    }
}
