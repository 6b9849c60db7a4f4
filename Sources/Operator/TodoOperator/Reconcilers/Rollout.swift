internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// What a `Rollout` depends on of a Deployment.
struct DeploymentProgress: Hashable {
    /// The status is about the present spec.
    let isCurrent: Bool
    /// How many pods there should be.
    let replicas: Int?
    let updated: Int
    let ready: Int
    let total: Int
    /// It has no pods and wants none, whoever scaled it.
    let isAtZero: Bool
    /// Every pod has the present template, and was ready with it. It stays so while pods come and go without a change of
    /// the template.
    let isRolledOut: Bool
    /// Why it was given up; nil when it was not.
    let failure: String?
    /// Why pods that are missing cannot be made: what a quota or an admission policy says to them.
    let refusal: String?

    init(_ deployment: JSON) {
        let status = deployment["status"]
        replicas = deployment.at("spec", "replicas")?.int
        isCurrent = status?["observedGeneration"]?.int == deployment.at("metadata", "generation")?.int
        updated = isCurrent ? status?["updatedReplicas"]?.int ?? 0 : 0
        ready = status?["readyReplicas"]?.int ?? 0
        total = status?["replicas"]?.int ?? 0
        func find(_ type: String) -> JSON? { status?["conditions"]?.array?.first { $0["type"]?.string == type } }
        let progressing = find("Progressing")
        let hasEnded = progressing?["reason"] == "NewReplicaSetAvailable"
        isAtZero = isCurrent && total == 0 && (hasEnded || replicas == 0)
        isRolledOut = isCurrent && updated == total && (hasEnded || isAtZero || (ready == total && total > 0))
        failure =
            isCurrent && progressing?["reason"] == "ProgressDeadlineExceeded"
            ? progressing?["message"]?.string ?? "the rollout made no progress" : nil
        let replicaFailure = find("ReplicaFailure")
        refusal = isCurrent && replicaFailure?["status"] == "True" ? replicaFailure?["message"]?.string : nil
    }
}

extension Predicate {
    /// Of a Deployment: it has got on, or was given up. That somebody else has changed its spec is no news until its status
    /// speaks of that: else an app would not be ready for a moment whenever it is scaled.
    static let rolloutMoved = Predicate { change in
        guard let old = change.old, let new = change.new else { return true }
        let progress = DeploymentProgress(new.object.json)
        return progress.isCurrent && DeploymentProgress(old.object.json) != progress
    }
}

/// How far the Deployments of an app have got with what they were told.
struct Rollout {
    let services: [ServiceRollout]

    /// - Parameter waiting: those that were not yet told of their present template.
    init(of app: TodoApp, deployments: [String: JSON], waiting: [TodoApp.ServiceName] = []) {
        services = app.services.map { name in
            ServiceRollout(
                name, of: app, deployment: deployments[AppNames(app).service(name)], isWaiting: waiting.contains(name))
        }
    }

    /// Whether anything was made yet.
    var exists: Bool { services.contains(where: \.exists) }
    var hasPods: Bool { services.contains { $0.status.desired > 0 } }
    var isComplete: Bool { services.allSatisfy(\.isComplete) }
    var failed: Bool { services.contains(where: \.failed) }

    func isComplete(_ name: TodoApp.ServiceName) -> Bool {
        services.contains { $0.status.name == name.rawValue && $0.isComplete }
    }

    var reason: ConditionReason {
        if isComplete { return hasPods ? .rolledOut : .scaledToZero }
        return failed ? .rolloutFailed : .rollingOut
    }

    /// Of the services that are not complete, those that failed alone if there are any; else of all. Those that wait for
    /// their turn come last.
    var message: String {
        let failing = services.filter(\.failed)
        let incomplete = services.filter { !$0.isComplete && !$0.isWaiting }
        let told = failing.isEmpty ? (incomplete.isEmpty ? services.filter { !$0.isWaiting } : incomplete) : failing
        let waiting = services.filter(\.isWaiting).map(\.status.name).joined(separator: ", ")
        return (told.map(\.message) + (waiting.isEmpty ? [] : ["then come \(waiting)"])).joined(separator: "; ")
    }
}

struct ServiceRollout {
    let status: TodoApp.ServiceStatus
    let exists: Bool
    let failed: Bool
    let isComplete: Bool
    /// Its turn to get the present template has not come.
    let isWaiting: Bool
    let message: String

    init(_ name: TodoApp.ServiceName, of app: TodoApp, deployment: JSON?, isWaiting: Bool) {
        let least = app[service: name].replicas
        let progress = DeploymentProgress(deployment ?? .null)
        let isScaled = app[service: name].autoscaling != nil
        let desired = isScaled ? progress.replicas ?? least : least
        let (updated, ready) = (isWaiting ? 0 : progress.updated, progress.ready)
        self.isWaiting = isWaiting
        exists = deployment != nil
        status = TodoApp.ServiceStatus(name: name.rawValue, desired: desired, updated: updated, ready: ready)
        failed = progress.failure != nil && !isWaiting
        isComplete =
            exists && !isWaiting && progress.isCurrent
            // More pods on their way are no rollout; that the least are not there is one.
            && (isScaled
                ? updated == progress.total && min(updated, ready) >= least
                : updated == desired && ready == desired && progress.total == desired)
        let advice =
            "see kubectl describe pods -n \(app.metadata.namespace) "
            + "-l \(Label.instance)=\(app.metadata.name),\(Label.component)=\(name.rawValue)"
        let text =
            if isComplete {
                desired == 0
                    ? "no pods because \(name.replicasField) is 0"
                    : "\(ready) of \(desired) pods are ready"
            } else if let refusal = progress.refusal {
                "\(ready) of \(desired) pods are ready, and Kubernetes can make no more: \(refusal); see the quotas, limits "
                    + "and admission policies of the namespace"
            } else if let failure = progress.failure {
                "\(failure); \(advice)"
            } else if desired == 0 {
                "waiting until the last pod has ended"
            } else {
                "\(updated) of \(desired) pods updated, \(ready) ready"
                    + (updated > 0 ? "; if that lasts, \(advice)" : "")
            }
        message = "\(name.rawValue): \(text)"
    }
}

extension TodoApp.ServiceName {
    fileprivate var replicasField: String {
        self == .workers ? "spec.workers.replicas" : "spec.services.\(rawValue).replicas"
    }
}
