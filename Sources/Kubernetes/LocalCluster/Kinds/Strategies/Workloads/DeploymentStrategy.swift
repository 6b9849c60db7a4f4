internal import KubernetesSchema
internal import StructuredData

struct DeploymentStrategy: ResourceStrategy {
    var generation: GenerationRule { .specAndAnnotations }

    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            spec.setDefault("progressDeadlineSeconds", 600)
            spec.setDefault("replicas", 1)
            spec.setDefault("revisionHistoryLimit", 10)
            spec.withObject("strategy") { strategy in
                strategy.setDefault("type", "RollingUpdate")
                guard strategy["type"].text == "RollingUpdate" else { return }
                strategy.withObject("rollingUpdate") { update in
                    update.setDefault("maxSurge", "25%")
                    update.setDefault("maxUnavailable", "25%")
                }
            }
            spec.withObject("template", PodDefaults.template)
        }
        object.setDefault("status", [:])
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource != "status" else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        faults.notNegative("spec.replicas", spec["replicas"])
        WorkloadRules.checkSelector(spec, kind: "deployment", &faults)
        WorkloadRules.checkTemplate(spec["template"], &faults)
        checkRollout(spec["strategy"] ?? [:], &faults)
        faults.notNegative("spec.minReadySeconds", spec["minReadySeconds"])
        faults.notNegative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"])
        if let deadline = spec["progressDeadlineSeconds"] {
            faults.notNegative("spec.progressDeadlineSeconds", deadline)
            if let seconds = deadline.int, seconds <= spec["minReadySeconds"]?.int ?? 0 {
                faults.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
            }
        }
        if let old { faults.immutable("spec.selector", new: spec["selector"], old: old.at("spec", "selector")) }
        return faults.errors
    }

    private func checkRollout(_ strategy: JSON, _ faults: inout Faults) {
        faults.oneOf("spec.strategy.type", strategy["type"], ["Recreate", "RollingUpdate"])
        guard let update = strategy["rollingUpdate"] else { return }
        let field = "spec.strategy.rollingUpdate"
        if strategy["type"].text == "Recreate" {
            faults.forbidden(field, "may not be specified when strategy `type` is 'Recreate'")
            return
        }
        WorkloadRules.checkIntOrPercent(update["maxUnavailable"], "\(field).maxUnavailable", &faults)
        WorkloadRules.checkIntOrPercent(update["maxSurge"], "\(field).maxSurge", &faults)
        if WorkloadRules.isZero(update["maxUnavailable"]), WorkloadRules.isZero(update["maxSurge"]) {
            faults.invalid("\(field).maxUnavailable", update["maxUnavailable"], "may not be 0 when `maxSurge` is 0")
        }
    }
}
