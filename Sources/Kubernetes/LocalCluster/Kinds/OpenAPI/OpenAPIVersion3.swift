internal import Concurrency
internal import Crypto
internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

/// The OpenAPI 3.0 documents: an index, and one document for each group and version.
struct OpenAPIVersion3 {
    /// Raised when the documents of the same definitions come out otherwise than before: clients keep documents by
    /// hash.
    private static let revision = 1

    let served: ServedSet

    /// The groups and versions that have a document: `api/v1`, `apis/apps/v1`.
    private var groupVersions: [(path: String, group: String, version: String)] {
        var found: [(path: String, group: String, version: String)] = []
        for resource in served.resources {
            let type = resource.type
            let path = type.group.isEmpty ? "api/\(type.version)" : "apis/\(type.group)/\(type.version)"
            if !found.contains(where: { $0.path == path }) { found.append((path, type.group, type.version)) }
        }
        return found
    }

    var index: JSON {
        var paths: JSON = [:]
        for entry in groupVersions {
            let hash = hash(group: entry.group, version: entry.version)
            paths[entry.path] = ["serverRelativeURL": .string("/openapi/v3/\(entry.path)?hash=\(hash)")]
        }
        return ["paths": paths]
    }

    /// What the document of a group and version is made from, in one hash. Definitions are hashed as they stand,
    /// without making the document.
    func hash(group: String, version: String) -> String {
        let key = "\(group)/\(version)"
        let isBuiltin = !served.custom.values.contains { $0.group == group }
        if isBuiltin, let known = Self.builtinHashes.withLock({ $0[key] }) { return known }
        let hash = makeHash(group: group, version: version)
        if isBuiltin { Self.builtinHashes.withLock { $0[key] = hash } }
        return hash
    }

    private static let builtinHashes = Lock<[String: String]>([:])

    private func makeHash(group: String, version: String) -> String {
        var hash = SHA512()
        hash.update(data: Array("\(Self.revision) \(ServerVersion.gitVersion) \(group)/\(version)".utf8))
        let resources = resources(group, version)
        for name in definitionNames(resources) {
            if let text = BuiltinDefinitions.shared.definitionText(name) { hash.update(data: text) }
        }
        for installed in served.custom.values.sorted(by: { $0.definition.name < $1.definition.name })
        where installed.group == group {
            hash.update(data: (installed.definition.json["spec"] ?? .null).encoded())
        }
        return ServedSet.hexadecimal(hash.finalize())
    }

    func document(group: String, version: String) -> [UInt8] {
        let resources = resources(group, version)
        var paths: JSON = [:]
        for resource in resources {
            guard let (kind, list) = definitions(of: resource) else { continue }
            let builder = OpenAPIPaths(
                resource: resource, dialect: .version3, definition: kind, listDefinition: list)
            for (path, item) in builder.items { paths[path] = item }
        }
        let info: JSON = ["title": "Kubernetes", "version": .string(ServerVersion.gitVersion)]
        let security: JSON = [
            "BearerToken": [
                "type": "apiKey", "description": "Bearer Token authentication", "name": "authorization", "in": "header",
            ]
        ]
        var bytes = Array("{\"openapi\":\"3.0.0\",\"info\":".utf8)
        info.write(into: &bytes)
        bytes += Array(",\"paths\":".utf8)
        paths.write(into: &bytes)
        bytes += Array(",\"components\":{\"schemas\":{".utf8)
        writeSchemas(resources, into: &bytes)
        bytes += Array("},\"securitySchemes\":".utf8)
        security.write(into: &bytes)
        bytes += Array("}}".utf8)
        return bytes
    }

    private func resources(_ group: String, _ version: String) -> [ServedResource] {
        served.resources.filter { $0.type.group == group && $0.type.version == version }
    }

    /// Built-in definitions are copied as text, without being parsed.
    private func writeSchemas(_ resources: [ServedResource], into bytes: inout [UInt8]) {
        var isFirst = true
        func write(_ name: String, _ text: [UInt8]) {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            JSON.string(name).write(into: &bytes)
            bytes.append(UInt8(ascii: ":"))
            bytes += text
        }
        for resource in resources where resource.isCustom {
            guard let custom = served.customDefinitions(of: resource, dialect: .version3) else { continue }
            write(custom.name, custom.kind.encoded())
            write(custom.listName, custom.list.encoded())
        }
        for name in definitionNames(resources) {
            if let text = BuiltinDefinitions.shared.definitionText(name) { write(name, text) }
        }
    }

    private func definitionNames(_ resources: [ServedResource]) -> [String] {
        var names = ["APIResourceList", "DeleteOptions", "ListMeta", "ObjectMeta", "Patch", "Status", "WatchEvent"]
            .map { "\(OpenAPIPaths.meta).\($0)" }
        for resource in resources {
            if resource.isBuiltin, let (kind, list) = definitions(of: resource) { names += [kind, list] }
            names += resource.subresources.compactMap(\.definition)
        }
        return BuiltinDefinitions.shared.closure(of: names)
    }

    private func definitions(of resource: ServedResource) -> (kind: String, list: String)? {
        served.definitions(of: resource, dialect: .version3)
    }
}

extension ServedSet {
    func customDefinitions(of resource: ServedResource, dialect: OpenAPIDialect) -> CustomDefinitions? {
        custom["\(resource.type.plural).\(resource.type.group)"].map {
            CustomDefinitions(definition: $0.definition, version: resource.type.version, dialect: dialect)
        }
    }

    /// The names of a resource's definition and of that of its list; reviews, which have no list, stand for both.
    func definitions(of resource: ServedResource, dialect: OpenAPIDialect) -> (kind: String, list: String)? {
        let type = resource.type
        if let custom = customDefinitions(of: resource, dialect: dialect) { return (custom.name, custom.listName) }
        let known = BuiltinDefinitions.shared
        guard let kind = known.definitionName(group: type.group, version: type.version, kind: type.kind) else {
            return nil
        }
        let list = known.definitionName(group: type.group, version: type.version, kind: type.kind + "List")
        return (kind, list ?? kind)
    }
}
