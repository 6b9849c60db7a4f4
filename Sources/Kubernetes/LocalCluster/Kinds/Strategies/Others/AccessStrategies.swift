internal import KubernetesSchema
internal import StructuredData

private let accessGroup = "rbac.authorization.k8s.io"

/// Roles and ClusterRoles.
struct RoleStrategy: ResourceStrategy {
    var nameRule: NameRule { .pathSegment }
    var allowsCreateOnUpdate: Bool { true }

    func applyDefaults(_ object: inout JSON) {
        if object["rules"] == nil { object["rules"] = .null }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        for (index, rule) in object["rules"].elements.enumerated() {
            let field = "rules[\(index)]"
            if rule["verbs"].isEmptyValue {
                faults.required("\(field).verbs", "verbs must contain at least one value")
            }
            guard rule["nonResourceURLs"].isEmptyValue else {
                if object["kind"].text == "Role" {
                    faults.invalid(
                        "\(field).nonResourceURLs", rule["nonResourceURLs"],
                        "namespaced rules cannot apply to non-resource URLs")
                }
                if !rule["apiGroups"].isEmptyValue || !rule["resources"].isEmptyValue {
                    faults.invalid(
                        "\(field).nonResourceURLs", rule["nonResourceURLs"],
                        "rules cannot apply to both regular resources and non-resource URLs")
                }
                continue
            }
            if rule["apiGroups"].isEmptyValue {
                faults.required("\(field).apiGroups", "resource rules must supply at least one api group")
            }
            if rule["resources"].isEmptyValue {
                faults.required("\(field).resources", "resource rules must supply at least one resource")
            }
        }
        return faults.errors
    }
}

/// RoleBindings and ClusterRoleBindings.
struct RoleBindingStrategy: ResourceStrategy {
    let roleKinds: [String]
    var nameRule: NameRule { .pathSegment }
    var allowsCreateOnUpdate: Bool { true }

    func applyDefaults(_ object: inout JSON) {
        object.withObject("roleRef") { $0.setDefault("apiGroup", .string(accessGroup)) }
        object.forEach("subjects") { subject in
            guard subject["kind"].text != "ServiceAccount" else { return }
            subject.setDefault("apiGroup", .string(accessGroup))
        }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        let role = object["roleRef"] ?? [:]
        if role["apiGroup"].text != accessGroup {
            faults.notSupported("roleRef.apiGroup", role["apiGroup"], [accessGroup])
        }
        if !roleKinds.contains(role["kind"].text) {
            faults.notSupported("roleRef.kind", role["kind"] ?? "", roleKinds)
        }
        if role["name"].isEmptyValue {
            faults.required("roleRef.name")
        } else {
            faults.invalid("roleRef.name", role["name"], NameRule.pathSegment.faults(role["name"].text))
        }
        for (index, subject) in object["subjects"].elements.enumerated() {
            checkSubject(subject, "subjects[\(index)]", &faults)
        }
        if let old, old["roleRef"] != object["roleRef"] {
            faults.invalid("roleRef", object["roleRef"], "cannot change roleRef")
        }
        return faults.errors
    }

    private func checkSubject(_ subject: JSON, _ field: String, _ faults: inout Faults) {
        if subject["name"].isEmptyValue { faults.required("\(field).name") }
        switch subject["kind"].text {
        case "ServiceAccount":
            if !subject["name"].isEmptyValue {
                faults.invalid("\(field).name", subject["name"], Validators.dnsSubdomain(subject["name"].text))
            }
            if !subject["apiGroup"].isEmptyValue {
                faults.notSupported("\(field).apiGroup", subject["apiGroup"], [""])
            }
            if subject["namespace"].isEmptyValue, roleKinds == ["ClusterRole"] {
                faults.required("\(field).namespace")
            }
        case "User", "Group":
            if subject["apiGroup"].text != accessGroup {
                faults.notSupported("\(field).apiGroup", subject["apiGroup"], [accessGroup])
            }
        default: faults.notSupported("\(field).kind", subject["kind"] ?? "", ["Group", "ServiceAccount", "User"])
        }
    }
}
