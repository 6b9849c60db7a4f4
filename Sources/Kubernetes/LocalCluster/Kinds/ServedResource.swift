public import KubernetesClient
public import KubernetesSchema
public import StructuredData

/// One resource that the server answers for: what it is called, what may be done with it, and how its objects behave.
public struct ServedResource: Sendable {
    public let type: ResourceType
    public let singular: String
    public let shortNames: [String]
    public let categories: [String]
    /// In the order in which discovery lists them. A review has only `create`.
    public let verbs: [String]
    public let subresources: [Subresource]
    public let scale: ScalePaths?
    /// Nil for a kind without a published definition.
    public let schema: Schema?
    public let isBuiltin: Bool
    public let strategy: any ResourceStrategy
    /// The columns of a custom resource, after `Name`; empty for built-in kinds and for custom ones without columns.
    public let columns: [PrinterColumn]
    /// The fields, beside name and namespace, that a field selector may name.
    public let selectableFields: [String: SelectableField]
    /// What every answer warns of; nil for a version that is not deprecated.
    public let deprecation: String?
    /// The version in which objects are kept; discovery publishes its hash.
    public let storageVersion: ResourceType
    let conversion: StorageConversion

    public var hasStatus: Bool { subresource("status") != nil }
    public var isCustom: Bool { !isBuiltin }

    public func subresource(_ name: String) -> Subresource? { subresources.first { $0.name == name } }

    /// Equal for two resources that are views of the same objects: the versions of a custom resource, and the events of
    /// the core group and of `events.k8s.io`.
    public var storageKey: String {
        storageVersion.group.isEmpty ? storageVersion.plural : "\(storageVersion.group)/\(storageVersion.plural)"
    }

    /// False when stored objects can be sent as they are; then bytes may be spliced without a look at them.
    public var needsConversion: Bool { conversion != .none }

    /// An object of this resource in the form that is stored.
    public func toStorage(_ object: JSON) -> JSON { conversion.toStorage(object, storage: storageVersion) }

    /// A stored object as this resource shows it.
    public func fromStorage(_ object: JSON) -> JSON {
        let shown = conversion.fromStorage(object, view: type)
        guard isCustom, let schema else { return shown }
        return schema.defaulted(schema.pruned(shown))
    }
}

/// A path below an object: `status`, `scale`, `log`, `token`.
public struct Subresource: Sendable, Hashable {
    public let name: String
    /// The kind of the body, with its own group and version when they are not those of the resource.
    public let kind: String
    public let group: String?
    public let version: String?
    public let verbs: [String]

    public init(_ name: String, kind: String, group: String? = nil, version: String? = nil, verbs: [String]) {
        self.name = name
        self.kind = kind
        self.group = group
        self.version = version
        self.verbs = verbs
    }
}

/// Where an object keeps what `autoscaling/v1` `Scale` shows.
public struct ScalePaths: Sendable, Hashable {
    public let specReplicas: [String]
    public let statusReplicas: [String]
    /// The place of a selector: an object (`LabelSelector`, or a plain map) or its text form.
    public let selector: [String]?

    public init(specReplicas: [String], statusReplicas: [String], selector: [String]?) {
        self.specReplicas = specReplicas
        self.statusReplicas = statusReplicas
        self.selector = selector
    }
}

/// A column of a custom resource definition's `additionalPrinterColumns`.
public struct PrinterColumn: Sendable, Hashable {
    public let name: String
    public let type: String
    public let format: String
    public let description: String
    public let priority: Int
    let path: JSONPathExpression
}

/// How a field selector finds its value in an object.
public struct SelectableField: Sendable, Hashable {
    let paths: [[String]]
    /// What an absent field reads as.
    let absent: String
}

extension PrinterColumn {
    /// The column of a custom resource that declares none.
    static let age = JSONPathExpression(".metadata.creationTimestamp").map { path in
        PrinterColumn(
            name: "Age", type: "date", format: "",
            description: "CreationTimestamp is a timestamp representing the server time when this object was created.",
            priority: 0, path: path)
    }
}
