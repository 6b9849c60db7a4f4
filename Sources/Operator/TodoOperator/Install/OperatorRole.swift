internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// Everything that the operator may do in a cluster: no request that it makes is missing, and nothing is allowed that it
/// never asks for. Role, ClusterRole and Helm chart are made from here.
///
/// What every authenticated client may do anyway (`system:discovery`, `system:basic-user`) is not repeated: discovery and
/// SelfSubjectAccessReviews, by which it finds out what the cluster offers.
public enum OperatorRole {
    /// How it learns that a Secret has changed. RBAC cannot filter a list by label: whoever may list Secrets may list all.
    public enum SecretAccess: Sendable, CaseIterable {
        /// By reading them by their names in turn: within a minute or two.
        case byName
        /// By watching them: at once.
        case watched
    }

    /// In every namespace that has apps.
    public static func rules(secrets: SecretAccess = .byName) -> [PolicyRule] {
        ownKinds + children + [
            self.secrets(secrets),
            PolicyRule(group: "events.k8s.io", resources: ["events"], verbs: ["create", "patch"]),
            // Where the sidecars of an app are asked.
            PolicyRule(group: "", resources: ["pods"], verbs: ["list"]),
            // Whether an app goes with its namespace.
            PolicyRule(group: "", resources: ["namespaces"], verbs: ["get"]),
        ]
    }

    /// At the cluster scope: whether the CustomResourceDefinitions are those of this release.
    public static var definitionRules: [PolicyRule] {
        let type = CRDCheck.definitionType
        let names = CustomResourceDefinitions.all.compactMap { $0.at("metadata", "name")?.string }
        return [PolicyRule(group: type.group, resources: [type.plural], verbs: ["get"], names: names)]
    }

    /// In the namespace of the operator's Lease. RBAC cannot bind `create` to a name.
    public static var electionRules: [PolicyRule] {
        let group = "coordination.k8s.io"
        return [
            PolicyRule(group: group, resources: ["leases"], verbs: ["create"]),
            PolicyRule(group: group, resources: ["leases"], verbs: ["get", "update"], names: [Label.operatorName]),
        ]
    }

    private static var ownKinds: [PolicyRule] {
        func rule(_ resources: [String], _ verbs: [String]) -> PolicyRule {
            PolicyRule(group: TodoGroup.name, resources: resources, verbs: verbs)
        }
        let plurals = CustomResourceDefinitions.all.compactMap { $0.at("spec", "names", "plural")?.string }
        return [
            rule(plurals, ["get", "list", "watch"]),
            // Their finalizers: of their spec nothing is ever written.
            rule(withFinalizer.map(\.plural), ["patch"]),
            rule(plurals.map { "\($0)/status" }, ["patch"]),
            // Owner references that block the owner's deletion need it where the admission plug-in
            // OwnerReferencesPermissionEnforcement is on, as on OpenShift.
            rule(owners.map { "\($0.plural)/finalizers" }, ["update"]),
        ]
    }

    /// Those that something outside of the cluster belongs to, or that have to go in an order.
    private static let withFinalizer = [TodoGroup.todoApp, TodoGroup.kafkaTopicBinding, TodoGroup.reminderSchedule]
    /// Those that children refer to as their owner.
    private static let owners = [TodoGroup.todoApp]

    /// One rule for each API group.
    private static var children: [PolicyRule] {
        let verbs = ["create", "delete", "get", "list", "patch", "watch"]
        return Dictionary(grouping: DesiredState.childTypes, by: \.group).sorted { $0.key < $1.key }.map {
            group, types in
            PolicyRule(group: group, resources: types.map(\.plural).sorted(), verbs: verbs)
        }
    }

    /// `patch` for the owners of those that the operator made: whether they outlive their app.
    private static func secrets(_ access: SecretAccess) -> PolicyRule {
        let verbs: [String] =
            switch access {
            case .byName: ["create", "get", "patch"]
            case .watched: ["create", "get", "list", "patch", "watch"]
            }
        return PolicyRule(group: "", resources: ["secrets"], verbs: verbs)
    }
}
