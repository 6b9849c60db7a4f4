public import StructuredData
internal import TodoResources

/// The objects that run the operator in a cluster, as `kubectl apply` takes them: `manifests/install.yaml`.
public struct Installation: Sendable {
    /// Of the operator, its ServiceAccount and its roles.
    static let name = Label.operatorName
    /// Of `/metrics`, `/livez` and `/readyz`.
    static let metricsPort: JSON = 8081

    /// Where the operator runs.
    public var namespace = "todo-system"
    /// The one namespace whose apps it looks after; nil for those of all.
    public var watchNamespace: String?
    public var secrets = OperatorRole.SecretAccess.byName
    public var image = ProductVersion.image

    public init() {}

    /// In the order in which they are to be applied.
    public var objects: [JSON] { CustomResourceDefinitions.all + operatorObjects }

    /// All but the CustomResourceDefinitions.
    var operatorObjects: [JSON] {
        [namespaceObject, serviceAccount] + roles + userRoles + [
            metricsService, deployment, podDisruptionBudget, networkPolicy,
        ]
    }

    /// What selects the operator's pods.
    static let selector: JSON = [Label.name: .string(name), Label.instance: .string(name)]

    /// Not `managed-by: todo-operator`: by that the operator tells the objects that it made.
    static var labels: JSON {
        var labels = selector
        labels["app.kubernetes.io/version"] = .string(ProductVersion.current)
        return labels
    }

    func object(
        _ apiVersion: String, _ kind: String, _ name: String = Installation.name, in namespace: String? = nil,
        _ content: [(String, JSON)] = []
    ) -> JSON {
        var metadata: JSON = ["labels": Self.labels, "name": .string(name)]
        if let namespace { metadata["namespace"] = .string(namespace) }
        var object: JSON = ["apiVersion": .string(apiVersion), "kind": .string(kind), "metadata": metadata]
        for (field, value) in content { object[field] = value }
        return object
    }

    private var namespaceObject: JSON {
        var object = object("v1", "Namespace", namespace)
        object.set("restricted", at: "metadata", "labels", "pod-security.kubernetes.io/enforce")
        return object
    }

    private var serviceAccount: JSON { object("v1", "ServiceAccount", in: namespace) }

    private var metricsService: JSON {
        object(
            "v1", "Service", "\(Self.name)-metrics", in: namespace,
            [
                (
                    "spec",
                    [
                        "ports": [
                            ["name": "metrics", "port": Self.metricsPort, "protocol": "TCP", "targetPort": "metrics"]
                        ],
                        "selector": Self.selector,
                    ]
                )
            ])
    }

    private var podDisruptionBudget: JSON {
        object(
            "policy/v1", "PodDisruptionBudget", in: namespace,
            [("spec", ["maxUnavailable": 1, "selector": ["matchLabels": Self.selector]])])
    }

    /// In: the metrics. Out: everything, for the API server and the databases may be anywhere.
    private var networkPolicy: JSON {
        object(
            "networking.k8s.io/v1", "NetworkPolicy", in: namespace,
            [
                (
                    "spec",
                    [
                        "ingress": [["ports": [["port": "metrics", "protocol": "TCP"]]]],
                        "podSelector": ["matchLabels": Self.selector], "policyTypes": ["Ingress"],
                    ]
                )
            ])
    }
}
