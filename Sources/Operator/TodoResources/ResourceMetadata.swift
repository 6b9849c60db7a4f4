/// The part of an object's metadata that the operator uses.
public struct ResourceMetadata: Sendable, Equatable, Codable {
    public var name: String
    public var namespace: String
    public var uid: String?
    public var generation: Int?
    public var labels: [String: String]?
    /// RFC 3339, whole seconds.
    public var creationTimestamp: String?
    /// When its deletion was asked for; nil where it was not.
    public var deletionTimestamp: String?

    public init(
        name: String, namespace: String, uid: String? = nil, generation: Int? = nil, labels: [String: String]? = nil
    ) {
        self.name = name
        self.namespace = namespace
        self.uid = uid
        self.generation = generation
        self.labels = labels
    }
}
