internal import KubernetesSchema

/// The form of `metadata.name`.
public enum NameRule: Sendable {
    /// RFC 1123 subdomain: most kinds.
    case subdomain
    /// RFC 1123 label: namespaces.
    case label
    /// RFC 1035 label: services.
    case serviceLabel
    /// Any text that can stand in a URL path: RBAC kinds.
    case pathSegment

    /// What is wrong with `name`, in Kubernetes' words; empty when nothing is.
    func faults(_ name: String) -> [String] {
        switch self {
        case .subdomain: Validators.dnsSubdomain(name)
        case .label: Validators.dnsLabel(name)
        case .serviceLabel: Validators.dns1035Label(name)
        case .pathSegment: Self.pathSegmentFaults(name)
        }
    }

    private static func pathSegmentFaults(_ name: String) -> [String] {
        if name == "." || name == ".." { return ["may not be '\(name)'"] }
        return ["/", "%"].filter { name.contains($0) }.map { "may not contain '\($0)'" }
    }
}
