internal import KubernetesClient
internal import KubernetesSchema
public import StructuredData

/// A `ResourceQuota` as admission reads it.
public struct ResourceQuota: Sendable {
    public let name: String
    public let hard: ResourceUsage
    private let scopes: [JSON]

    public init(_ object: JSON) {
        name = object.at("metadata", "name").text
        var hard = ResourceUsage()
        for (name, value) in object.at("spec", "hard")?.object ?? [:] { hard[name] = Quantity(json: value) }
        self.hard = hard
        scopes =
            object.at("spec", "scopes").elements.map { ["scopeName": $0, "operator": "Exists"] }
            + object.at("spec", "scopeSelector", "matchExpressions").elements
    }

    /// Whether the object counts at all: a quota with scopes is about some pods only.
    public func covers(_ object: JSON, _ resource: ServedResource) -> Bool {
        guard !scopes.isEmpty else { return true }
        guard resource.type.group.isEmpty, resource.type.plural == "pods" else { return false }
        return scopes.allSatisfy { Self.matches($0, object) }
    }

    /// What the object takes of this quota.
    public func usage(of object: JSON, _ resource: ServedResource) -> ResourceUsage {
        guard covers(object, resource) else { return ResourceUsage() }
        return ObjectUsage.usage(of: object, resource).only(hard.amounts.keys)
    }

    /// Why an object that takes `requested` more is refused while `used` is taken; nil when there is room.
    public func refusal(requested: ResourceUsage, used: ResourceUsage) -> String? {
        let exceeded = requested.amounts.filter { name, amount in
            guard let limit = hard[name] else { return false }
            return (used[name]?.nanos ?? 0) + amount.nanos > limit.nanos
        }
        guard !exceeded.isEmpty else { return nil }
        var present = used
        for name in exceeded.keys where present[name] == nil { present[name] = ResourceUsage.count(0) }
        return "exceeded quota: \(name), requested: \(requested.only(exceeded.keys).text), "
            + "used: \(present.only(exceeded.keys).text), limited: \(hard.only(exceeded.keys).text)"
    }

    /// Where CPU or memory is limited, every container of a new pod must say what it takes.
    public func missingAmounts(of pod: JSON) -> String? {
        let spellings = ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "cpu", "memory"]
        let missing = spellings.filter { hard[$0] != nil }.sorted().compactMap { spelling -> String? in
            let parts = spelling.split(separator: ".").map(String.init)
            let (kind, name) = parts.count == 2 ? (parts[0], parts[1]) : ("requests", spelling)
            let containers = PodResources.containers(of: pod).filter { $0.at("resources", kind, name) == nil }
            guard !containers.isEmpty else { return nil }
            return "\(spelling) for: \(containers.map { $0["name"].text }.sorted().joined(separator: ","))"
        }
        return missing.isEmpty ? nil : "failed quota: \(name): must specify \(missing.joined(separator: "; "))"
    }

    /// The `status` of a quota of which `used` is taken.
    public func status(used: ResourceUsage) -> JSON {
        var amounts: JSON = [:]
        var limits: JSON = [:]
        for (name, limit) in hard.amounts.sorted(by: { $0.key < $1.key }) {
            limits[name] = .string(limit.canonical)
            amounts[name] = .string((used[name] ?? ResourceUsage.count(0)).canonical)
        }
        return ["hard": limits, "used": amounts]
    }

    private static func matches(_ scope: JSON, _ pod: JSON) -> Bool {
        switch scope["scopeName"].text {
        case "Terminating": return pod.at("spec", "activeDeadlineSeconds")?.int ?? -1 >= 0
        case "NotTerminating": return pod.at("spec", "activeDeadlineSeconds")?.int ?? -1 < 0
        case "BestEffort": return PodResources.isBestEffort(pod)
        case "NotBestEffort": return !PodResources.isBestEffort(pod)
        case "PriorityClass": return matchesPriority(scope, pod.at("spec", "priorityClassName").text)
        case "CrossNamespacePodAffinity": return reachesOtherNamespaces(pod)
        default: return false
        }
    }

    private static func matchesPriority(_ scope: JSON, _ name: String) -> Bool {
        switch scope["operator"].text {
        case "Exists": !name.isEmpty
        case "DoesNotExist": name.isEmpty
        case "In": scope["values"].elements.contains(.string(name))
        case "NotIn": !scope["values"].elements.contains(.string(name))
        default: false
        }
    }

    private static func reachesOtherNamespaces(_ pod: JSON) -> Bool {
        ["podAffinity", "podAntiAffinity"].contains { kind in
            let affinity = pod.at("spec", "affinity", kind)
            let terms =
                (affinity?["requiredDuringSchedulingIgnoredDuringExecution"]).elements
                + (affinity?["preferredDuringSchedulingIgnoredDuringExecution"]).elements.compactMap {
                    $0["podAffinityTerm"]
                }
            return terms.contains { !$0["namespaces"].isEmptyValue || $0["namespaceSelector"] != nil }
        }
    }
}
