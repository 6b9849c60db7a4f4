internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// What a `Rollout` depends on of a Deployment.
struct DeploymentProgress: Equatable {
    /// The status is about the present spec.
    let isCurrent: Bool
    let updated: Int
    let ready: Int
    let total: Int
    /// Why it was given up; nil when it was not.
    let failure: String?

    init(_ deployment: JSON) {
        let status = deployment["status"]
        isCurrent = status?["observedGeneration"]?.int == deployment.at("metadata", "generation")?.int
        updated = isCurrent ? status?["updatedReplicas"]?.int ?? 0 : 0
        ready = status?["readyReplicas"]?.int ?? 0
        total = status?["replicas"]?.int ?? 0
        let progressing = status?["conditions"]?.array?.first { $0["type"] == "Progressing" }
        failure =
            isCurrent && progressing?["reason"] == "ProgressDeadlineExceeded"
            ? progressing?["message"]?.string ?? "the rollout made no progress" : nil
    }
}

extension Predicate {
    /// Of a Deployment: it has got on, or was given up.
    static let rolloutMoved = Predicate { change in
        guard let old = change.old, let new = change.new else { return true }
        return DeploymentProgress(old.object.json) != DeploymentProgress(new.object.json)
    }
}

/// How far a Deployment has got with what it was told.
struct Rollout {
    let service: TodoApp.ServiceStatus
    let exists: Bool
    let failed: Bool
    let isComplete: Bool
    let reason: ConditionReason
    let message: String

    init(of app: TodoApp, deployment: JSON?) {
        let desired = app.spec.services.api.replicas
        let progress = DeploymentProgress(deployment ?? .null)
        let (updated, ready) = (progress.updated, progress.ready)
        exists = deployment != nil
        service = TodoApp.ServiceStatus(name: "api", desired: desired, updated: updated, ready: ready)
        failed = progress.failure != nil
        isComplete =
            exists && progress.isCurrent && updated == desired && ready == desired && progress.total == desired
        if isComplete {
            reason = desired == 0 ? .scaledToZero : .rolledOut
            message =
                desired == 0
                ? "api has no pods because spec.services.api.replicas is 0"
                : "api: \(ready) of \(desired) pods are ready"
        } else if let failure = progress.failure {
            reason = .rolloutFailed
            message = "api: \(failure); see \(Self.describePods(of: app))"
        } else {
            reason = .rollingOut
            message =
                desired == 0
                ? "api: waiting until the last pod has ended"
                : "api: \(updated) of \(desired) pods updated, \(ready) ready"
                    + (updated == desired ? "; if that lasts, see \(Self.describePods(of: app))" : "")
        }
    }

    private static func describePods(of app: TodoApp) -> String {
        "kubectl describe pods -n \(app.metadata.namespace) -l \(Label.instance)=\(app.metadata.name)"
    }
}
