internal import APIServerKinds
internal import HTTPTypes
internal import KubernetesClient
internal import Logging
internal import StructuredData

/// What a cluster has before anybody used it.
extension APIServer {
    /// Brings back what is not in the objects themselves: custom resources that are served, addresses in use.
    func restore() {
        let definitions = store.objects(in: Self.definitions).objects.compactMap { try? JSON(parsing: $0.bytes) }
        // A name is that of the definition which had it, not of the first in the alphabet.
        let established = definitions.filter(Self.isEstablished)
        for definition in established + definitions.filter({ !Self.isEstablished($0) }) {
            _ = registry.install(crd: definition, now: nowText)
        }
        for stored in store.objects(in: TableID(group: "", plural: "services")).objects {
            if let service = try? JSON(parsing: stored.bytes) { serviceAddresses.adopt(service) }
        }
    }

    /// Makes what is missing, and goes on with deletions that a stop cut short.
    func bootstrap() async {
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            await make(["metadata": ["name": .string(name)]], "", "v1", "namespaces", namespace: nil)
        }
        await make(
            [
                "metadata": [
                    "name": "kubernetes", "labels": ["component": "apiserver", "provider": "kubernetes"],
                ],
                "spec": [
                    "type": "ClusterIP", "clusterIP": .string(configuration.serviceRange.first),
                    "ports": [["name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443]],
                ],
            ], "", "v1", "services", namespace: "default")
        for role in DefaultRoles.clusterRoles {
            await make(role, Authorizer.group, "v1", "clusterroles", namespace: nil)
        }
        for binding in DefaultRoles.clusterRoleBindings {
            await make(binding, Authorizer.group, "v1", "clusterrolebindings", namespace: nil)
        }
        for (name, value, use) in SystemPriorityClass.all {
            await make(
                ["metadata": ["name": .string(name)], "value": JSON(value), "description": .string(use)],
                Self.priorities.group, "v1", Self.priorities.plural, namespace: nil)
        }
        for stored in store.objects(in: Self.definitions).objects { definitionChanged(stored.key) }
    }

    private static func isEstablished(_ definition: JSON) -> Bool {
        definition.at("status", "conditions")?.array?.contains {
            $0["type"] == "Established" && $0["status"] == "True"
        } ?? false
    }

    private func make(_ object: JSON, _ group: String, _ version: String, _ plural: String, namespace: String?) async {
        guard let resource = registry.resource(group: group, version: version, plural: plural) else { return }
        let name = object.at("metadata", "name")?.string ?? ""
        guard store.object(resource.key(namespace: namespace, name: name), in: resource.table) == nil else { return }
        let path = resource.type.path(namespace: namespace)
        let request = APIRequest(
            method: .post, target: path, headers: [.userAgent: "kube-apiserver"], body: object.encoded(),
            credentials: .user(.system("apiserver")))
        let response = await respond(to: request)
        guard response.status.code != 201, case .bytes(let bytes) = response.body else { return }
        logger.error("cannot make \(plural) \(name): \(String(decoding: bytes, as: UTF8.self))")
    }
}
