internal import Concurrency
internal import KubernetesClient

/// What is served at one moment; a new one is made whenever a definition comes or goes.
final class ServedSet: Sendable {
    struct Key: Hashable {
        let group: String
        let version: String
        /// The plural name, or the kind.
        let name: String
    }

    let custom: [String: InstalledDefinition]
    let resources: [ServedResource]
    let byPlural: [Key: ServedResource]
    let byKind: [Key: ServedResource]
    /// Documents made so far, by path and form.
    let documents = Lock<[String: ServedDocument]>([:])

    init(custom: [String: InstalledDefinition]) {
        self.custom = custom
        let installed = custom.sorted { $0.key < $1.key }.flatMap(\.value.resources)
        resources = BuiltinCatalogue.resources + installed
        byPlural = Self.index(resources, by: \.type.plural)
        byKind = Self.index(resources, by: \.type.kind)
    }

    private static func index(
        _ resources: [ServedResource], by name: (ServedResource) -> String
    ) -> [Key: ServedResource] {
        Dictionary(
            resources.map { (Key(group: $0.type.group, version: $0.type.version, name: name($0)), $0) },
            uniquingKeysWith: { first, _ in first })
    }
}

/// A CustomResourceDefinition whose names are accepted, and what it serves.
struct InstalledDefinition: Sendable {
    let definition: CustomResourceDefinition
    let resources: [ServedResource]

    var group: String { definition.group }
}
