internal import StructuredData

// Readers of the documents that `/api` and `/apis` give. Entries that do not read are passed over: they cannot be used.

extension Discovery {
    /// Adds an `APIGroupDiscoveryList` (`apidiscovery.k8s.io`, v2 or v2beta1).
    mutating func add(aggregated document: JSON) {
        for item in document["items"]?.array ?? [] {
            let name = item.at("metadata", "name")?.string ?? ""
            var group = Group(name: name, versions: [])
            for entry in item["versions"]?.array ?? [] {
                guard let version = entry["version"]?.string else { continue }
                group.versions.append(version)
                if entry["freshness"]?.string == "Stale" {
                    failures[name.isEmpty ? version : "\(name)/\(version)"] = "the server behind it does not answer"
                }
                for resource in entry["resources"]?.array ?? [] {
                    Self.aggregated(resource, group: name, version: version).map { resources.append($0) }
                }
            }
            groups.append(group)
        }
    }

    private static func aggregated(_ json: JSON, group: String, version: String) -> DiscoveredResource? {
        guard let plural = json["resource"]?.string, let kind = json.at("responseKind", "kind")?.string else {
            return nil
        }
        let namespaced = json["scope"]?.string == "Namespaced"
        return DiscoveredResource(
            type: ResourceType(group: group, version: version, kind: kind, plural: plural, namespaced: namespaced),
            singular: json["singularResource"]?.string ?? "", shortNames: strings(json["shortNames"]),
            categories: strings(json["categories"]), verbs: strings(json["verbs"]),
            subresources: (json["subresources"]?.array ?? []).compactMap { $0["subresource"]?.string })
    }

    /// Reads an `APIVersions` document, the core group.
    static func coreGroup(_ document: JSON) -> Group { Group(name: "", versions: strings(document["versions"])) }

    /// Reads an `APIGroupList`.
    static func groups(_ document: JSON) -> [Group] {
        (document["groups"]?.array ?? []).compactMap { entry in
            guard let name = entry["name"]?.string else { return nil }
            let all = (entry["versions"]?.array ?? []).compactMap { $0["version"]?.string }
            let preferred = entry.at("preferredVersion", "version")?.string
            return Group(name: name, versions: all.filter { $0 == preferred } + all.filter { $0 != preferred })
        }
    }

    /// Reads an `APIResourceList`; `pods/log` and the like become subresources of their resource.
    static func resources(_ document: JSON, group: String, version: String) -> [DiscoveredResource] {
        var result: [DiscoveredResource] = []
        var subresources: [String: [String]] = [:]
        for entry in document["resources"]?.array ?? [] {
            guard let name = entry["name"]?.string, let kind = entry["kind"]?.string else { continue }
            let parts = name.split(separator: "/", maxSplits: 1)
            if parts.count == 2 {
                subresources[String(parts[0]), default: []].append(String(parts[1]))
                continue
            }
            let type = ResourceType(
                group: group, version: version, kind: kind, plural: name,
                namespaced: entry["namespaced"]?.bool ?? false)
            result.append(
                DiscoveredResource(
                    type: type, singular: entry["singularName"]?.string ?? "",
                    shortNames: strings(entry["shortNames"]), categories: strings(entry["categories"]),
                    verbs: strings(entry["verbs"])))
        }
        for index in result.indices { result[index].subresources = subresources[result[index].type.plural] ?? [] }
        return result
    }

    private static func strings(_ json: JSON?) -> [String] { json?.array?.compactMap(\.string) ?? [] }
}
