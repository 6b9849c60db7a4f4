internal import KubernetesClient
internal import StructuredData

/// The fields of a Pod that the controllers read.
struct PodView {
    let object: KubernetesObject

    init(_ object: KubernetesObject) { self.object = object }

    var phase: String { object.status?["phase"]?.string ?? "Pending" }
    var isFinished: Bool { phase == "Succeeded" || phase == "Failed" }
    /// Neither finished nor on its way out: what a ReplicaSet counts.
    var isActive: Bool { !isFinished && !object.isBeingDeleted }
    var nodeName: String { object.spec?["nodeName"]?.string ?? "" }
    var address: String? { object.status?["podIP"]?.string.flatMap { $0.isEmpty ? nil : $0 } }
    var created: KubernetesTime? { object.metadata["creationTimestamp"]?.string.flatMap { KubernetesTime($0) } }

    func condition(_ type: String) -> JSON? {
        object.status?["conditions"]?.array?.first { $0["type"]?.string == type }
    }

    var isReady: Bool { condition("Ready")?["status"]?.string == "True" }

    /// Since when it is ready; nil while it is not.
    var readySince: KubernetesTime? {
        guard isReady else { return nil }
        return condition("Ready")?["lastTransitionTime"]?.string.flatMap { KubernetesTime($0) }
    }

    /// When it is, or becomes, available: ready for `minReadySeconds`. Nil while it is not ready.
    func available(after minReadySeconds: Int) -> KubernetesTime? {
        readySince?.advanced(by: .seconds(minReadySeconds))
    }

    var restarts: Int {
        (object.status?["containerStatuses"]?.array ?? []).reduce(0) { $0 + ($1["restartCount"]?.int ?? 0) }
    }

    var deletionCost: Int {
        Int(object.annotations["controller.kubernetes.io/pod-deletion-cost"] ?? "") ?? 0
    }
}
