public import StructuredData

/// An object as the API server gave it: every field kept, the common ones by name.
public struct KubernetesObject: Sendable, Hashable {
    public var json: JSON

    public init(_ json: JSON) { self.json = json }

    public var apiVersion: String { json["apiVersion"]?.string ?? "" }
    public var kind: String { json["kind"]?.string ?? "" }
    public var metadata: JSON { json["metadata"] ?? .object(JSONObject()) }
    public var name: String { metadata["name"]?.string ?? "" }
    public var namespace: String? { metadata["namespace"]?.string }
    public var uid: String { metadata["uid"]?.string ?? "" }
    public var resourceVersion: String { metadata["resourceVersion"]?.string ?? "" }
    public var generation: Int { metadata["generation"]?.int ?? 0 }
    public var labels: [String: String] { Self.strings(metadata["labels"]) }
    public var annotations: [String: String] { Self.strings(metadata["annotations"]) }
    public var finalizers: [String] { metadata["finalizers"]?.array?.compactMap(\.string) ?? [] }
    public var isBeingDeleted: Bool { metadata["deletionTimestamp"] != nil }
    public var ownerReferences: [JSON] { metadata["ownerReferences"]?.array ?? [] }
    /// The owner with `controller: true`.
    public var controller: JSON? { ownerReferences.first { $0["controller"]?.bool == true } }
    public var spec: JSON? { json["spec"] }
    public var status: JSON? { json["status"] }

    private static func strings(_ value: JSON?) -> [String: String] {
        guard let object = value?.object else { return [:] }
        var result: [String: String] = [:]
        for (key, value) in object { result[key] = value.string }
        return result
    }
}
