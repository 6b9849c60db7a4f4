internal import BuiltinDefinitions
internal import Concurrency
internal import StructuredData

/// The definitions and resources of Kubernetes' own API groups, from the OpenAPI documents of a published release.
///
/// The text is part of the program; a definition is parsed when first asked for, and only what validation needs of it
/// is kept.
public final class BuiltinDefinitions: Sendable {
    public struct Resource: Sendable, Hashable {
        /// Empty for the core group.
        public let group: String
        public let version: String
        public let plural: String
        public let kind: String
        public let namespaced: Bool
        /// As discovery lists them, sorted: `create`, `delete`, `deletecollection`, `get`, `list`, `patch`, …
        public let verbs: [String]
        public let subresources: [Subresource]
    }

    public struct Subresource: Sendable, Hashable {
        /// `status`, `scale`, `log`, …
        public let name: String
        /// The kind that it speaks: `autoscaling/v1 Scale` for `deployments/scale`.
        public let group: String
        public let version: String
        public let kind: String
        public let verbs: [String]
    }

    public static let shared = BuiltinDefinitions()

    /// Every resource in the documents, by group, version and plural name.
    public let resources: [Resource]
    /// The names of all definitions, sorted.
    public let definitionNames: [String]

    private let ranges: [String: Range<Int>]
    private let definitionOfKind: [String: String]
    private let schemas = Lock<[String: Schema]>([:])

    /// The embedded text, which lives as long as the program.
    private static var text: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: builtin_definitions_text(), count: builtin_definitions_length())
    }

    private init() {
        let index = DefinitionIndex(Self.text)
        resources = index.resources
        definitionNames = index.names
        ranges = index.ranges
        definitionOfKind = index.definitionOfKind
    }

    /// The schema of a kind; nil when the documents do not have it.
    public func schema(group: String, version: String, kind: String) -> Schema? {
        definitionName(group: group, version: version, kind: kind).flatMap(schema(definition:))
    }

    /// The schema of a definition such as `io.k8s.api.core.v1.PodSpec`.
    public func schema(definition name: String) -> Schema? {
        if let schema = schemas.withLock({ $0[name] }) { return schema }
        guard let json = definition(name) else { return nil }
        let reader = SchemaReader(dropsZeroDefaults: true) { [unowned self] in self.schema(definition: $0) }
        let schema = Schema(reader.fields(of: json, definition: name))
        return schemas.withLock { schemas in
            if let earlier = schemas[name] { return earlier }
            schemas[name] = schema
            return schema
        }
    }

    /// `io.k8s.api.apps.v1.Deployment` for apps/v1 Deployment.
    public func definitionName(group: String, version: String, kind: String) -> String? {
        definitionOfKind["\(group)/\(version)/\(kind)"]
    }

    /// A definition as published, descriptions included, as JSON text: for OpenAPI documents.
    public func definitionText(_ name: String) -> [UInt8]? {
        ranges[name].map { Array(Self.text[$0]) }
    }

    /// The names of the given definitions and of all that they refer to, sorted.
    public func closure(of names: some Sequence<String>) -> [String] {
        var found: Set<String> = []
        var pending = names.filter { ranges[$0] != nil }
        while let name = pending.popLast() {
            guard found.insert(name).inserted, let range = ranges[name] else { continue }
            pending += DefinitionIndex.references(in: Self.text[range]).filter { !found.contains($0) }
        }
        return found.sorted()
    }

    private func definition(_ name: String) -> JSON? {
        // The text was checked when it was generated: one that does not parse is as good as absent.
        definitionText(name).flatMap { try? JSON(parsing: $0) }
    }
}
