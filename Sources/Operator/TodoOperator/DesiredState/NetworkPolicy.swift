internal import StructuredData
internal import TodoResources

extension ServiceContext {
    /// In: the service's port and what a Dapr sidecar serves. Out: DNS, the services of this app, the database's port
    /// where it is used, and the sidecar's ways to its control plane and to Kafka. Nothing else.
    var networkPolicy: JSON {
        let ownPods: JSON = [
            "podSelector": ["matchLabels": [Label.instance: .string(names.app), Label.name: "todo"]]
        ]
        let controlPlane: JSON = [
            "namespaceSelector": ["matchLabels": ["kubernetes.io/metadata.name": "dapr-system"]]
        ]
        var egress: [JSON] = [
            ["ports": [Self.port(53, "UDP"), Self.port(53)]],
            ["ports": [Self.port("http"), Self.port(Self.sidecarPort)], "to": [ownPods]],
            ["to": [controlPlane]],
            ["ports": .array(kafkaPorts.map { Self.port(JSON($0)) })],
        ]
        // To whoever people name as a webhook, which the service itself holds to public addresses; and to the mail server.
        if name == .notification { egress.append([:]) }
        if usesDatabase { egress.append(["ports": .array(inputs.databasePorts.map { Self.port(JSON($0)) })]) }
        return [
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata,
            "spec": [
                "egress": .array(egress),
                "ingress": [
                    name == .api
                        ? ["ports": [Self.port("http")]] : ["from": [ownPods], "ports": [Self.port("http")]],
                    ["from": [ownPods], "ports": [Self.port(Self.sidecarPort)]],
                    // The sidecar's probe and metrics.
                    ["ports": [Self.port(3501), Self.port(9090)]],
                ],
                "podSelector": selector,
                "policyTypes": ["Ingress", "Egress"],
            ],
        ]
    }

    /// Among sidecars.
    private static let sidecarPort: JSON = 50002

    private var kafkaPorts: [Int] {
        let servers = app.spec.kafka?.external?.bootstrapServers ?? [names.bootstrapServer]
        return Set(servers.compactMap { $0.split(separator: ":").last.flatMap { Int($0) } }).sorted()
    }

    private static func port(_ port: JSON, _ transport: String = "TCP") -> JSON {
        ["port": port, "protocol": .string(transport)]
    }
}
