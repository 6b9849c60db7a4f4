public import StructuredData

/// One rule of a Role: what may be done with which resources (RBAC).
public struct PolicyRule: Sendable, Hashable {
    /// Empty for the core group.
    public var group: String
    /// Plurals; a subresource as `todoapps/status`.
    public var resources: [String]
    public var verbs: [String]
    /// Only the objects of these names; empty for all.
    public var names: [String]

    public init(group: String, resources: [String], verbs: [String], names: [String] = []) {
        self.group = group
        self.resources = resources
        self.verbs = verbs
        self.names = names
    }

    public var json: JSON {
        var rule: JSON = ["apiGroups": [.string(group)], "resources": Self.array(resources)]
        if !names.isEmpty { rule["resourceNames"] = Self.array(names) }
        rule["verbs"] = Self.array(verbs)
        return rule
    }

    private static func array(_ values: [String]) -> JSON { .array(values.map(JSON.string)) }
}
