public import ControllerRuntime
public import KubernetesClient
internal import StructuredData
internal import TodoResources

/// Compares the CustomResourceDefinitions in the cluster with those of this release. Helm does not upgrade CRDs, so an old
/// one under a new operator is ordinary; it must be seen, and must not stop the operator.
public enum CRDCheck {
    public static let definitionType = ResourceType(
        group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition",
        plural: "customresourcedefinitions", namespaced: false)

    /// One line for each CRD that is missing or differs, with what to do; empty when all is well.
    public static func problems(_ client: any ObjectClient) async throws -> [String] {
        var problems: [String] = []
        for wanted in CustomResourceDefinitions.all {
            let name = wanted.at("metadata", "name")?.string ?? ""
            let found: KubernetesObject?
            do {
                found = try await client.find(definitionType, ObjectKey(namespace: nil, name: name))
            } catch let error as APIError where error.isForbidden {
                problems.append(
                    "CRD \(name) may not be read, so it is not known whether it is current; allow get on it")
                continue
            }
            guard let found else {
                problems.append("CRD \(name) is not installed: todo crds | kubectl apply --server-side -f -")
                continue
            }
            guard schema(of: found.json) != schema(of: wanted) else { continue }
            problems.append(
                "CRD \(name) is not the one of release \(ProductVersion.current); fields that it lacks are dropped by the "
                    + "API server: todo crds | kubectl apply --server-side -f -")
        }
        return problems
    }

    /// The schema of our version: what decides which fields are kept.
    private static func schema(of definition: JSON) -> JSON? {
        definition.at("spec", "versions")?.array?.first { $0["name"]?.string == TodoGroup.version }?
            .at("schema", "openAPIV3Schema")
    }
}
