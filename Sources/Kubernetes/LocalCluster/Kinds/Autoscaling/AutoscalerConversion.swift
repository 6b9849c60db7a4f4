internal import StructuredData

/// `autoscaling/v1` HorizontalPodAutoscalers as a view of `autoscaling/v2`, in which they are stored.
///
/// v1 knows one metric, the CPU utilization. What else there is rides in annotations, so that a client of v1 that reads
/// and writes back loses nothing (kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale).
enum AutoscalerConversion {
    private enum Annotation {
        static let metrics = "autoscaling.alpha.kubernetes.io/metrics"
        static let behavior = "autoscaling.alpha.kubernetes.io/behavior"
        static let currentMetrics = "autoscaling.alpha.kubernetes.io/current-metrics"
        static let conditions = "autoscaling.alpha.kubernetes.io/conditions"
    }

    /// What a new autoscaler scales by when its author names nothing.
    static let defaultMetrics: JSON = [cpu(utilization: 80)]

    static func toVersion2(_ object: JSON) -> JSON {
        var result = object
        var annotations = object.at("metadata", "annotations") ?? [:]
        func take(_ name: String) -> JSON? {
            defer { annotations[name] = nil }
            // A text that is not JSON is dropped, as the real conversion does.
            return annotations[name]?.string.flatMap { try? JSON(parsing: Array($0.utf8)) }
        }
        let metrics = take(Annotation.metrics)
        let behavior = take(Annotation.behavior)
        let currentMetrics = take(Annotation.currentMetrics)
        let conditions = take(Annotation.conditions)
        result.set(annotations.isEmptyValue ? Optional.none : annotations, at: "metadata", "annotations")
        result.with("spec") { spec in
            var all = metrics.elements.map(AutoscalerMetricForm.wanted.nested)
            if let utilization = spec["targetCPUUtilizationPercentage"] { all.append(cpu(utilization: utilization)) }
            spec["targetCPUUtilizationPercentage"] = nil
            spec["metrics"] = all.isEmpty ? defaultMetrics : .array(all)
            spec["behavior"] = behavior
        }
        result.with("status") { status in
            let utilization = status["currentCPUUtilizationPercentage"]
            status["currentCPUUtilizationPercentage"] = nil
            if status["currentReplicas"]?.int == 0 { status["currentReplicas"] = nil }
            if let currentMetrics {
                status["currentMetrics"] = .array(
                    (currentMetrics.array ?? []).map(AutoscalerMetricForm.measured.nested))
            } else if let utilization {
                status["currentMetrics"] = [cpu("current", ["averageUtilization": utilization])]
            } else {
                status["currentMetrics"] = .null
            }
            status["conditions"] = conditions
        }
        result["apiVersion"] = "autoscaling/v2"
        return result
    }

    static func toVersion1(_ object: JSON) -> JSON {
        var result = object
        var annotations: [(String, JSON)] = []
        result.with("spec") { spec in
            let metrics = spec["metrics"].elements
            let isCPU = metrics.map { cpuUtilization(of: $0, "target") != nil }
            if let index = isCPU.firstIndex(of: true) {
                spec["targetCPUUtilizationPercentage"] = cpuUtilization(of: metrics[index], "target")
            }
            let others = zip(metrics, isCPU).filter { !$0.1 }.map { AutoscalerMetricForm.wanted.flat($0.0) }
            if !others.isEmpty { annotations.append((Annotation.metrics, .array(others))) }
            if let behavior = spec["behavior"] { annotations.append((Annotation.behavior, behavior)) }
            for key in ["metrics", "behavior"] { spec[key] = nil }
        }
        result.with("status") { status in
            let metrics = status["currentMetrics"].elements
            status["currentCPUUtilizationPercentage"] =
                metrics.lazy.compactMap { cpuUtilization(of: $0, "current") }.first
            if !metrics.isEmpty {
                let flat = metrics.map(AutoscalerMetricForm.measured.flat)
                annotations.append((Annotation.currentMetrics, .array(flat)))
            }
            if let conditions = status["conditions"], !conditions.isEmptyValue {
                annotations.append((Annotation.conditions, conditions))
            }
            for key in ["currentMetrics", "conditions"] { status[key] = nil }
            for key in ["currentReplicas", "desiredReplicas"] { status.setDefault(key, 0) }
        }
        for (name, value) in annotations {
            result.set(.string(value.text), at: "metadata", "annotations", name)
        }
        result["apiVersion"] = "autoscaling/v1"
        return result
    }

    /// Puts the parts that `subresource` may not change, as far as they ride in annotations, back to what they were.
    static func keepAnnotations(_ object: inout JSON, old: JSON?, subresource: String?) {
        let kept =
            subresource == "status"
            ? [Annotation.metrics, Annotation.behavior] : [Annotation.currentMetrics, Annotation.conditions]
        for name in kept {
            let value = old?.at("metadata", "annotations", name)
            guard object.at("metadata", "annotations", name) != value else { continue }
            object.set(value, at: "metadata", "annotations", name)
        }
    }

    private static func cpu(utilization: JSON) -> JSON {
        cpu("target", ["averageUtilization": utilization, "type": "Utilization"])
    }

    private static func cpu(_ role: String, _ amount: JSON) -> JSON {
        ["resource": ["name": "cpu", role: amount], "type": "Resource"]
    }

    private static func cpuUtilization(of metric: JSON, _ role: String) -> JSON? {
        guard metric["type"] == "Resource", metric.at("resource", "name") == "cpu" else { return nil }
        return metric.at("resource", role, "averageUtilization")
    }
}
