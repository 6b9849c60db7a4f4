/// A resource that the server serves.
public struct DiscoveredResource: Sendable, Hashable {
    public var type: ResourceType
    public var singular: String
    public var shortNames: [String]
    public var categories: [String]
    /// `get`, `list`, `watch`, …
    public var verbs: [String]
    /// `status`, `scale`, …
    public var subresources: [String]

    public init(
        type: ResourceType, singular: String = "", shortNames: [String] = [], categories: [String] = [],
        verbs: [String] = [], subresources: [String] = []
    ) {
        self.type = type
        self.singular = singular
        self.shortNames = shortNames
        self.categories = categories
        self.verbs = verbs
        self.subresources = subresources
    }
}

/// What a server serves, at one moment.
public struct Discovery: Sendable, Hashable {
    /// A group and the versions it is served in, the preferred one first.
    public struct Group: Sendable, Hashable {
        public var name: String
        public var versions: [String]
    }

    public var groups: [Group]
    /// In the server's order.
    public var resources: [DiscoveredResource]
    /// Group versions (`metrics.k8s.io/v1beta1`) whose resources could not be had, and why: the server behind them is
    /// away. Nothing is known about what they serve.
    public var failures: [String: String]

    public init(groups: [Group] = [], resources: [DiscoveredResource] = [], failures: [String: String] = [:]) {
        self.groups = groups
        self.resources = resources
        self.failures = failures
    }

    /// The resource of this very version.
    public func resource(_ type: ResourceType) -> DiscoveredResource? {
        resources.first { $0.type.plural == type.plural && $0.type.apiVersion == type.apiVersion }
    }

    public func serves(_ type: ResourceType) -> Bool { resource(type) != nil }

    /// The resource of a kind, in `version` or else the group's preferred one.
    public func resource(group: String, version: String? = nil, kind: String) -> DiscoveredResource? {
        let versions = version.map { [$0] } ?? groups.first { $0.name == group }?.versions ?? []
        for version in versions {
            let found = resources.first {
                $0.type.group == group && $0.type.version == version && $0.type.kind == kind
            }
            if let found { return found }
        }
        return nil
    }

    /// The group is served in some version.
    public func serves(group: String) -> Bool { groups.contains { $0.name == group } }
}
