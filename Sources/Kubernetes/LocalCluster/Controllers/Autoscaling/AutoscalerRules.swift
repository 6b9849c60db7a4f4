internal import KubernetesClient
internal import StructuredData

/// What the HorizontalPodAutoscaler controller does in a cluster that serves no metrics: it keeps the number of pods
/// within its bounds and says why it does no more. Reasons and messages are Kubernetes' own.
struct AutoscalerRules {
    struct Rescale: Equatable {
        let replicas: Int
        let reason: String
    }

    let autoscaler: KubernetesObject
    let now: KubernetesTime

    private var spec: JSON { autoscaler.spec ?? [:] }
    private var minimum: Int { spec["minReplicas"]?.int ?? 1 }
    private var maximum: Int { spec["maxReplicas"]?.int ?? 1 }

    /// - Parameter current: what the target's scale asks for.
    func rescale(current: Int) -> Rescale? {
        if current == 0, minimum != 0 { return nil }
        if current > maximum {
            return Rescale(replicas: maximum, reason: "Current number of replicas above Spec.MaxReplicas")
        }
        if current < minimum {
            return Rescale(replicas: minimum, reason: "Current number of replicas below Spec.MinReplicas")
        }
        return nil
    }

    /// What the status says, and the Event that goes with it when that is new.
    typealias Report = (status: JSON, note: (reason: String, text: String)?)

    /// - Parameters:
    ///   - current: what the target's scale asks for.
    ///   - observed: the pods that it counts.
    func report(current: Int, observed: Int) -> Report {
        var conditions: [JSON] = []
        var note: (reason: String, text: String)?
        var desired = autoscaler.status?["desiredReplicas"]?.int ?? 0
        if let rescale = rescale(current: current) {
            desired = rescale.replicas
            conditions.append(
                condition(
                    "AbleToScale", "True", "SucceededRescale",
                    "the HPA controller was able to update the target scale to \(rescale.replicas)"))
            // What it says of metrics stays, as in a cluster that has them.
            conditions += previous.filter { $0["type"] != "AbleToScale" }
        } else {
            conditions.append(
                condition(
                    "AbleToScale", "True", "SucceededGetScale",
                    "the HPA controller was able to get the target's current scale"))
            if current == 0, minimum != 0 {
                desired = 0
                conditions.append(
                    condition(
                        "ScalingActive", "False", "ScalingDisabled",
                        "scaling is disabled since the replica count of the target is zero"))
            } else {
                let (reason, text) = missingMetric
                let message = "the HPA was unable to compute the replica count: \(text)"
                conditions.append(condition("ScalingActive", "False", reason, message))
                note = (reason, text)
            }
        }
        return report(conditions, note, current: observed, desired: desired)
    }

    /// The target cannot be read or written.
    func report(failure message: String, reason: String) -> Report {
        let verb = reason == "FailedGetScale" ? "get the target's current scale" : "update the target scale"
        let text = "the HPA controller was unable to \(verb): \(message)"
        let others = previous.filter { $0["type"] != "AbleToScale" }
        let conditions = [condition("AbleToScale", "False", reason, text)] + others
        return report(
            conditions, (reason, message), current: autoscaler.status?["currentReplicas"]?.int ?? 0,
            desired: autoscaler.status?["desiredReplicas"]?.int ?? 0)
    }

    private func report(
        _ conditions: [JSON], _ note: (reason: String, text: String)?, current: Int, desired: Int
    ) -> Report {
        var status = autoscaler.status ?? [:]
        status["desiredReplicas"] = JSON(desired)
        status["currentReplicas"] = current > 0 ? Optional(JSON(current)) : nil
        status["conditions"] = .array(conditions)
        let isNew = conditions != previous
        return (status, isNew ? note : nil)
    }

    /// Kubernetes' words for the first metric, of which this cluster has none.
    private var missingMetric: (reason: String, text: String) {
        let metric = spec["metrics"]?[0]
        func fetch(_ what: String, _ api: String, _ resource: String) -> String {
            "unable to get metric \(what): unable to fetch metrics from \(api) API: "
                + "the server could not find the requested resource (get \(resource))"
        }
        switch metric?["type"]?.string {
        case "Pods", "Object":
            let kind = metric?["type"]?.string ?? ""
            let name = metric?.at(kind.lowercased(), "metric", "name")?.string ?? ""
            return ("FailedGet\(kind)Metric", fetch(name, "custom metrics", "custom.metrics.k8s.io"))
        case "External":
            let name = metric?.at("external", "metric", "name")?.string ?? ""
            return ("FailedGetExternalMetric", fetch(name, "external metrics", "external.metrics.k8s.io"))
        default:
            let isContainer = metric?["type"]?.string == "ContainerResource"
            let name = metric?.at(isContainer ? "containerResource" : "resource", "name")?.string ?? "cpu"
            return (
                isContainer ? "FailedGetContainerResourceMetric" : "FailedGetResourceMetric",
                "failed to get \(name) \(isContainer ? "container " : "")utilization: unable to get metrics for "
                    + "resource \(name): unable to fetch metrics from resource metrics API: the server could not find "
                    + "the requested resource (get pods.metrics.k8s.io)"
            )
        }
    }

    // MARK: - Conditions

    private var previous: [JSON] { autoscaler.status?["conditions"]?.array ?? [] }

    private func condition(_ type: String, _ status: String, _ reason: String, _ message: String) -> JSON {
        let old = previous.first { $0["type"]?.string == type }
        let since = old?["status"]?.string == status ? old?["lastTransitionTime"] : nil
        return [
            "type": JSON(type), "status": JSON(status), "reason": JSON(reason), "message": JSON(message),
            "lastTransitionTime": since ?? JSON(now.text),
        ]
    }
}
