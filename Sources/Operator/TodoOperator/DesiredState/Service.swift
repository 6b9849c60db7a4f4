internal import StructuredData
internal import TodoResources

extension ServiceContext {
    /// The stable address of the service within the cluster.
    var service: JSON {
        [
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": [
                "ports": [["name": "http", "port": JSON(DesiredState.port), "protocol": "TCP", "targetPort": "http"]],
                "selector": JSON(names.selector(name)),
                "type": "ClusterIP",
            ],
        ]
    }
}
