internal import KubernetesClient
internal import StructuredData

extension DeploymentRules {
    /// The Deployment's status as its controller writes it.
    func status(now: KubernetesTime) -> JSON {
        let total = all.reduce(0) { $0 + $1.statusReplicas }
        let available = all.reduce(0) { $0 + $1.available }
        let ready = all.reduce(0) { $0 + $1.ready }
        var status: JSON = [:]
        status["observedGeneration"] = deployment.at("metadata", "generation")
        for (key, count) in [
            ("replicas", total), ("updatedReplicas", new?.statusReplicas ?? 0), ("readyReplicas", ready),
            ("availableReplicas", available), ("unavailableReplicas", max(0, desired - available)),
        ] where count > 0 {
            status[key] = JSON(count)
        }
        status["conditions"] = .array(
            [availableCondition(available, now: now), progressingCondition(now: now), replicaFailure].compactMap { $0 })
        return status
    }

    /// How long until a rollout that does not progress counts as failed; nil when none is under way.
    func progressDeadline(now: KubernetesTime) -> Duration? {
        // Of one that was resumed it is not known yet.
        guard !isPaused, !isComplete, let condition = previous("Progressing"), condition["status"]?.string != "False",
            let since = condition["lastUpdateTime"]?.string.flatMap({ KubernetesTime($0) })
        else { return nil }
        let deadline = deployment.at("spec", "progressDeadlineSeconds")?.int ?? 600
        return max(.seconds(1), now.duration(to: since.advanced(by: .seconds(deadline + 1))))
    }

    private func previous(_ type: String) -> JSON? {
        deployment.at("status", "conditions")?.array?.first { $0["type"]?.string == type }
    }

    /// Why pods cannot be made, as a ReplicaSet says it, the newest first.
    private var replicaFailure: JSON? {
        let sets = [new].compactMap(\.self) + old
        return sets.lazy.compactMap { set in
            set.json.at("status", "conditions")?.array?.first { $0["type"]?.string == "ReplicaFailure" }
        }.first
    }

    private func availableCondition(_ available: Int, now: KubernetesTime) -> JSON {
        let enough = available >= desired - surgeAndUnavailable.unavailable
        return condition(
            "Available", enough, enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
            enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.", now: now
        )
    }

    private func progressingCondition(now: KubernetesTime) -> JSON? {
        let deadline = deployment.at("spec", "progressDeadlineSeconds")?.int ?? 600
        let old = previous("Progressing")
        guard let new else {
            return isPaused ? condition("Progressing", nil, "DeploymentPaused", "Deployment is paused", now: now) : old
        }
        if isPaused { return condition("Progressing", nil, "DeploymentPaused", "Deployment is paused", now: now) }
        if isComplete {
            return condition(
                "Progressing", true, "NewReplicaSetAvailable",
                "ReplicaSet \"\(new.name)\" has successfully progressed.",
                now: now)
        }
        let message = "ReplicaSet \"\(new.name)\" is progressing."
        if hasProgressed || old == nil || old?["reason"]?.string == "NewReplicaSetAvailable" {
            return condition("Progressing", true, "ReplicaSetUpdated", message, now: now, touched: true)
        }
        if old?["reason"]?.string == "DeploymentPaused" {
            // The time that it was paused for does not count against the deadline.
            return condition(
                "Progressing", nil, "DeploymentResumed", "Deployment is resumed", now: now, touched: true)
        }
        let since = old?["lastUpdateTime"]?.string.flatMap(KubernetesTime.init) ?? now
        if since.duration(to: now) > .seconds(deadline) {
            return condition(
                "Progressing", false, "ProgressDeadlineExceeded",
                "ReplicaSet \"\(new.name)\" has timed out progressing.", now: now)
        }
        return old
    }

    /// More pods of the new template, fewer of the old, or more that work than the last status says.
    private var hasProgressed: Bool {
        let status = deployment["status"]
        let updated = status?["updatedReplicas"]?.int ?? 0
        let total = status?["replicas"]?.int ?? 0
        let ready = status?["readyReplicas"]?.int ?? 0
        let available = status?["availableReplicas"]?.int ?? 0
        return (new?.statusReplicas ?? 0) > updated || old.reduce(0, { $0 + $1.statusReplicas }) < total - updated
            || all.reduce(0, { $0 + $1.ready }) > ready || all.reduce(0, { $0 + $1.available }) > available
    }

    /// - Parameter holds: nil for `Unknown`.
    private func condition(
        _ type: String, _ holds: Bool?, _ reason: String, _ message: String, now: KubernetesTime, touched: Bool = false
    ) -> JSON {
        let status: JSON = holds.map { $0 ? "True" : "False" } ?? "Unknown"
        let old = previous(type)
        let same = old?["status"] == status && old?["reason"]?.string == reason && old?["message"]?.string == message
        let transition = old?["status"] == status ? old?["lastTransitionTime"] : nil
        let update = same && !touched ? old?["lastUpdateTime"] : nil
        return [
            "lastTransitionTime": transition ?? .string(now.text), "lastUpdateTime": update ?? .string(now.text),
            "message": .string(message), "reason": .string(reason), "status": status, "type": .string(type),
        ]
    }
}
