internal import KubernetesSchema
internal import StructuredData

struct PodStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }

    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            PodDefaults.spec(&spec)
            PodDefaults.pod(&spec)
            spec.setDefault("serviceAccountName", "default")
            spec["serviceAccount"] = spec["serviceAccountName"]
            spec.setDefault("preemptionPolicy", "PreemptLowerPriority")
            spec.setDefault("priority", 0)
            spec.withTolerations()
        }
    }

    func prepareForCreate(_ object: inout JSON, context: WriteContext) -> [FieldError] {
        object["status"] = ["phase": "Pending", "qosClass": .string(QualityOfService.of(object["spec"] ?? [:]))]
        return []
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource == nil else { return [] }
        var faults = Faults()
        guard let old else { return PodValidation.faults(of: object["spec"], at: "spec") }
        if fixedPart(of: object["spec"]) != fixedPart(of: old["spec"]) {
            faults.forbidden(
                "spec",
                "pod updates may not change fields other than `spec.containers[*].image`,"
                    + "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions "
                    + "to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it "
                    + "was previously negative)")
        }
        for key in ["containers", "initContainers"] {
            for (index, container) in (object.at("spec", key)).elements.enumerated()
            where container["image"].isEmptyValue {
                faults.required("spec.\(key)[\(index)].image")
            }
        }
        return faults.errors
    }

    private func fixedPart(of spec: JSON?) -> JSON {
        var fixed = spec ?? [:]
        for key in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] { fixed[key] = nil }
        // A binding sets the node; it comes as an update of the pod itself here.
        fixed["nodeName"] = nil
        for key in ["containers", "initContainers"] { fixed.forEach(key) { $0["image"] = nil } }
        return fixed
    }
}

struct PodTemplateStrategy: ResourceStrategy {
    var generation: GenerationRule { .none }

    func applyDefaults(_ object: inout JSON) { object.withObject("template", PodDefaults.template) }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        PodValidation.faults(of: object.at("template", "spec"), at: "template.spec")
    }
}

extension JSON {
    /// The tolerations that admission gives every pod: it stays five minutes on a node that is lost.
    fileprivate mutating func withTolerations() {
        var tolerations = self["tolerations"].elements
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
        where !tolerations.contains(where: { $0["key"].text == key || $0["key"].isEmptyValue }) {
            tolerations.append([
                "effect": "NoExecute", "key": .string(key), "operator": "Exists", "tolerationSeconds": 300,
            ])
        }
        self["tolerations"] = .array(tolerations)
    }
}

/// The quality-of-service class of a pod, from its resources.
enum QualityOfService {
    static func of(_ spec: JSON) -> String {
        let containers = spec["containers"].elements + spec["initContainers"].elements
        var hasResources = false
        var isGuaranteed = true
        for container in containers {
            let requests = container.at("resources", "requests")
            let limits = container.at("resources", "limits")
            for name in ["cpu", "memory"] {
                if requests?[name] != nil || limits?[name] != nil { hasResources = true }
                if limits?[name] == nil || (requests?[name] ?? limits?[name]) != limits?[name] { isGuaranteed = false }
            }
        }
        return hasResources ? (isGuaranteed ? "Guaranteed" : "Burstable") : "BestEffort"
    }
}
