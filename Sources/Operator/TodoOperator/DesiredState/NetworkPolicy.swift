internal import StructuredData
internal import TodoResources

extension ServiceContext {
    /// In: the service's port and what a Dapr sidecar serves. Out: DNS, the services of this app, the database's port
    /// where it is used, an identity provider's, and the sidecar's ways to its control plane and to Kafka. Nothing else.
    var networkPolicy: JSON {
        let ownPods: JSON = [
            "podSelector": ["matchLabels": [Label.instance: .string(names.app), Label.name: "todo"]]
        ]
        let controlPlane: JSON = [
            "namespaceSelector": [
                "matchLabels": ["kubernetes.io/metadata.name": .string(app.spec.dapr.controlPlaneNamespace)]
            ]
        ]
        var egress: [JSON] = [
            // On OpenShift the pods behind DNS listen on 5353, and a policy is about the pod that is reached.
            ["ports": [Self.port(53, "UDP"), Self.port(53), Self.port(5353, "UDP"), Self.port(5353)]],
            ["ports": [Self.port("http"), Self.port(Self.sidecarPort)], "to": [ownPods]],
            ["to": [controlPlane]],
            ["ports": .array(kafkaPorts.map { Self.port(JSON($0)) })],
        ]
        if isCalled { egress += sidecarPorts.map { ["ports": [Self.port(JSON($0))]] } }
        // To whoever people name as a webhook, which the service itself holds to public addresses; and to the mail server.
        if name == .notification { egress.append([:]) }
        if name == .api, let issuer = app.spec.auth.oidc?.issuer {
            egress.append(["ports": .array(Self.ports(of: issuer).map { Self.port(JSON($0)) })])
        }
        if usesDatabase { egress.append(["ports": .array(inputs.databasePorts.map { Self.port(JSON($0)) })]) }
        return [
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata,
            "spec": [
                "egress": .array(egress),
                "ingress": .array(
                    [
                        callers(ownPods), ["from": [ownPods], "ports": [Self.port(Self.sidecarPort)]],
                        // The sidecar's probe and metadata, which the operator asks for from whatever namespace, and its metrics.
                        ["ports": [Self.port(3501), Self.port(9090)]],
                    ] + scaler),
                "podSelector": selector,
                "policyTypes": ["Ingress", "Egress"],
            ],
        ]
    }

    /// KEDA counts connections by the metrics of each pod. Its namespace has no fixed name; a managed cluster has it in
    /// kube-system.
    private var scaler: [JSON] {
        guard spec.autoscaling?.connectionsPerReplica != nil else { return [] }
        let keda: JSON = ["namespaceSelector": [:], "podSelector": ["matchLabels": ["app": "keda-operator"]]]
        return [["from": [keda], "ports": [Self.port("http")]]]
    }

    /// Who may call the service: people come to the API and, where an edge brings them, to the live connection; what
    /// scrapes metrics may be any pod of the cluster.
    private func callers(_ ownPods: JSON) -> JSON {
        let ports: JSON = [Self.port("http")]
        if name == .api || name == .realtime && app.spec.web.host != nil { return ["ports": ports] }
        let scrapers: [JSON] = app.spec.monitoring.serviceMonitor == .enabled ? [["namespaceSelector": [:]]] : []
        return ["from": .array([ownPods] + scrapers), "ports": ports]
    }

    /// Where a sidecar gets a token for the Kafka, and where it sends traces.
    private var sidecarPorts: [Int] {
        let login = app.spec.kafka?.external?.authentication
        var ports: [Int] = []
        if login?.type == .oidc, let endpoint = login?.oidc?.tokenEndpoint { ports += Self.ports(of: endpoint) }
        if login?.type == .awsIAM { ports.append(443) }
        if let endpoint = app.spec.dapr.tracing.endpoint { ports += Self.ports(of: [endpoint]) }
        return Set(ports).sorted()
    }

    /// That of an identity provider, and the one at which its keys are most likely.
    private static func ports(of url: String) -> [Int] {
        let authority = url.dropFirst("https://".count).prefix { $0 != "/" }
        let own = authority.split(separator: ":").dropFirst().last.flatMap { Int($0) }
        return Set([443, own ?? 443]).sorted()
    }

    /// Among sidecars.
    private static let sidecarPort: JSON = 50002

    private var kafkaPorts: [Int] {
        Self.ports(of: app.spec.kafka?.external?.bootstrapServers ?? [names.bootstrapServer])
    }

    /// - Parameter servers: `HOST:PORT`.
    private static func ports(of servers: [String]) -> [Int] {
        Set(servers.compactMap { $0.split(separator: ":").last.flatMap { Int($0) } }).sorted()
    }

    private static func port(_ port: JSON, _ transport: String = "TCP") -> JSON {
        ["port": port, "protocol": .string(transport)]
    }
}
