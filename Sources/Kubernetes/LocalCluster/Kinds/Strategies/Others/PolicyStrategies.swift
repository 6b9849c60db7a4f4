internal import KubernetesSchema
internal import StructuredData

struct DisruptionBudgetStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }
    var allowsUnconditionalUpdate: Bool { false }

    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { _ in }
        object.withObject("status") { status in
            for key in ["currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"] {
                status.setDefault(key, 0)
            }
        }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource == nil else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        if spec["minAvailable"] != nil, spec["maxUnavailable"] != nil {
            faults.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
        }
        WorkloadRules.checkIntOrPercent(spec["minAvailable"], "spec.minAvailable", &faults)
        WorkloadRules.checkIntOrPercent(spec["maxUnavailable"], "spec.maxUnavailable", &faults)
        if let selector = spec["selector"] { WorkloadRules.checkLabelSelector(selector, "spec.selector", &faults) }
        faults.oneOfIfSet(
            "spec.unhealthyPodEvictionPolicy", spec["unhealthyPodEvictionPolicy"],
            ["AlwaysAllow", "IfHealthyBudget"])
        return faults.errors
    }
}

struct LeaseStrategy: ResourceStrategy {
    var allowsCreateOnUpdate: Bool { true }
    var allowsUnconditionalUpdate: Bool { false }

    func applyDefaults(_ object: inout JSON) { object.withObject("spec") { _ in } }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        faults.positive("spec.leaseDurationSeconds", object.at("spec", "leaseDurationSeconds"))
        faults.notNegative("spec.leaseTransitions", object.at("spec", "leaseTransitions"))
        return faults.errors
    }
}

/// The PriorityClasses that every cluster has; others may not be named like them.
public enum SystemPriorityClass {
    /// As kube-apiserver makes them.
    public static let all: [(name: String, value: Int, description: String)] = [
        (
            "system-cluster-critical", 2_000_000_000,
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."
        ),
        (
            "system-node-critical", 2_000_001_000,
            "Used for system critical pods that must not be moved from their current node."
        ),
    ]
}

struct PriorityClassStrategy: ResourceStrategy {
    private static let highestOfUsers = 1_000_000_000

    /// Without a spec it stays at 1, as it should.
    var generation: GenerationRule { .spec }

    func applyDefaults(_ object: inout JSON) { object.setDefault("preemptionPolicy", "PreemptLowerPriority") }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        let name = object.at("metadata", "name").text
        let value = object["value"]?.int ?? 0
        if let known = SystemPriorityClass.all.first(where: { $0.name == name })?.value {
            if value != known { faults.forbidden("metadata.name", "value of \(name) PriorityClass must be \(known)") }
        } else if name.hasPrefix("system-") {
            faults.forbidden(
                "metadata.name",
                "priority class names with 'system-' prefix are reserved for system use only. error: \(name) is not a "
                    + "known system priority class")
        } else if value > Self.highestOfUsers {
            faults.forbidden("value", "maximum allowed value of a user defined priority is \(Self.highestOfUsers)")
        }
        faults.oneOf("preemptionPolicy", object["preemptionPolicy"], ["Never", "PreemptLowerPriority"])
        guard let old else { return faults.errors }
        if old["value"] != object["value"] { faults.forbidden("value", "may not be changed in an update.") }
        faults.immutable("preemptionPolicy", new: object["preemptionPolicy"], old: old["preemptionPolicy"])
        return faults.errors
    }
}
