internal import KubernetesSchema
internal import StructuredData

struct AutoscalerStrategy: ResourceStrategy {
    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            spec.setDefault("minReplicas", 1)
            if spec["metrics"].isEmptyValue { spec["metrics"] = AutoscalerConversion.defaultMetrics }
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
        let sources = AutoscalerMetricForm.sources
        faults.oneOf("\(field).type", metric["type"], sources.keys.sorted())
        if let source = sources[metric["type"].text], metric[source] == nil {
            faults.required(
                "\(field).\(source)", "must populate information for the given metric source")
        }
    }
}

/// The older version, checked as what it is stored as.
struct AutoscalerVersion1Strategy: ResourceStrategy {
    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { $0.setDefault("minReplicas", 1) }
        object.withObject("status") { status in
            for key in ["currentReplicas", "desiredReplicas"] { status.setDefault(key, 0) }
        }
    }

    func prepareForCreate(_ object: inout JSON, context: WriteContext) -> [FieldError] {
        AutoscalerConversion.keepAnnotations(&object, old: nil, subresource: nil)
        return []
    }

    func prepareForUpdate(
        _ object: inout JSON, old: JSON, subresource: String?, context: WriteContext
    ) -> [FieldError] {
        AutoscalerConversion.keepAnnotations(&object, old: old, subresource: subresource)
        return []
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        AutoscalerStrategy().validate(
            AutoscalerConversion.toVersion2(object), old: old.map(AutoscalerConversion.toVersion2),
            subresource: subresource)
    }
}
