public import StructuredData

/// One node of an OpenAPI v3 schema with Kubernetes' extensions: what a value may be, and how its parts merge.
///
/// Nodes of built-in kinds refer to each other by name and are read on first use; nodes of custom resources hold
/// their children. A node never changes, so it may be used from any thread.
public final class Schema: Sendable {
    public enum ValueType: String, Sendable {
        case object, array, string, integer, number, boolean
    }

    public enum ListType: String, Sendable {
        case atomic, set, map
    }

    public enum MapType: String, Sendable {
        case granular, atomic
    }

    let fields: Fields

    init(_ fields: Fields) {
        self.fields = fields
    }

    public var type: ValueType? { fields.type }
    public var format: String? { fields.format }
    public var isNullable: Bool { fields.isNullable }
    /// The default to fill in. The zero values that the documents of built-in kinds state are not defaults.
    public var defaultValue: JSON? { fields.defaultValue }
    /// The schema of each array element.
    public var items: Schema? { fields.items?.schema }
    /// The schema of each value of a map; nil when the object is not a map.
    public var additionalProperties: Schema? { fields.additionalProperties?.schema }
    public var propertyNames: [String] { fields.propertyNames }
    public var required: [String] { fields.required }
    public var isIntOrString: Bool { fields.isIntOrString }
    public var preservesUnknownFields: Bool { fields.preservesUnknownFields }
    public var isEmbeddedResource: Bool { fields.isEmbeddedResource }
    /// How lists merge; lists without the extension are atomic.
    public var listType: ListType { fields.listType ?? .atomic }
    public var listMapKeys: [String] { fields.listMapKeys }
    public var mapType: MapType { fields.mapType ?? .granular }
    public var patchStrategies: [String] { fields.patchStrategies }
    public var patchMergeKey: String? { fields.patchMergeKey }
    /// The definition this node was read from, such as `io.k8s.api.core.v1.Container`; nil in custom resources.
    public var definitionName: String? { fields.definitionName }

    /// The schema of the member `name` of an object: of a declared property, else of the map's values.
    public func property(_ name: String) -> Schema? { fields.properties[name]?.schema }

    /// The schema under a path of property names.
    public func at(_ path: String...) -> Schema? {
        path.reduce(Optional(self)) { $0?.property($1) ?? $0?.additionalProperties }
    }
}

extension Schema {
    /// A child that is there, or one that is read when first asked for.
    enum Link: Sendable {
        case node(Schema)
        /// Nil when it refers to a definition that is not there.
        case lazy(Lazy<Schema?>)

        var schema: Schema? {
            switch self {
            case .node(let schema): schema
            case .lazy(let lazy): lazy.value
            }
        }
    }

    struct Fields: Sendable {
        var type: ValueType?
        var format: String?
        var isNullable = false
        var defaultValue: JSON?
        var propertyNames: [String] = []
        var properties: [String: Link] = [:]
        var items: Link?
        var additionalProperties: Link?
        /// `additionalProperties: true`: any member is kept, none is looked into.
        var allowsAnyProperty = false
        var required: [String] = []
        var isIntOrString = false
        var preservesUnknownFields = false
        var isEmbeddedResource = false
        var listType: ListType?
        var listMapKeys: [String] = []
        var mapType: MapType?
        var patchStrategies: [String] = []
        var patchMergeKey: String?
        var definitionName: String?
        /// How Go decodes a value of this definition, if not field by field.
        var ownDecoding: OwnDecoding?
        var limits: Limits?
        var allOf: [Schema] = []
        var anyOf: [Schema] = []
        var oneOf: [Schema] = []
        var not: Schema?
        var rules: [ValidationRule] = []
        /// For the root of a custom resource: what its schema demands of `metadata.name` and `metadata.generateName`.
        var metadataRestrictions: Schema?
        /// Whether this is the root of a custom resource.
        var isResourceRoot = false
        /// Whether this node or one below it has validation rules.
        var hasRulesWithin = false
    }

    /// Bounds on a value; kept apart because most nodes have none.
    struct Limits: Sendable, Hashable {
        var enumeration: [JSON] = []
        var minimum: JSONNumber?
        var maximum: JSONNumber?
        var isMinimumExclusive = false
        var isMaximumExclusive = false
        var multipleOf: JSONNumber?
        var minLength: Int?
        var maxLength: Int?
        var pattern: RegularExpression?
        var minItems: Int?
        var maxItems: Int?
        var uniqueItems = false
        var minProperties: Int?
        var maxProperties: Int?
    }
}
