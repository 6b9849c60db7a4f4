internal import APIServerKinds
internal import KubernetesClient
internal import StructuredData

extension APIServer {
    /// - Throws: 403 when the user may not do `verb` (that of the request unless told otherwise).
    func authorize(_ request: ResourceRequest, verb: String? = nil) throws(StatusError) {
        let access = request.access(verb: verb ?? request.verb)
        guard !authorizer.allows(access, by: request.user) else { return }
        throw .forbidden(request.resource, request.name, access.refusal(of: request.user))
    }

    /// 403 when a role would grant more than its author has (kubernetes.io/docs/reference/access-authn-authz/rbac,
    /// "privilege escalation prevention").
    func checkEscalation(_ object: JSON, old: JSON?, _ request: ResourceRequest) throws(StatusError) {
        let resource = request.resource.type
        guard resource.group == Authorizer.group, !request.user.groups.contains(Authorizer.mastersGroup) else { return }
        let grants = ["rules", "aggregationRule", "roleRef", "subjects"]
        if let old, grants.allSatisfy({ old[$0] == object[$0] }) { return }
        let namespace = request.namespace ?? ""
        let granted: [PolicyRule]
        var access = request.access(verb: "escalate")
        switch resource.plural {
        case "roles", "clusterroles": granted = Authorizer.rules(of: object)
        case "rolebindings", "clusterrolebindings":
            let role = object["roleRef"]
            granted = authorizer.rules(of: role, namespace: namespace)
            access.verb = "bind"
            access.resource = role?["kind"]?.string == "ClusterRole" ? "clusterroles" : "roles"
            access.name = role?["name"]?.string ?? ""
        default: return
        }
        if authorizer.allows(access, by: request.user) { return }
        let held = authorizer.rules(of: request.user, namespace: namespace)
        // It can gather anything.
        let aggregates = [object, old].contains { $0?["aggregationRule"]?.object != nil }
        if aggregates, !DefaultRoles.fullAuthority.allSatisfy({ PolicyRule($0).isCovered(by: held) }) {
            throw .forbidden(
                request.resource, object.at("metadata", "name")?.string,
                "must have cluster-admin privileges to use the aggregationRule")
        }
        guard let excess = granted.first(where: { !$0.isCovered(by: held) }) else { return }
        throw .forbidden(
            request.resource, object.at("metadata", "name")?.string,
            "user \(quoted(request.user.name)) (groups=[\(request.user.groups.map(quoted).joined(separator: " "))]) "
                + "is attempting to grant RBAC permissions not currently held:\n\(excess.json.text)")
    }
}

extension ResourceRequest {
    func access(verb: String) -> AccessRequest {
        // What is about one namespace is decided in it, so that a Role there can allow to read it.
        let home = table == TableID(group: "", plural: "namespaces") ? name : namespace
        return AccessRequest(
            verb: verb, group: resource.type.group, resource: resource.type.plural, subresource: subresource ?? "",
            namespace: home ?? "", name: name ?? "")
    }
}

extension PolicyRule {
    /// Whether `held` together grant every single thing that this rule grants.
    func isCovered(by held: [PolicyRule]) -> Bool {
        for verb in verbs {
            for path in paths where !held.contains(where: { $0.covers(verb: verb, path: path) }) { return false }
            for group in groups {
                for resource in resources {
                    let wanted: [String?] = names.isEmpty ? [nil] : names
                    for name in wanted
                    where !held.contains(where: {
                        $0.covers(verb: verb, group: group, resource: resource, name: name)
                    }) {
                        return false
                    }
                }
            }
        }
        return true
    }
}
