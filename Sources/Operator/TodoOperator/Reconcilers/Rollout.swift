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

/// How far the Deployments of an app have got with what they were told.
struct Rollout {
    let services: [ServiceRollout]

    init(of app: TodoApp, deployments: [String: JSON]) {
        services = app.services.map { name in
            ServiceRollout(name, of: app, deployment: deployments[AppNames(app).service(name)])
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

    /// Of the services that are not complete, those that failed alone if there are any; else of all.
    var message: String {
        let failing = services.filter(\.failed)
        let incomplete = services.filter { !$0.isComplete }
        let told = failing.isEmpty ? (incomplete.isEmpty ? services : incomplete) : failing
        return told.map(\.message).joined(separator: "; ")
    }
}

struct ServiceRollout {
    let status: TodoApp.ServiceStatus
    let exists: Bool
    let failed: Bool
    let isComplete: Bool
    let message: String

    init(_ name: TodoApp.ServiceName, of app: TodoApp, deployment: JSON?) {
        let desired = app[service: name].replicas
        let progress = DeploymentProgress(deployment ?? .null)
        let (updated, ready) = (progress.updated, progress.ready)
        exists = deployment != nil
        status = TodoApp.ServiceStatus(name: name.rawValue, desired: desired, updated: updated, ready: ready)
        failed = progress.failure != nil
        isComplete = exists && progress.isCurrent && updated == desired && ready == desired && progress.total == desired
        let advice =
            "see kubectl describe pods -n \(app.metadata.namespace) "
            + "-l \(Label.instance)=\(app.metadata.name),\(Label.component)=\(name.rawValue)"
        let text =
            if isComplete {
                desired == 0
                    ? "no pods because \(name.replicasField) is 0"
                    : "\(ready) of \(desired) pods are ready"
            } else if let failure = progress.failure {
                "\(failure); \(advice)"
            } else if desired == 0 {
                "waiting until the last pod has ended"
            } else {
                "\(updated) of \(desired) pods updated, \(ready) ready"
                    + (updated == desired ? "; if that lasts, \(advice)" : "")
            }
        message = "\(name.rawValue): \(text)"
    }
}

extension TodoApp.ServiceName {
    fileprivate var replicasField: String {
        self == .workers ? "spec.workers.replicas" : "spec.services.\(rawValue).replicas"
    }
}
