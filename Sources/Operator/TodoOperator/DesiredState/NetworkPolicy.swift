internal import StructuredData
internal import TodoResources

extension DesiredState {
    /// In: the service port. Out: DNS and the database's port. Nothing else.
    static func networkPolicy(of app: TodoApp, inputs: DesiredStateInputs) -> JSON {
        let databasePorts = inputs.databasePorts.map { port -> JSON in ["port": JSON(port), "protocol": "TCP"] }
        return [
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata("api", of: app),
            "spec": [
                "egress": [
                    ["ports": [["port": 53, "protocol": "UDP"], ["port": 53, "protocol": "TCP"]]],
                    ["ports": .array(databasePorts)],
                ],
                "ingress": [["ports": [["port": "http", "protocol": "TCP"]]]],
                "podSelector": ["matchLabels": JSON(AppNames(app).selector("api"))],
                "policyTypes": ["Ingress", "Egress"],
            ],
        ]
    }
}
