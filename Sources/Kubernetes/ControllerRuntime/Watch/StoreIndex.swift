public import KubernetesClient
internal import StructuredData

/// A second way to find the objects of a store: a name and the values under which an object is found.
public struct StoreIndex: Sendable {
    public let name: String
    public let values: @Sendable (KubernetesObject) -> [String]

    public init(_ name: String, values: @escaping @Sendable (KubernetesObject) -> [String]) {
        self.name = name
        self.values = values
    }

    /// By the value of a label.
    public static func label(_ label: String) -> StoreIndex {
        StoreIndex("label:\(label)") { object in object.labels[label].map { [$0] } ?? [] }
    }

    /// By the uid of every owner. Each store has this one.
    public static let owner = StoreIndex("owner") { object in
        object.ownerReferences.compactMap { $0["uid"]?.string }
    }
}
