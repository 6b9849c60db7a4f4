public import KubernetesSchema
public import StructuredData

/// What a kind does beyond its schema: defaults, fields that only the server sets, rules between fields, immutability.
///
/// `ServedResource.prepareForCreate` and `.prepareForUpdate` call these in the order of kube-apiserver; metadata rules,
/// schema checks and the split between an object and its status are theirs, not a strategy's.
public protocol ResourceStrategy: Sendable {
    /// Fills in what the kind's Go defaulting functions fill in. Idempotent.
    func applyDefaults(_ object: inout JSON)
    func prepareForCreate(_ object: inout JSON, context: WriteContext) -> [FieldError]
    func prepareForUpdate(_ object: inout JSON, old: JSON, subresource: String?, context: WriteContext) -> [FieldError]
    /// The faults of `object`; `old` is nil on create.
    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError]
    /// Texts for `Warning` headers.
    func warnings(_ object: JSON, old: JSON?) -> [String]
    /// Whether `metadata.generation` is kept, and what makes it rise.
    var generation: GenerationRule { get }
    /// How `metadata.name` is checked.
    var nameRule: NameRule { get }
    /// Whether PUT may create an absent object, and whether an update may go without a resourceVersion.
    var allowsCreateOnUpdate: Bool { get }
    var allowsUnconditionalUpdate: Bool { get }
}

extension ResourceStrategy {
    public func applyDefaults(_ object: inout JSON) {}
    public func prepareForCreate(_ object: inout JSON, context: WriteContext) -> [FieldError] { [] }
    public func prepareForUpdate(
        _ object: inout JSON, old: JSON, subresource: String?, context: WriteContext
    ) -> [FieldError] { [] }
    public func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] { [] }
    public func warnings(_ object: JSON, old: JSON?) -> [String] { [] }
    public var generation: GenerationRule { .none }
    public var nameRule: NameRule { .subdomain }
    public var allowsCreateOnUpdate: Bool { false }
    public var allowsUnconditionalUpdate: Bool { true }
}

/// What makes `metadata.generation` rise by one.
public enum GenerationRule: Sendable {
    /// The kind keeps no generation.
    case none
    case spec
    /// Deployments count annotations too.
    case specAndAnnotations
    /// Every field but metadata and status: custom resources.
    case everythingButStatus
}

/// What a write needs from its surroundings, so that the rules themselves stay pure.
public struct WriteContext: Sendable {
    /// RFC 3339 in UTC, whole seconds: `2026-01-02T03:04:05Z`.
    public var now: String
    /// The name of the user who writes.
    public var user: String
    public var makeUID: @Sendable () -> String
    /// Five characters for `generateName`.
    public var makeNameSuffix: @Sendable () -> String
    public var addresses: any ServiceAddressAllocator

    public init(
        now: String, user: String = "", makeUID: @escaping @Sendable () -> String,
        makeNameSuffix: @escaping @Sendable () -> String, addresses: any ServiceAddressAllocator
    ) {
        self.now = now
        self.user = user
        self.makeUID = makeUID
        self.makeNameSuffix = makeNameSuffix
        self.addresses = addresses
    }
}

/// Hands out cluster IPs and node ports.
public protocol ServiceAddressAllocator: Sendable {
    /// A free address, or `requested` when it is free and in range.
    /// - Throws: the reason why not, as Kubernetes words it.
    func allocateClusterIP(requested: String?) throws(AddressError) -> String
    func allocateNodePort(requested: Int?) throws(AddressError) -> Int
    func release(clusterIP: String)
    func release(nodePort: Int)
}

/// Why an address or port was not given out.
public struct AddressError: Error, Hashable {
    public let message: String
    public init(_ message: String) { self.message = message }
}
