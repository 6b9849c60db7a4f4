internal import KubernetesSchema
internal import StructuredData

struct JobStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }

    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            if spec["completions"] == nil, spec["parallelism"] == nil { spec["completions"] = 1 }
            spec.setDefault("parallelism", 1)
            spec.setDefault("backoffLimit", spec["backoffLimitPerIndex"] == nil ? 6 : 2_147_483_647)
            spec.setDefault("completionMode", "NonIndexed")
            spec.setDefault("suspend", false)
            spec.setDefault(
                "podReplacementPolicy", spec["podFailurePolicy"] == nil ? "TerminatingOrFailed" : "Failed")
            if spec["manualSelector"] == nil { spec["manualSelector"] = false }
            spec.withObject("template", PodDefaults.template)
        }
        let labels = object.at("spec", "template", "metadata", "labels")
        if let labels, object.at("metadata", "labels").isEmptyValue {
            object.withObject("metadata") { $0["labels"] = labels }
        }
        object.setDefault("status", [:])
    }

    /// Gives the job a selector of its own, unless the user brought one.
    func prepareForCreate(_ object: inout JSON, context: WriteContext) -> [FieldError] {
        guard object.at("spec", "manualSelector")?.bool != true else { return [] }
        let uid = object.at("metadata", "uid") ?? ""
        let name = object.at("metadata", "name") ?? ""
        object.withObject("spec") { spec in
            spec.withObject("template") { template in
                template.withObject("metadata") { metadata in
                    metadata.withObject("labels") { labels in
                        labels["batch.kubernetes.io/controller-uid"] = uid
                        labels["batch.kubernetes.io/job-name"] = name
                        labels["controller-uid"] = uid
                        labels["job-name"] = name
                    }
                }
            }
            if spec["selector"] == nil {
                spec["selector"] = ["matchLabels": ["batch.kubernetes.io/controller-uid": uid]]
            }
        }
        return []
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource != "status" else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        for key in ["completions", "parallelism", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"] {
            faults.notNegative("spec.\(key)", spec[key])
        }
        faults.oneOf("spec.completionMode", spec["completionMode"], ["Indexed", "NonIndexed"])
        if spec["selector"] == nil {
            faults.required("spec.selector")
        } else if let selector = spec["selector"].flatMap(LabelSelector.init(labelSelector:)),
            let template = spec["template"]
        {
            WorkloadRules.checkMatches(selector, template, &faults)
        }
        WorkloadRules.checkTemplate(spec["template"], &faults, restartPolicies: ["OnFailure", "Never"])
        guard let oldSpec = old?["spec"] else { return faults.errors }
        for key in ["selector", "completionMode", "template", "podFailurePolicy", "backoffLimitPerIndex"] {
            if key == "template", isTemplateChangeable(spec, oldSpec, old) { continue }
            faults.immutable("spec.\(key)", new: spec[key], old: oldSpec[key])
        }
        if spec["completionMode"].text != "Indexed" {
            faults.immutable("spec.completions", new: spec["completions"], old: oldSpec["completions"])
        }
        return faults.errors
    }

    /// The scheduling directives of a suspended job that never started may change.
    private func isTemplateChangeable(_ spec: JSON, _ oldSpec: JSON, _ old: JSON?) -> Bool {
        guard oldSpec["suspend"]?.bool == true, old?.at("status", "startTime") == nil else { return false }
        func fixedPart(_ spec: JSON) -> JSON {
            var template = spec["template"] ?? [:]
            for key in ["nodeSelector", "affinity", "tolerations", "schedulingGates"] { template["spec"]?[key] = nil }
            for key in ["labels", "annotations"] { template["metadata"]?[key] = nil }
            return template
        }
        return fixedPart(spec) == fixedPart(oldSpec)
    }
}

struct CronJobStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }

    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            spec.setDefault("concurrencyPolicy", "Allow")
            spec.setDefault("suspend", false)
            spec.setDefault("successfulJobsHistoryLimit", 3)
            spec.setDefault("failedJobsHistoryLimit", 1)
            spec.withObject("jobTemplate") { template in
                template.withObject("spec") { $0.withObject("template", PodDefaults.template) }
            }
        }
        object.setDefault("status", [:])
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource != "status" else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        let name = object.at("metadata", "name").text
        if old == nil, name.utf8.count > 52 {
            faults.invalid("metadata.name", .string(name), "must be no more than 52 characters")
        }
        checkSchedule(spec["schedule"].text, &faults)
        faults.oneOf("spec.concurrencyPolicy", spec["concurrencyPolicy"], ["Allow", "Forbid", "Replace"])
        for key in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
            faults.notNegative("spec.\(key)", spec[key])
        }
        let field = "spec.jobTemplate.spec.template.spec"
        let pod = spec.at("jobTemplate", "spec", "template", "spec")
        faults.add(PodValidation.faults(of: pod, at: field))
        if pod?["restartPolicy"].text == "Always" {
            faults.notSupported("\(field).restartPolicy", "Always", ["OnFailure", "Never"])
        }
        return faults.errors
    }

    private func checkSchedule(_ schedule: String, _ faults: inout Faults) {
        if schedule.isEmpty {
            faults.required("spec.schedule")
        } else if schedule.contains("TZ") {
            faults.invalid(
                "spec.schedule", .string(schedule),
                "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
        } else if let fault = CronSchedule.fault(in: schedule) {
            faults.invalid("spec.schedule", .string(schedule), fault)
        }
    }
}
