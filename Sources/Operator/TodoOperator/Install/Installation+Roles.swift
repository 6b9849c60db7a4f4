internal import StructuredData
internal import TodoResources

extension Installation {
    private static let rbac = "rbac.authorization.k8s.io"

    /// The operator's own.
    var roles: [JSON] {
        let rules = OperatorRole.rules(secrets: secrets)
        let election = grant(OperatorRole.electionRules, "\(Self.name)-leader-election", in: namespace)
        guard let watchNamespace else { return grant(rules + OperatorRole.definitionRules) + election }
        return grant(OperatorRole.definitionRules) + grant(rules, in: watchNamespace) + election
    }

    /// A role and its binding to the operator's ServiceAccount; for the whole cluster when `namespace` is nil.
    private func grant(_ rules: [PolicyRule], _ name: String = Installation.name, in namespace: String? = nil) -> [JSON]
    {
        let (role, binding) = namespace == nil ? ("ClusterRole", "ClusterRoleBinding") : ("Role", "RoleBinding")
        let account: JSON = [
            "kind": "ServiceAccount", "name": .string(Self.name), "namespace": .string(self.namespace),
        ]
        return [
            object("\(Self.rbac)/v1", role, name, in: namespace, [("rules", .array(rules.map(\.json)))]),
            object(
                "\(Self.rbac)/v1", binding, name, in: namespace,
                [
                    ("roleRef", ["apiGroup": .string(Self.rbac), "kind": .string(role), "name": .string(name)]),
                    ("subjects", [account]),
                ]),
        ]
    }

    /// What the roles `view`, `edit` and `admin` of a namespace say about our kinds (aggregated ClusterRoles).
    var userRoles: [JSON] {
        UserRole.allCases.map { role in
            var object = object(
                "\(Self.rbac)/v1", "ClusterRole", "\(Self.name)-\(role.rawValue)",
                [("rules", .array(role.rules.map(\.json)))])
            for other in role.aggregatedTo {
                object.set("true", at: "metadata", "labels", "\(Self.rbac)/aggregate-to-\(other)")
            }
            return object
        }
    }
}

/// What the people of a namespace may do with our kinds.
enum UserRole: String, CaseIterable {
    case view, edit

    var aggregatedTo: [String] {
        switch self {
        case .view: ["view"]
        case .edit: ["edit", "admin"]
        }
    }

    var rules: [PolicyRule] {
        let plurals = CustomResourceDefinitions.all.compactMap { $0.at("spec", "names", "plural")?.string }
        let verbs: [String] =
            switch self {
            case .view: ["get", "list", "watch"]
            case .edit: ["create", "delete", "deletecollection", "patch", "update"]
            }
        return [PolicyRule(group: TodoGroup.name, resources: plurals, verbs: verbs)]
    }
}
