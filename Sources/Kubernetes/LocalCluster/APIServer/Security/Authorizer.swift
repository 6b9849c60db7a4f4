internal import APIServerKinds
internal import StructuredData

/// Role-based access control over the Roles and bindings in the store. Members of `system:masters` may do everything.
struct Authorizer: Sendable {
    static let group = "rbac.authorization.k8s.io"
    static let mastersGroup = "system:masters"

    let store: ObjectStore

    func allows(_ request: AccessRequest, by user: UserInfo) -> Bool {
        if user.groups.contains(Self.mastersGroup) { return true }
        return rules(of: user, namespace: request.path == nil ? request.namespace : "").contains { $0.allows(request) }
    }

    /// Everything that is granted to `user` in `namespace` (empty: cluster-wide only).
    func rules(of user: UserInfo, namespace: String) -> [PolicyRule] {
        var rules: [PolicyRule] = []
        for binding in objects("clusterrolebindings", namespace: nil) where Self.names(user, in: binding, namespace: "")
        {
            rules += self.rules(of: binding["roleRef"], namespace: "")
        }
        guard !namespace.isEmpty else { return rules }
        for binding in objects("rolebindings", namespace: namespace)
        where Self.names(user, in: binding, namespace: namespace) {
            rules += self.rules(of: binding["roleRef"], namespace: namespace)
        }
        return rules
    }

    /// The rules of a role; none when it is not there.
    func rules(of reference: JSON?, namespace: String) -> [PolicyRule] {
        guard let name = reference?["name"]?.string else { return [] }
        let isClusterRole = reference?["kind"]?.string == "ClusterRole"
        let key = isClusterRole ? name : "\(namespace)/\(name)"
        let table = TableID(group: Self.group, plural: isClusterRole ? "clusterroles" : "roles")
        guard let stored = store.object(key, in: table), let role = try? JSON(parsing: stored.bytes) else { return [] }
        return Self.rules(of: isClusterRole ? aggregated(role) : role)
    }

    static func rules(of role: JSON) -> [PolicyRule] { role["rules"]?.array?.map(PolicyRule.init) ?? [] }

    /// A ClusterRole with an aggregation rule has the rules of all ClusterRoles that it selects, and those of theirs.
    private func aggregated(_ role: JSON) -> JSON {
        var result = role
        var rules: [JSON] = []
        var seen: Set<String> = []
        collectRules(of: role, into: &rules, seen: &seen)
        result["rules"] = .array(rules)
        return result
    }

    private func collectRules(of role: JSON, into rules: inout [JSON], seen: inout Set<String>) {
        guard seen.insert(role.at("metadata", "name")?.string ?? "").inserted else { return }
        for rule in role["rules"]?.array ?? [] where !rules.contains(rule) { rules.append(rule) }
        let selectors = (role.at("aggregationRule", "clusterRoleSelectors")?.array ?? [])
            .compactMap { LabelSelector(labelSelector: $0) }
        guard !selectors.isEmpty else { return }
        for stored in store.objects(in: TableID(group: Self.group, plural: "clusterroles")).objects
        where selectors.contains(where: { $0.matches(stored.labels) }) {
            guard let other = try? JSON(parsing: stored.bytes) else { continue }
            collectRules(of: other, into: &rules, seen: &seen)
        }
    }

    private func objects(_ plural: String, namespace: String?) -> [JSON] {
        let objects = store.objects(in: TableID(group: Self.group, plural: plural)).objects
        let prefix = namespace.map { "\($0)/" } ?? ""
        var iterator = objects.iterator(from: prefix)
        var result: [JSON] = []
        while let stored = iterator.next(), stored.key.hasPrefix(prefix) {
            if let json = try? JSON(parsing: stored.bytes) { result.append(json) }
        }
        return result
    }

    private static func names(_ user: UserInfo, in binding: JSON, namespace: String) -> Bool {
        binding["subjects"]?.array?.contains { subject in
            let name = subject["name"]?.string ?? ""
            switch subject["kind"]?.string {
            case "User": return name == user.name
            case "Group": return user.groups.contains(name)
            case "ServiceAccount":
                let home = subject["namespace"]?.string ?? namespace
                return user.name == "system:serviceaccount:\(home):\(name)"
            default: return false
            }
        } ?? false
    }
}
