internal import StructuredData
internal import TodoResources

extension ServiceContext {
    /// A node drain takes one pod at a time. `maxUnavailable` and not `minAvailable`, so that one replica can be drained.
    var podDisruptionBudget: JSON {
        [
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata,
            "spec": [
                "maxUnavailable": 1,
                "selector": selector,
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            ],
        ]
    }
}
