internal import KubernetesSchema
internal import StructuredData

/// What the kinds that make pods from a template have in common.
enum WorkloadRules {
    /// Checks a required `LabelSelector` and that it selects the template's pods.
    static func checkSelector(_ spec: JSON, kind: String, _ faults: inout Faults) {
        guard let selector = spec["selector"] else {
            faults.required("spec.selector")
            return
        }
        checkLabelSelector(selector, "spec.selector", &faults)
        guard let parsed = LabelSelector(labelSelector: selector) else { return }
        if parsed.isEmpty {
            faults.invalid("spec.selector", selector, "empty selector is invalid for \(kind)")
        } else if let template = spec["template"] {
            checkMatches(parsed, template, &faults)
        }
    }

    static func checkMatches(_ selector: LabelSelector, _ template: JSON, _ faults: inout Faults) {
        let labels = template.at("metadata", "labels")
        if !selector.matches(labels) {
            faults.invalid(
                "spec.template.metadata.labels", labels ?? [:], "`selector` does not match template `labels`")
        }
    }

    static func checkLabelSelector(_ selector: JSON, _ field: String, _ faults: inout Faults) {
        ObjectMetadata.checkLabels(selector["matchLabels"], "\(field).matchLabels", &faults)
        for (index, expression) in selector["matchExpressions"].elements.enumerated() {
            let place = "\(field).matchExpressions[\(index)]"
            faults.invalid("\(place).key", expression["key"], Validators.qualifiedName(expression["key"].text))
            let hasValues = !expression["values"].isEmptyValue
            switch expression["operator"].text {
            case "In", "NotIn":
                if !hasValues {
                    faults.required("\(place).values", "must be specified when `operator` is 'In' or 'NotIn'")
                }
            case "Exists", "DoesNotExist":
                if hasValues {
                    faults.forbidden(
                        "\(place).values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
                }
            default: faults.invalid("\(place).operator", expression["operator"], "not a valid selector operator")
            }
        }
    }

    /// Checks a pod template whose pods must always restart.
    static func checkTemplate(_ template: JSON?, _ faults: inout Faults, restartPolicies: [String] = ["Always"]) {
        guard let template else {
            faults.required("spec.template")
            return
        }
        let field = "spec.template"
        ObjectMetadata.checkLabels(template.at("metadata", "labels"), "\(field).metadata.labels", &faults)
        faults.add(PodValidation.faults(of: template["spec"], at: "\(field).spec"))
        let policy = template.at("spec", "restartPolicy")
        if ["Always", "OnFailure", "Never"].contains(policy.text), !restartPolicies.contains(policy.text) {
            faults.notSupported("\(field).spec.restartPolicy", policy, restartPolicies)
        }
    }

    /// A count or a percentage, as `maxSurge` and `maxUnavailable` are.
    static func checkIntOrPercent(_ value: JSON?, _ field: String, _ faults: inout Faults) {
        guard let value else { return }
        if let number = value.int {
            if number < 0 { faults.invalid(field, value, "must be greater than or equal to 0") }
        } else {
            faults.invalid(field, value, Validators.percentOrNumber(value))
        }
    }

    /// Whether a count or percentage is zero.
    static func isZero(_ value: JSON?) -> Bool { value?.int == 0 || value?.string == "0%" }
}
