internal import StructuredData
internal import TodoResources

extension DesiredState {
    /// The stable address of the HTTP API within the cluster.
    static func service(of app: TodoApp) -> JSON {
        [
            "apiVersion": "v1", "kind": "Service", "metadata": metadata("api", of: app),
            "spec": [
                "ports": [["name": "http", "port": JSON(apiPort), "protocol": "TCP", "targetPort": "http"]],
                "selector": JSON(AppNames(app).selector("api")),
                "type": "ClusterIP",
            ],
        ]
    }
}
