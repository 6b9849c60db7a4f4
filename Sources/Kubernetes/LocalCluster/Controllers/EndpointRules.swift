internal import APIServerKinds
internal import KubernetesClient
internal import StructuredData

/// The Endpoints and EndpointSlices of a Service: a pure function of it and of the pods of its namespace.
struct EndpointRules {
    static let serviceLabel = "kubernetes.io/service-name"
    private static let managedBy = "endpointslice.kubernetes.io/managed-by"

    let service: KubernetesObject
    /// Those that the Service selects and that have an address, by address.
    private let pods: [PodView]

    /// Nil for a Service whose endpoints are not ours to write: one without a selector, or an external name.
    init?(service: KubernetesObject, pods: [KubernetesObject]) {
        guard let selector = service.spec?["selector"], selector.object?.isEmpty == false,
            service.spec?["type"]?.string != "ExternalName"
        else { return nil }
        let labels = LabelSelector(map: selector)
        self.service = service
        self.pods = pods.map(PodView.init)
            .filter { $0.address != nil && !$0.isFinished && labels.matches($0.object.labels) }
            .sorted { ($0.address ?? "") < ($1.address ?? "") }
    }

    private var publishesUnready: Bool { service.spec?["publishNotReadyAddresses"]?.bool ?? false }

    private func isReady(_ pod: PodView) -> Bool { publishesUnready || (pod.isReady && !pod.object.isBeingDeleted) }

    /// Pods together with the ports that they have for the Service; pods with equal ports together.
    private var groups: [(ports: [JSON], pods: [PodView])] {
        var groups: [(ports: [JSON], pods: [PodView])] = []
        for pod in pods {
            let ports = ports(of: pod)
            if let index = groups.firstIndex(where: { $0.ports == ports }) {
                groups[index].pods.append(pod)
            } else {
                groups.append((ports, [pod]))
            }
        }
        return groups
    }

    private func ports(of pod: PodView) -> [JSON] {
        let containerPorts = (pod.object.spec?["containers"]?.array ?? []).flatMap { $0["ports"]?.array ?? [] }
        return (service.spec?["ports"]?.array ?? []).compactMap { port in
            let target = port["targetPort"] ?? port["port"]
            let number = target?.int ?? containerPorts.first { $0["name"] == target }?["containerPort"]?.int
            guard let number else { return nil }
            var result: JSON = [
                "name": port["name"] ?? "", "port": JSON(number), "protocol": port["protocol"] ?? "TCP",
            ]
            result["appProtocol"] = port["appProtocol"]
            return result
        }
    }

    private func target(_ pod: PodView) -> JSON {
        [
            "kind": "Pod", "name": JSON(pod.object.name), "namespace": JSON(pod.object.namespace ?? ""),
            "uid": JSON(pod.object.uid),
        ]
    }

    // MARK: - EndpointSlices

    /// One for each group of pods with equal ports; one without endpoints when there are no pods.
    var slices: [KubernetesObject] {
        let groups = groups
        guard !groups.isEmpty else { return [slice(0, ports: [], pods: [])] }
        return groups.enumerated().map { slice($0, ports: $1.ports, pods: $1.pods) }
    }

    private func slice(_ index: Int, ports: [JSON], pods: [PodView]) -> KubernetesObject {
        let suffix = DeploymentRules.hash(.string("\(service.uid)/\(index)")).prefix(5)
        return KubernetesObject([
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": [
                "name": JSON("\(service.name)-\(suffix)"), "namespace": JSON(service.namespace ?? ""),
                "labels": JSON([Self.serviceLabel: service.name, Self.managedBy: "endpointslice-controller.k8s.io"]),
                "ownerReferences": [service.controllerReference(kind: "Service", apiVersion: "v1")],
            ],
            "addressType": "IPv4", "ports": .array(ports), "endpoints": .array(pods.map(endpoint)),
        ])
    }

    private func endpoint(_ pod: PodView) -> JSON {
        [
            "addresses": [JSON(pod.address ?? "")],
            "conditions": [
                "ready": JSON(isReady(pod)), "serving": JSON(publishesUnready || pod.isReady),
                "terminating": JSON(pod.object.isBeingDeleted),
            ],
            "nodeName": JSON(pod.nodeName), "targetRef": target(pod),
        ]
    }

    // MARK: - Endpoints

    var endpoints: KubernetesObject {
        var metadata: JSON = ["name": JSON(service.name), "namespace": JSON(service.namespace ?? "")]
        metadata["labels"] = service.metadata["labels"]
        var result: JSON = ["apiVersion": "v1", "kind": "Endpoints", "metadata": metadata]
        let subsets = groups.map { subset($0.ports, $0.pods) }.filter {
            $0["addresses"] != nil || $0["notReadyAddresses"] != nil
        }
        if !subsets.isEmpty { result["subsets"] = .array(subsets) }
        return KubernetesObject(result)
    }

    private func subset(_ ports: [JSON], _ pods: [PodView]) -> JSON {
        var subset: JSON = [:]
        let live = pods.filter { !$0.object.isBeingDeleted }
        for (key, group) in [
            ("addresses", live.filter(isReady)), ("notReadyAddresses", live.filter { !isReady($0) }),
        ] where !group.isEmpty {
            subset[key] = .array(
                group.map { pod in
                    ["ip": JSON(pod.address ?? ""), "nodeName": JSON(pod.nodeName), "targetRef": target(pod)]
                })
        }
        let unnamed = ports.map { port in
            var port = port
            if port["name"]?.string == "" { port["name"] = nil }
            return port
        }
        subset["ports"] = .array(unnamed)
        return subset
    }
}

// MARK: - The API server's own

extension EndpointRules {
    /// Makes the Service `kubernetes` lead to the API server, as kube-apiserver does itself.
    static func publishServer(address: String, port: Int, client: KubernetesClient) async throws(APIError) {
        let name = "kubernetes"
        let ports: JSON = [["name": "https", "port": JSON(port), "protocol": "TCP"]]
        let metadata: JSON = ["name": JSON(name), "namespace": "default"]
        var sliceMetadata = metadata
        sliceMetadata["labels"] = JSON([serviceLabel: name])
        let slice = KubernetesObject([
            "metadata": sliceMetadata, "addressType": "IPv4", "ports": ports,
            "endpoints": [["addresses": [JSON(address)], "conditions": ["ready": true]]],
        ])
        let endpoints = KubernetesObject([
            "metadata": metadata, "subsets": [["addresses": [["ip": JSON(address)]], "ports": ports]],
        ])
        for (object, type) in [(slice, ResourceType.endpointSlices), (endpoints, .endpoints)] {
            _ = try await client.apply(object, type, fieldManager: "kube-apiserver")
        }
    }
}
