internal import KubernetesClient
internal import StructuredData

/// `spec.podFailurePolicy` of a Job: the first rule that fits a failed pod decides.
struct PodFailurePolicy {
    enum Verdict: Equatable {
        case count, ignore
        case failJob(String)
    }

    private let rules: [JSON]

    init(_ policy: JSON?) { rules = policy?["rules"]?.array ?? [] }

    func verdict(on pod: KubernetesObject) -> Verdict {
        for (index, rule) in rules.enumerated() {
            guard let what = match(rule, pod) else { continue }
            switch rule["action"]?.string {
            case "Ignore": return .ignore
            case "FailJob":
                let name = "\(pod.namespace ?? "")/\(pod.name)"
                return .failJob(
                    what.replacing("POD", with: name) + " matching FailJob rule at index \(index)")
            default: return .count
            }
        }
        return .count
    }

    /// How the rule fits, in Kubernetes' words; nil when it does not.
    private func match(_ rule: JSON, _ pod: KubernetesObject) -> String? {
        if let codes = rule["onExitCodes"] { return match(codes: codes, pod) }
        let conditions = pod.status?["conditions"]?.array ?? []
        for pattern in rule["onPodConditions"]?.array ?? [] {
            let fits = conditions.contains {
                $0["type"] == pattern["type"] && $0["status"] == pattern["status"] ?? "True"
            }
            if fits { return "Pod POD has condition \(pattern["type"]?.string ?? "")" }
        }
        return nil
    }

    private func match(codes rule: JSON, _ pod: KubernetesObject) -> String? {
        let values = Set((rule["values"]?.array ?? []).compactMap(\.int))
        let statuses = ["initContainerStatuses", "containerStatuses"].flatMap { pod.status?[$0]?.array ?? [] }
        for status in statuses {
            guard let code = status.at("state", "terminated", "exitCode")?.int, code != 0 else { continue }
            let name = status["name"]?.string ?? ""
            if let wanted = rule["containerName"]?.string, wanted != name { continue }
            guard values.contains(code) == (rule["operator"]?.string == "In") else { continue }
            return "Container \(name) for pod POD failed with exit code \(code)"
        }
        return nil
    }
}
