internal import StructuredData

/// The ClusterRoles and bindings that people expect of every cluster.
enum DefaultRoles {
    private static let readVerbs: JSON = ["get", "list", "watch"]
    private static let writeVerbs: JSON = ["create", "delete", "deletecollection", "patch", "update"]

    /// What a namespace's users work with, by group.
    private static let workloads: [(group: String, resources: JSON)] = [
        (
            "",
            [
                "configmaps", "endpoints", "persistentvolumeclaims", "pods", "replicationcontrollers",
                "replicationcontrollers/scale", "serviceaccounts", "services",
            ]
        ),
        (
            "apps",
            [
                "daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets",
                "statefulsets/scale",
            ]
        ),
        ("autoscaling", ["horizontalpodautoscalers"]),
        ("batch", ["cronjobs", "jobs"]),
        ("networking.k8s.io", ["ingresses", "networkpolicies"]),
        ("policy", ["poddisruptionbudgets"]),
        ("coordination.k8s.io", ["leases"]),
    ]

    /// Read by everybody who may look, written by no user.
    private static let observed: [(group: String, resources: JSON)] = [
        (
            "",
            [
                "bindings", "events", "limitranges", "namespaces", "namespaces/status", "pods/log", "pods/status",
                "replicationcontrollers/status", "resourcequotas", "resourcequotas/status", "services/status",
            ]
        ),
        (
            "apps",
            [
                "controllerrevisions", "daemonsets/status", "deployments/status", "replicasets/status",
                "statefulsets/status",
            ]
        ),
        ("autoscaling", ["horizontalpodautoscalers/status"]),
        ("batch", ["cronjobs/status", "jobs/status"]),
        ("networking.k8s.io", ["ingresses/status"]),
        ("policy", ["poddisruptionbudgets/status"]),
        ("discovery.k8s.io", ["endpointslices"]),
        ("events.k8s.io", ["events"]),
    ]

    static var clusterRoles: [JSON] {
        [
            role("cluster-admin", rules: fullAuthority),
            aggregated("admin", rules: editRules + adminRules),
            aggregated("edit", rules: editRules, of: "admin"),
            aggregated("view", rules: viewRules, of: "edit"),
            role("system:discovery", rules: [paths(["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"])]),
            role(
                "system:public-info-viewer",
                rules: [paths(["/healthz", "/livez", "/readyz", "/version", "/version/"])]),
            role("system:basic-user", rules: basicRules),
            role(
                "system:auth-delegator",
                rules: [
                    rule("authentication.k8s.io", ["tokenreviews"], ["create"]),
                    rule("authorization.k8s.io", ["subjectaccessreviews"], ["create"]),
                ]),
        ]
    }

    static var clusterRoleBindings: [JSON] {
        [
            binding("cluster-admin", to: "system:masters"),
            binding("system:discovery", to: "system:authenticated"),
            binding("system:public-info-viewer", to: "system:authenticated", "system:unauthenticated"),
            binding("system:basic-user", to: "system:authenticated"),
        ]
    }

    /// What `cluster-admin` may do.
    static let fullAuthority: [JSON] = [
        ["apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]], ["nonResourceURLs": ["*"], "verbs": ["*"]],
    ]

    private static var viewRules: [JSON] { (workloads + observed).map { rule($0.group, $0.resources, readVerbs) } }

    private static var editRules: [JSON] {
        viewRules + workloads.map { rule($0.group, $0.resources, writeVerbs) } + [
            rule("", ["secrets"], readVerbs), rule("", ["secrets", "pods/eviction", "events"], writeVerbs),
            rule("", ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy"], ["create", "get"]),
            rule("", ["serviceaccounts"], ["impersonate"]),
        ]
    }

    private static let adminRules: [JSON] = [
        rule("authorization.k8s.io", ["localsubjectaccessreviews"], ["create"]),
        rule(Authorizer.group, ["rolebindings", "roles"], readVerbs),
        rule(Authorizer.group, ["rolebindings", "roles"], writeVerbs),
        rule("", ["serviceaccounts/token"], ["create"]),
    ]

    private static let basicRules: [JSON] = [
        rule("authorization.k8s.io", ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
        rule("authentication.k8s.io", ["selfsubjectreviews"], ["create"]),
    ]

    private static func rule(_ group: String, _ resources: JSON, _ verbs: JSON) -> JSON {
        ["apiGroups": [.string(group)], "resources": resources, "verbs": verbs]
    }

    private static func paths(_ paths: JSON) -> JSON { ["nonResourceURLs": paths, "verbs": ["get"]] }

    private static func metadata(_ name: String, labels: JSON) -> JSON {
        [
            "name": .string(name), "annotations": ["rbac.authorization.kubernetes.io/autoupdate": "true"],
            "labels": labels,
        ]
    }

    private static let defaults: JSON = ["kubernetes.io/bootstrapping": "rbac-defaults"]

    private static func role(_ name: String, rules: [JSON], labels: JSON = defaults) -> JSON {
        ["metadata": metadata(name, labels: labels), "rules": .array(rules)]
    }

    /// A role to which others can add rules by the label `rbac.authorization.k8s.io/aggregate-to-NAME`.
    private static func aggregated(_ name: String, rules: [JSON], of other: String? = nil) -> JSON {
        var labels = defaults
        if let other { labels["rbac.authorization.k8s.io/aggregate-to-\(other)"] = "true" }
        var role = role(name, rules: rules, labels: labels)
        let selector: JSON = ["matchLabels": [("rbac.authorization.k8s.io/aggregate-to-\(name)"): "true"]]
        role["aggregationRule"] = ["clusterRoleSelectors": [selector]]
        return role
    }

    private static func binding(_ role: String, to groups: String...) -> JSON {
        let subjects = groups.map { group -> JSON in
            ["apiGroup": .string(Authorizer.group), "kind": "Group", "name": .string(group)]
        }
        return [
            "metadata": metadata(role, labels: defaults),
            "roleRef": ["apiGroup": .string(Authorizer.group), "kind": "ClusterRole", "name": .string(role)],
            "subjects": .array(subjects),
        ]
    }
}
