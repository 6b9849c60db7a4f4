public import KubernetesClient

/// Which object of a type: its namespace and name. What work queues hold.
public struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Nil for an object of a cluster-wide type.
    public let namespace: String?
    public let name: String

    public init(namespace: String?, name: String) {
        self.namespace = namespace
        self.name = name
    }

    public init(_ object: KubernetesObject) { self.init(namespace: object.namespace, name: object.name) }

    /// `namespace/name`, or `name`.
    public var description: String { namespace.map { "\($0)/\(name)" } ?? name }

    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace ?? "", left.name) < (right.namespace ?? "", right.name)
    }
}

/// An object of any type.
public struct ObjectReference: Sendable, Hashable, CustomStringConvertible {
    public let type: ResourceType
    public let key: ObjectKey

    public init(_ type: ResourceType, _ key: ObjectKey) {
        self.type = type
        self.key = key
    }

    public init(_ type: ResourceType, namespace: String?, name: String) {
        self.init(type, ObjectKey(namespace: namespace, name: name))
    }

    public var description: String { "\(type.kind) \(key)" }
}

/// Resource versions of one type are decimal numbers that grow with each write (KEP-5504).
public enum ResourceVersion {
    /// Whether `version` is that of `other` or a later one. Of texts that are not numbers only equal ones compare; for
    /// the rest this is nil.
    public static func isAtLeast(_ version: String, _ other: String) -> Bool? {
        if version == other { return true }
        guard isNumber(version), isNumber(other) else { return nil }
        return version.utf8.count == other.utf8.count ? version >= other : version.utf8.count > other.utf8.count
    }

    private static func isNumber(_ text: String) -> Bool {
        guard let first = text.utf8.first else { return false }
        return first != UInt8(ascii: "0")
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
