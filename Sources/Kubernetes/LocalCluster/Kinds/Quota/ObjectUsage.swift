internal import KubernetesClient
internal import KubernetesSchema
public import StructuredData

/// What one object takes of a namespace's quotas (`pkg/quota/v1/evaluator/core` of Kubernetes).
public enum ObjectUsage {
    /// Core resources that quotas may also count by their bare name.
    private static let countedByName: Set<String> = [
        "configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "secrets", "services",
    ]

    /// - Parameter resource: that of the object; an object of another version takes the same.
    public static func usage(of object: JSON, _ resource: ServedResource) -> ResourceUsage {
        let type = resource.type
        var usage = ResourceUsage()
        usage.add(count: 1, to: countName(resource))
        guard type.group.isEmpty else { return usage }
        if countedByName.contains(type.plural) { usage.add(count: 1, to: type.plural) }
        switch type.plural {
        case "pods": if !isFinished(pod: object) { addPod(object, &usage) }
        case "services": addService(object, &usage)
        case "persistentvolumeclaims": addClaim(object, &usage)
        default: break
        }
        return usage
    }

    /// `count/configmaps`, `count/deployments.apps`.
    static func countName(_ resource: ServedResource) -> String {
        let type = resource.type
        return "count/\(type.plural)\(type.group.isEmpty ? "" : ".\(type.group)")"
    }

    /// Whether a change of the object, not only its creation, is held against quotas.
    public static func isCheckedOnUpdate(_ resource: ServedResource) -> Bool {
        resource.type.group.isEmpty && ["services", "persistentvolumeclaims"].contains(resource.type.plural)
    }

    /// The resource whose objects a quota on `name` counts: its plural and its group.
    public static func counted(by name: String) -> (plural: String, group: String) {
        if name.hasPrefix("count/") {
            let parts = name.dropFirst("count/".count).split(separator: ".", maxSplits: 1)
            return (parts.first.map(String.init) ?? "", parts.count > 1 ? String(parts[1]) : "")
        }
        if countedByName.contains(name) { return (name, "") }
        if name.hasPrefix("services.") { return ("services", "") }
        if name == "requests.storage" || name.contains(storageClassMark) { return ("persistentvolumeclaims", "") }
        return ("pods", "")
    }

    private static let storageClassMark = ".storageclass.storage.k8s.io/"

    private static func isFinished(pod: JSON) -> Bool {
        ["Succeeded", "Failed"].contains(pod.at("status", "phase").text)
    }

    private static func addPod(_ pod: JSON, _ usage: inout ResourceUsage) {
        usage.add(count: 1, to: "pods")
        for (name, amount) in PodResources.total(of: pod, "requests").amounts {
            usage.add(amount, to: "requests.\(name)")
            if ["cpu", "memory", "ephemeral-storage"].contains(name) { usage.add(amount, to: name) }
        }
        for (name, amount) in PodResources.total(of: pod, "limits").amounts { usage.add(amount, to: "limits.\(name)") }
    }

    private static func addService(_ service: JSON, _ usage: inout ResourceUsage) {
        let spec = service["spec"] ?? [:]
        let type = spec["type"].text
        if type == "LoadBalancer" { usage.add(count: 1, to: "services.loadbalancers") }
        let hasPorts =
            type == "NodePort" || type == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"]?.bool != false
        if hasPorts { usage.add(count: spec["ports"].elements.count, to: "services.nodeports") }
    }

    private static func addClaim(_ claim: JSON, _ usage: inout ResourceUsage) {
        let size = claim.at("spec", "resources", "requests", "storage").flatMap(Quantity.init(json:))
        if let size { usage.add(size, to: "requests.storage") }
        let name = claim.at("spec", "storageClassName").text
        guard !name.isEmpty else { return }
        usage.add(count: 1, to: "\(name)\(storageClassMark)persistentvolumeclaims")
        if let size { usage.add(size, to: "\(name)\(storageClassMark)requests.storage") }
    }
}

extension Quantity {
    init?(json: JSON) { self.init(json.string ?? json.number?.text ?? "") }
}
