public import KubernetesClient
internal import StructuredData

/// What a `coordination.k8s.io/v1` Lease says about who leads.
public struct LeaseRecord: Sendable, Hashable {
    /// Empty when nobody holds it.
    public var holder: String
    public var durationSeconds: Int
    public var acquireTime: KubernetesTime
    public var renewTime: KubernetesTime
    public var transitions: Int
    /// Empty for a lease that is still to be created.
    public var resourceVersion: String

    public init(
        holder: String, durationSeconds: Int, acquireTime: KubernetesTime, renewTime: KubernetesTime,
        transitions: Int = 0, resourceVersion: String = ""
    ) {
        self.holder = holder
        self.durationSeconds = durationSeconds
        self.acquireTime = acquireTime
        self.renewTime = renewTime
        self.transitions = transitions
        self.resourceVersion = resourceVersion
    }

    /// Reads a Lease. A field that is missing or unreadable counts as never set.
    public init(_ lease: KubernetesObject) {
        let never = KubernetesTime(microseconds: 0)
        func time(_ field: String) -> KubernetesTime { (lease.spec?[field]?.string).flatMap { .init($0) } ?? never }
        self.init(
            holder: lease.spec?["holderIdentity"]?.string ?? "",
            durationSeconds: lease.spec?["leaseDurationSeconds"]?.int ?? 0, acquireTime: time("acquireTime"),
            renewTime: time("renewTime"), transitions: lease.spec?["leaseTransitions"]?.int ?? 0,
            resourceVersion: lease.resourceVersion)
    }

    func lease(namespace: String, name: String) -> KubernetesObject {
        var metadata: JSON = ["name": JSON(name), "namespace": JSON(namespace)]
        if !resourceVersion.isEmpty { metadata["resourceVersion"] = JSON(resourceVersion) }
        return KubernetesObject([
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata,
            "spec": [
                "holderIdentity": JSON(holder), "leaseDurationSeconds": JSON(durationSeconds),
                "acquireTime": JSON(acquireTime.microText), "renewTime": JSON(renewTime.microText),
                "leaseTransitions": JSON(transitions),
            ],
        ])
    }
}
