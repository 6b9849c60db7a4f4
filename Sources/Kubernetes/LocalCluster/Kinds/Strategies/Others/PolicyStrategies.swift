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
