internal import KubernetesClient
internal import StructuredData

/// Discovery of everything in one document: `APIGroupDiscoveryList` of `apidiscovery.k8s.io`.
struct AggregatedDiscovery {
    /// `v2` or `v2beta1`.
    let version: String
    let documents: DiscoveryDocuments

    /// The media type of the answer.
    var contentType: String { "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList" }

    /// For `/api`.
    var core: JSON { list([group("", versions: ["v1"])]) }

    /// For `/apis`.
    var named: JSON { list(documents.groups.map { group($0.name, versions: $0.versions) }) }

    private func list(_ groups: [JSON]) -> JSON {
        [
            "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"), "metadata": [:],
            "items": .array(groups),
        ]
    }

    private func group(_ name: String, versions: [String]) -> JSON {
        let entries = versions.map { version -> JSON in
            let resources = documents.resources(group: name, version: version).map(describe)
            return ["version": .string(version), "resources": .array(resources), "freshness": "Current"]
        }
        let metadata: JSON = name.isEmpty ? [:] : ["name": .string(name)]
        return ["metadata": metadata, "versions": .array(entries)]
    }

    private func describe(_ resource: ServedResource) -> JSON {
        let type = resource.type
        var entry: JSON = [
            "resource": .string(type.plural),
            "responseKind": Self.kind(type.group, type.version, type.kind),
            "scope": type.namespaced ? "Namespaced" : "Cluster", "singularResource": .string(resource.singular),
            "verbs": JSON(resource.verbs),
        ]
        if !resource.shortNames.isEmpty { entry["shortNames"] = JSON(resource.shortNames) }
        if !resource.categories.isEmpty { entry["categories"] = JSON(resource.categories) }
        if !resource.subresources.isEmpty {
            entry["subresources"] = .array(
                resource.subresources.map { subresource in
                    [
                        "subresource": .string(subresource.name),
                        "responseKind": Self.kind(
                            subresource.group ?? type.group, subresource.version ?? type.version, subresource.kind),
                        "verbs": JSON(subresource.verbs),
                    ]
                })
        }
        return entry
    }

    private static func kind(_ group: String, _ version: String, _ kind: String) -> JSON {
        ["group": .string(group), "version": .string(version), "kind": .string(kind)]
    }
}
