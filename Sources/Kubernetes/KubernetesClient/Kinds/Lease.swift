internal import StructuredData

/// `coordination.k8s.io/v1` `Lease`, with the fields that leader election uses. Everything else in the object is kept,
/// `metadata.resourceVersion` too, so that `replace` is refused when another holder was faster.
public struct Lease: TypedResource, Hashable {
    public static let resourceType = ResourceType.leases

    public var object: KubernetesObject

    public init(_ object: KubernetesObject) { self.object = object }

    public init(namespace: String, name: String) {
        object = KubernetesObject([
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": ["namespace": JSON(namespace), "name": JSON(name)],
        ])
    }

    public var holderIdentity: String? {
        get { spec("holderIdentity")?.string }
        set { set("holderIdentity", newValue.map { JSON($0) }) }
    }
    /// How long after `renewTime` others must wait before they take over.
    public var leaseDurationSeconds: Int? {
        get { spec("leaseDurationSeconds")?.int }
        set { set("leaseDurationSeconds", newValue.map { JSON($0) }) }
    }
    /// When the present holder became it, by its clock.
    public var acquireTime: KubernetesTime? {
        get { spec("acquireTime")?.string.flatMap { KubernetesTime($0) } }
        set { set("acquireTime", newValue.map { JSON($0.microText) }) }
    }
    /// When the holder last renewed, by its clock: compare two readings, never with a clock of another machine.
    public var renewTime: KubernetesTime? {
        get { spec("renewTime")?.string.flatMap { KubernetesTime($0) } }
        set { set("renewTime", newValue.map { JSON($0.microText) }) }
    }
    /// How often the holder has changed.
    public var leaseTransitions: Int {
        get { spec("leaseTransitions")?.int ?? 0 }
        set { set("leaseTransitions", JSON(newValue)) }
    }

    private func spec(_ field: String) -> JSON? { object.json.at("spec", field) }
    private mutating func set(_ field: String, _ value: JSON?) { object.json.set(value, at: "spec", field) }
}
