internal import StructuredData
internal import TodoResources

extension DesiredState {
    /// A node drain takes one pod at a time. `maxUnavailable` and not `minAvailable`, so that one replica can be drained.
    static func podDisruptionBudget(of app: TodoApp) -> JSON {
        [
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata("api", of: app),
            "spec": [
                "maxUnavailable": 1,
                "selector": ["matchLabels": JSON(AppNames(app).selector("api"))],
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            ],
        ]
    }
}
