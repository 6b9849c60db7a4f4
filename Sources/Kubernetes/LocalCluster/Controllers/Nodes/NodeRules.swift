internal import APIServerKinds
internal import KubernetesClient
internal import StructuredData

/// Whether a node takes a pod: cordon, taints, node selector and required node affinity, in the scheduler's order.
struct NodeRules {
    static let unschedulable = "node.kubernetes.io/unschedulable"

    let node: KubernetesObject

    init(_ node: KubernetesObject) { self.node = node }

    var isCordoned: Bool { node.spec?["unschedulable"]?.bool ?? false }
    var taints: [JSON] { node.spec?["taints"]?.array ?? [] }

    /// Why the node does not take a pod with `spec`, in the scheduler's words; nil when it does.
    func refusal(of spec: JSON) -> String? {
        let tolerations = spec["tolerations"]?.array ?? []
        let cordon: JSON = ["key": JSON(Self.unschedulable), "effect": "NoSchedule"]
        if isCordoned, !tolerations.contains(where: { Self.tolerates($0, cordon) }) {
            return "node(s) were unschedulable"
        }
        for taint in taints where taint["effect"]?.string != "PreferNoSchedule" {
            guard !tolerations.contains(where: { Self.tolerates($0, taint) }) else { continue }
            let (key, value) = (taint["key"]?.string ?? "", taint["value"]?.string ?? "")
            return "node(s) had untolerated taint {\(key): \(value)}"
        }
        return fits(spec) ? nil : "node(s) didn't match Pod's node affinity/selector"
    }

    /// The `NoExecute` taints that a pod does not tolerate, or not for ever.
    /// - Returns: how long it may stay, from `timeAdded` of the taints on; nil when it may stay.
    func stay(of spec: JSON, now: KubernetesTime) -> Duration? {
        let tolerations = spec["tolerations"]?.array ?? []
        return taints.filter { $0["effect"]?.string == "NoExecute" }.compactMap { taint -> Duration? in
            let matching = tolerations.filter { Self.tolerates($0, taint) }
            if matching.isEmpty { return .zero }
            let limits = matching.compactMap { $0["tolerationSeconds"]?.int }
            guard let limit = limits.min() else { return nil }
            let since = taint["timeAdded"]?.string.flatMap { KubernetesTime($0) } ?? now
            return max(.zero, now.duration(to: since.advanced(by: .seconds(limit))))
        }.min()
    }

    static func tolerates(_ toleration: JSON, _ taint: JSON) -> Bool {
        let (effect, key) = (toleration["effect"]?.string ?? "", toleration["key"]?.string ?? "")
        if !effect.isEmpty, effect != taint["effect"]?.string { return false }
        if !key.isEmpty, key != taint["key"]?.string { return false }
        if toleration["operator"]?.string == "Exists" { return true }
        return !key.isEmpty && (toleration["value"]?.string ?? "") == (taint["value"]?.string ?? "")
    }

    // MARK: - Selectors

    private func fits(_ spec: JSON) -> Bool {
        guard LabelSelector(map: spec["nodeSelector"] ?? [:]).matches(node.labels) else { return false }
        let required = spec.at("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
        guard let terms = required?["nodeSelectorTerms"]?.array else { return true }
        return terms.contains { term in
            let (labels, fields) = (term["matchExpressions"]?.array ?? [], term["matchFields"]?.array ?? [])
            // A term without requirements fits nothing.
            guard !labels.isEmpty || !fields.isEmpty else { return false }
            return labels.allSatisfy { holds($0, node.labels) }
                && fields.allSatisfy { holds($0, ["metadata.name": node.name]) }
        }
    }

    private func holds(_ requirement: JSON, _ labels: [String: String]) -> Bool {
        let value = labels[requirement["key"]?.string ?? ""]
        let values = (requirement["values"]?.array ?? []).compactMap(\.string)
        func compare(_ holds: (Int, Int) -> Bool) -> Bool {
            guard let left = value.flatMap({ Int($0) }), let right = values.first.flatMap({ Int($0) }) else {
                return false
            }
            return holds(left, right)
        }
        switch requirement["operator"]?.string {
        case "In": return value.map { values.contains($0) } ?? false
        case "NotIn": return value.map { !values.contains($0) } ?? true
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        case "Gt": return compare(>)
        case "Lt": return compare(<)
        default: return false
        }
    }
}
