internal import KubernetesSchema
public import StructuredData

/// A `LimitRange` as admission applies it to new pods and claims (`plugin/pkg/admission/limitranger` of Kubernetes).
public struct LimitRange: Sendable {
    private let items: [JSON]

    public init(_ object: JSON) { items = object.at("spec", "limits").elements }

    // MARK: - Defaults

    /// Gives the containers of a pod the requests and limits that they lack, and says so in an annotation.
    public func applyDefaults(to pod: inout JSON) {
        var notes: [String] = []
        for (key, label) in [("containers", "container"), ("initContainers", "init container")] {
            pod.with("spec") { spec in
                spec.forEach(key) { container in
                    for (kind, word, member) in [
                        ("requests", "request", "defaultRequest"), ("limits", "limit", "default"),
                    ] {
                        let given = fill(&container, kind, defaults(member))
                        guard !given.isEmpty else { continue }
                        notes.append(
                            "\(given.sorted().joined(separator: ", ")) \(word) for \(label) \(container["name"].text)")
                    }
                }
            }
        }
        guard !notes.isEmpty else { return }
        let text = "LimitRanger plugin set: \(notes.joined(separator: "; "))"
        pod.set(.string(text), at: "metadata", "annotations", "kubernetes.io/limit-ranger")
    }

    private func defaults(_ member: String) -> JSONObject {
        items.filter { $0["type"].text == "Container" }.reduce(into: JSONObject()) { result, item in
            for (name, amount) in item[member]?.object ?? [:] { result[name] = amount }
        }
    }

    private func fill(_ container: inout JSON, _ kind: String, _ defaults: JSONObject) -> [String] {
        var given: [String] = []
        for (name, amount) in defaults where container.at("resources", kind, name) == nil {
            container.set(amount, at: "resources", kind, name)
            given.append(name)
        }
        return given
    }

    // MARK: - Bounds

    /// What of a pod is out of bounds.
    public func faults(ofPod pod: JSON) -> [String] {
        items.flatMap { item -> [String] in
            switch item["type"].text {
            case "Container":
                return PodResources.containers(of: pod).flatMap { container in
                    Self.faults(
                        item, requests: PodResources.amounts(of: container, "requests"),
                        limits: PodResources.amounts(of: container, "limits"))
                }
            case "Pod":
                return Self.faults(
                    item, requests: PodResources.total(of: pod, "requests"),
                    limits: PodResources.total(of: pod, "limits"))
            default: return []
            }
        }
    }

    /// What of a persistent volume claim is out of bounds: its size.
    public func faults(ofClaim claim: JSON) -> [String] {
        let size = claim.at("spec", "resources", "requests", "storage").flatMap(Quantity.init(json:))
        return items.filter { $0["type"].text == "PersistentVolumeClaim" }.flatMap { item -> [String] in
            var faults: [String] = []
            if let minimum = Self.amount(item, "min", "storage"), size ?? ResourceUsage.count(0) < minimum {
                faults.append(
                    "minimum storage usage per PersistentVolumeClaim is \(minimum.canonical), "
                        + "but request is \(size?.canonical ?? "0")")
            }
            if let maximum = Self.amount(item, "max", "storage"), let size, size > maximum {
                faults.append(
                    "maximum storage usage per PersistentVolumeClaim is \(maximum.canonical), "
                        + "but request is \(size.canonical)")
            }
            return faults
        }
    }

    private static func amount(_ item: JSON, _ member: String, _ name: String) -> Quantity? {
        item.at(member, name).flatMap(Quantity.init(json:))
    }

    /// At most one fault for each bound.
    private static func faults(_ item: JSON, requests: ResourceUsage, limits: ResourceUsage) -> [String] {
        names(item, "min").compactMap { minimumFault(item, $0, requests[$0], limits[$0]) }
            + names(item, "max").compactMap { maximumFault(item, $0, requests[$0], limits[$0]) }
            + names(item, "maxLimitRequestRatio").compactMap { ratioFault(item, $0, requests[$0], limits[$0]) }
    }

    private static func minimumFault(
        _ item: JSON, _ name: String, _ request: Quantity?, _ limit: Quantity?
    ) -> String? {
        guard let minimum = amount(item, "min", name) else { return nil }
        let bound = "minimum \(name) usage per \(item["type"].text) is \(minimum.canonical)"
        guard let request else { return "\(bound).  No request is specified" }
        if request < minimum { return "\(bound), but request is \(request.canonical)" }
        if let limit, limit < minimum { return "\(bound), but limit is \(limit.canonical)" }
        return nil
    }

    private static func maximumFault(
        _ item: JSON, _ name: String, _ request: Quantity?, _ limit: Quantity?
    ) -> String? {
        guard let maximum = amount(item, "max", name) else { return nil }
        let bound = "maximum \(name) usage per \(item["type"].text) is \(maximum.canonical)"
        guard let limit else { return "\(bound).  No limit is specified" }
        if limit > maximum { return "\(bound), but limit is \(limit.canonical)" }
        if let request, request > maximum { return "\(bound), but request is \(request.canonical)" }
        return nil
    }

    private static func names(_ item: JSON, _ member: String) -> [String] {
        (item[member]?.object ?? [:]).map(\.key).sorted()
    }

    private static func ratioFault(
        _ item: JSON, _ name: String, _ request: Quantity?, _ limit: Quantity?
    ) -> String? {
        guard let maximum = amount(item, "maxLimitRequestRatio", name) else { return nil }
        let bound = "\(name) max limit to request ratio per \(item["type"].text) is \(maximum.canonical)"
        guard let request, request.nanos != 0 else {
            return "\(bound), but no request is specified or request is 0"
        }
        guard let limit, limit.nanos != 0 else { return "\(bound), but no limit is specified or limit is 0" }
        let ratio = limit.double / request.double
        guard ratio > maximum.double else { return nil }
        let millionths = Int((ratio * 1e6).rounded())
        let fraction = String(millionths % 1_000_000)
        let padding = String(repeating: "0", count: 6 - fraction.count)
        return "\(bound), but provided ratio is \(millionths / 1_000_000).\(padding)\(fraction)"
    }
}
