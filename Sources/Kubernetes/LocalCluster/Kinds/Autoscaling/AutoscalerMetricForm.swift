internal import StructuredData

/// How `autoscaling/v1` writes a metric of `autoscaling/v2` in an annotation: with all members of a source side by side.
struct AutoscalerMetricForm {
    /// `target` for what is wanted, `current` for what was measured: the member of v2, and the prefix of v1's members.
    let role: String

    static let wanted = AutoscalerMetricForm(role: "target")
    static let measured = AutoscalerMetricForm(role: "current")

    /// The member that holds a metric, by its type.
    static let sources = [
        "ContainerResource": "containerResource", "External": "external", "Object": "object", "Pods": "pods",
        "Resource": "resource",
    ]

    func flat(_ metric: JSON) -> JSON {
        convert(metric) { source, form in
            var flat: JSON = [:]
            flat["target"] = source["describedObject"]
            for key in ["name", "container"] { flat[key] = source[key] }
            flat["metricName"] = source.at("metric", "name")
            flat[selectorKey(form)] = source.at("metric", "selector")
            for (key, name) in amounts(form) { flat[name] = source.at(role, key) }
            return flat
        }
    }

    func nested(_ metric: JSON) -> JSON {
        convert(metric) { source, form in
            var nested: JSON = [:]
            nested["describedObject"] = source["target"]
            for key in ["name", "container"] { nested[key] = source[key] }
            if let name = source["metricName"] {
                var identity: JSON = ["name": name]
                identity["selector"] = source[selectorKey(form)]
                nested["metric"] = identity
            }
            var amount: JSON = [:]
            for (key, name) in amounts(form) { amount[key] = source[name] }
            if role == "target" { amount["type"] = .string(Self.targetType(amount)) }
            nested[role] = amount
            return nested
        }
    }

    private func convert(_ metric: JSON, _ convertSource: (JSON, String) -> JSON) -> JSON {
        guard let form = Self.sources[metric["type"].text], let source = metric[form] else { return metric }
        return ["type": metric["type"] ?? "", form: convertSource(source, form)]
    }

    private func selectorKey(_ form: String) -> String { form == "external" ? "metricSelector" : "selector" }

    /// Each amount of v2 with its name in v1.
    private func amounts(_ form: String) -> [(String, String)] {
        [
            ("value", "\(role)Value"),
            ("averageValue", form == "object" ? "averageValue" : "\(role)AverageValue"),
            ("averageUtilization", "\(role)AverageUtilization"),
        ]
    }

    private static func targetType(_ amount: JSON) -> String {
        if amount["averageUtilization"] != nil { return "Utilization" }
        return amount["averageValue"] != nil ? "AverageValue" : "Value"
    }
}
