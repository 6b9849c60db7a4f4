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

struct AutoscalerStrategy: ResourceStrategy {
    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            spec.setDefault("minReplicas", 1)
            if spec["metrics"].isEmptyValue {
                let target: JSON = ["averageUtilization": 80, "type": "Utilization"]
                spec["metrics"] = [["resource": ["name": "cpu", "target": target], "type": "Resource"]]
            }
            spec.with("behavior") { behavior in
                behavior.withObject("scaleUp") { rules in
                    rules.setDefault("stabilizationWindowSeconds", 0)
                    rules.setDefault("selectPolicy", "Max")
                    if rules["policies"].isEmptyValue {
                        rules["policies"] = [
                            ["type": "Pods", "value": 4, "periodSeconds": 15],
                            ["type": "Percent", "value": 100, "periodSeconds": 15],
                        ]
                    }
                }
                behavior.withObject("scaleDown") { rules in
                    rules.setDefault("selectPolicy", "Max")
                    if rules["policies"].isEmptyValue {
                        rules["policies"] = [["type": "Percent", "value": 100, "periodSeconds": 15]]
                    }
                }
            }
        }
        object.withObject("status") { status in
            if status["currentMetrics"] == nil { status["currentMetrics"] = .null }
            status.setDefault("desiredReplicas", 0)
        }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource == nil else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        if let minimum = spec["minReplicas"]?.int, minimum < 1 {
            faults.invalid("spec.minReplicas", JSON(minimum), "must be greater than or equal to 1")
        }
        let maximum = spec["maxReplicas"]?.int ?? 0
        if maximum < 1 { faults.invalid("spec.maxReplicas", JSON(maximum), "must be greater than 0") }
        if maximum < spec["minReplicas"]?.int ?? 1 {
            faults.invalid(
                "spec.maxReplicas", JSON(maximum), "must be greater than or equal to `minReplicas`")
        }
        for key in ["kind", "name"] where spec.at("scaleTargetRef", key).isEmptyValue {
            faults.required("spec.scaleTargetRef.\(key)")
        }
        for (index, metric) in spec["metrics"].elements.enumerated() { checkMetric(metric, index, &faults) }
        return faults.errors
    }

    private func checkMetric(_ metric: JSON, _ index: Int, _ faults: inout Faults) {
        let field = "spec.metrics[\(index)]"
        let sources = [
            "ContainerResource": "containerResource", "External": "external", "Object": "object", "Pods": "pods",
            "Resource": "resource",
        ]
        faults.oneOf("\(field).type", metric["type"], sources.keys.sorted())
        if let source = sources[metric["type"].text], metric[source] == nil {
            faults.required(
                "\(field).\(source)", "must populate information for the given metric source")
        }
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
