internal import KubernetesSchema
internal import StructuredData

struct ReplicaSetStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }

    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            spec.setDefault("replicas", 1)
            spec.withObject("template", PodDefaults.template)
        }
        object.withObject("status") { $0.setDefault("replicas", 0) }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource != "status" else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        faults.notNegative("spec.replicas", spec["replicas"])
        faults.notNegative("spec.minReadySeconds", spec["minReadySeconds"])
        WorkloadRules.checkSelector(spec, kind: "replica set", &faults)
        WorkloadRules.checkTemplate(spec["template"], &faults)
        if let old { faults.immutable("spec.selector", new: spec["selector"], old: old.at("spec", "selector")) }
        return faults.errors
    }
}

struct ReplicationControllerStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }

    func applyDefaults(_ object: inout JSON) {
        let labels = object.at("spec", "template", "metadata", "labels")
        object.withObject("spec") { spec in
            spec.setDefault("replicas", 1)
            if spec["selector"].isEmptyValue, let labels { spec["selector"] = labels }
            spec.with("template", PodDefaults.template)
        }
        if let labels {
            object.withObject("metadata") { if $0["labels"].isEmptyValue { $0["labels"] = labels } }
        }
        object.withObject("status") { $0.setDefault("replicas", 0) }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource != "status" else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        faults.notNegative("spec.replicas", spec["replicas"])
        let selector = LabelSelector(map: spec["selector"] ?? [:])
        if selector.isEmpty {
            faults.required("spec.selector")
        } else if let template = spec["template"] {
            WorkloadRules.checkMatches(selector, template, &faults)
        }
        WorkloadRules.checkTemplate(spec["template"], &faults)
        return faults.errors
    }
}

struct StatefulSetStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }

    private static let changeable = [
        "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
    ]

    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            spec.setDefault("podManagementPolicy", "OrderedReady")
            spec.setDefault("replicas", 1)
            spec.setDefault("revisionHistoryLimit", 10)
            if spec["serviceName"] == nil { spec["serviceName"] = "" }
            spec.withObject("persistentVolumeClaimRetentionPolicy") { policy in
                policy.setDefault("whenDeleted", "Retain")
                policy.setDefault("whenScaled", "Retain")
            }
            spec.withObject("updateStrategy") { strategy in
                strategy.setDefault("type", "RollingUpdate")
                guard strategy["type"].text == "RollingUpdate" else { return }
                strategy.withObject("rollingUpdate") { $0.setDefault("partition", 0) }
            }
            spec.withObject("template", PodDefaults.template)
            spec.forEach("volumeClaimTemplates") { claim in
                claim.setDefault("apiVersion", "v1")
                claim.setDefault("kind", "PersistentVolumeClaim")
                PersistentVolumeClaimStrategy().applyDefaults(&claim)
            }
        }
        object.withObject("status") { $0.setDefault("replicas", 0) }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource != "status" else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        faults.oneOf("spec.podManagementPolicy", spec["podManagementPolicy"], ["OrderedReady", "Parallel"])
        faults.oneOf("spec.updateStrategy.type", spec.at("updateStrategy", "type"), ["OnDelete", "RollingUpdate"])
        faults.notNegative("spec.replicas", spec["replicas"])
        faults.notNegative("spec.minReadySeconds", spec["minReadySeconds"])
        faults.notNegative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"])
        faults.notNegative("spec.ordinals.start", spec.at("ordinals", "start"))
        let partition = spec.at("updateStrategy", "rollingUpdate", "partition")
        faults.notNegative("spec.updateStrategy.rollingUpdate.partition", partition)
        WorkloadRules.checkSelector(spec, kind: "statefulset", &faults)
        WorkloadRules.checkTemplate(spec["template"], &faults)
        if let oldSpec = old?["spec"], fixedPart(of: spec) != fixedPart(of: oldSpec) {
            faults.forbidden(
                "spec",
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                    + "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                    + "'minReadySeconds' are forbidden")
        }
        return faults.errors
    }

    private func fixedPart(of spec: JSON) -> JSON {
        var fixed = spec
        for key in Self.changeable { fixed[key] = nil }
        return fixed
    }
}

struct DaemonSetStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }

    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            spec.setDefault("revisionHistoryLimit", 10)
            spec.withObject("updateStrategy") { strategy in
                strategy.setDefault("type", "RollingUpdate")
                guard strategy["type"].text == "RollingUpdate" else { return }
                strategy.withObject("rollingUpdate") { update in
                    update.setDefault("maxSurge", 0)
                    update.setDefault("maxUnavailable", 1)
                }
            }
            spec.withObject("template", PodDefaults.template)
        }
        object.withObject("status") { status in
            for key in ["currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"] {
                status.setDefault(key, 0)
            }
        }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource != "status" else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        WorkloadRules.checkSelector(spec, kind: "daemonset", &faults)
        WorkloadRules.checkTemplate(spec["template"], &faults)
        faults.oneOf("spec.updateStrategy.type", spec.at("updateStrategy", "type"), ["OnDelete", "RollingUpdate"])
        faults.notNegative("spec.minReadySeconds", spec["minReadySeconds"])
        faults.notNegative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"])
        if let old { faults.immutable("spec.selector", new: spec["selector"], old: old.at("spec", "selector")) }
        return faults.errors
    }
}

struct ControllerRevisionStrategy: ResourceStrategy {
    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        if object["data"] == nil { faults.required("data", "data is mandatory") }
        faults.notNegative("revision", object["revision"])
        if let old { faults.immutable("data", new: object["data"], old: old["data"]) }
        return faults.errors
    }
}
