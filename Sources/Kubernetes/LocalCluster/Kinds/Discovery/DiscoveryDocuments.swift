internal import Crypto
internal import KubernetesClient
internal import StructuredData

/// Discovery in its plain form: `APIVersions`, `APIGroupList`, `APIGroup`, `APIResourceList`.
struct DiscoveryDocuments {
    let served: ServedSet

    /// The groups other than core in the order in which they are listed, each with its versions, the newest first.
    var groups: [(name: String, versions: [String])] {
        var groups: [(name: String, versions: [String])] = []
        for resource in served.resources where !resource.type.group.isEmpty {
            let type = resource.type
            if let index = groups.firstIndex(where: { $0.name == type.group }) {
                if !groups[index].versions.contains(type.version) { groups[index].versions.append(type.version) }
            } else {
                groups.append((type.group, [type.version]))
            }
        }
        return groups.map { ($0.name, $0.versions.sorted(by: VersionOrder.isNewer)) }
    }

    func resources(group: String, version: String) -> [ServedResource] {
        served.resources.filter { $0.type.group == group && $0.type.version == version }
    }

    func coreVersions(serverAddress: String) -> JSON {
        let server: JSON = ["clientCIDR": "0.0.0.0/0", "serverAddress": .string(serverAddress)]
        return ["kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [server]]
    }

    /// What `/` lists: where to look further.
    var paths: JSON {
        let fixed = [
            "/api", "/api/v1", "/apis", "/apis/", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/openapi/v3/",
            "/readyz", "/version",
        ]
        let named = groups.flatMap { group in
            ["/apis/\(group.name)"] + group.versions.map { "/apis/\(group.name)/\($0)" }
        }
        return ["paths": .array((fixed + named).sorted().map { .string($0) })]
    }

    var groupList: JSON {
        ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups.map(Self.describe))]
    }

    func group(_ name: String) -> JSON? {
        guard let group = groups.first(where: { $0.name == name }) else { return nil }
        var document: JSON = ["kind": "APIGroup", "apiVersion": "v1"]
        for (key, value) in Self.describe(group).object ?? [:] { document[key] = value }
        return document
    }

    func resourceList(group: String, version: String) -> JSON? {
        let resources = resources(group: group, version: version)
        guard !resources.isEmpty else { return nil }
        var document: JSON = ["kind": "APIResourceList"]
        if !group.isEmpty { document["apiVersion"] = "v1" }
        document["groupVersion"] = .string(group.isEmpty ? version : "\(group)/\(version)")
        document["resources"] = .array(resources.flatMap(Self.describe))
        return document
    }

    private static func describe(_ group: (name: String, versions: [String])) -> JSON {
        let versions = group.versions.map { version -> JSON in
            ["groupVersion": .string("\(group.name)/\(version)"), "version": .string(version)]
        }
        return ["name": .string(group.name), "versions": .array(versions), "preferredVersion": versions.first ?? .null]
    }

    private static func describe(_ resource: ServedResource) -> [JSON] {
        let type = resource.type
        var main: JSON = [
            "name": .string(type.plural), "singularName": .string(resource.singular),
            "namespaced": .bool(type.namespaced), "kind": .string(type.kind), "verbs": JSON(resource.verbs),
        ]
        if !resource.shortNames.isEmpty { main["shortNames"] = JSON(resource.shortNames) }
        if !resource.categories.isEmpty { main["categories"] = JSON(resource.categories) }
        if resource.isStored { main["storageVersionHash"] = .string(resource.storageVersionHash) }
        let others = resource.subresources.map { subresource -> JSON in
            var entry: JSON = [
                "name": .string("\(type.plural)/\(subresource.name)"), "singularName": "",
                "namespaced": .bool(type.namespaced),
            ]
            if let group = subresource.group, let version = subresource.version {
                entry["group"] = .string(group)
                entry["version"] = .string(version)
            }
            entry["kind"] = .string(subresource.kind)
            entry["verbs"] = JSON(subresource.verbs)
            return entry
        }
        return [main] + others
    }
}

extension ServedResource {
    /// Whether objects of the resource are kept; reviews and bindings only come and go.
    public var isStored: Bool { verbs.contains("get") && type.plural != "componentstatuses" }

    /// What tells a client that the stored form has changed: the first eight bytes of a hash of group, version and
    /// kind.
    var storageVersionHash: String {
        let text = "\(storageVersion.group)/\(storageVersion.version)/\(storageVersion.kind)"
        return Base64.encode(Array(SHA256.hash(data: Array(text.utf8)).prefix(8)))
    }
}

extension JSON {
    init(_ texts: [String]) { self = .array(texts.map(JSON.string)) }
}
