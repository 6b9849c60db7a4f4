internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

/// A decoded `apiextensions.k8s.io/v1` CustomResourceDefinition.
struct CustomResourceDefinition: Sendable {
    let json: JSON

    init(_ json: JSON) { self.json = json }

    var name: String { json.at("metadata", "name").text }
    var uid: String { json.at("metadata", "uid").text }
    /// Rises with each change of the spec: at 1 all objects were stored under what it says now.
    var generation: Int { json.at("metadata", "generation")?.int ?? 1 }
    var group: String { json.at("spec", "group").text }
    var isNamespaced: Bool { json.at("spec", "scope").text == "Namespaced" }
    var names: JSON { json.at("spec", "names") ?? .object([:]) }
    var plural: String { names["plural"].text }
    var kind: String { names["kind"].text }
    var listKind: String { names["listKind"].text }
    var versions: [JSON] { json.at("spec", "versions").elements }
    var storageVersionName: String? { versions.first { $0["storage"]?.bool == true }?["name"]?.string }

    var isEstablished: Bool {
        json.at("status", "conditions").elements.contains {
            $0["type"].text == "Established" && $0["status"].text == "True"
        }
    }

    /// Whether other versions than the stored one come out of a webhook, which is never called here.
    var needsWebhook: Bool { json.at("spec", "conversion", "strategy").text == "Webhook" }

    func serves(sameAs other: Self) -> Bool { generation == other.generation && json["spec"] == other.json["spec"] }

    /// The resources of the served versions, newest version first. A version that needs a webhook is not served: its
    /// objects would have the form of another. A version whose schema does not compile is served without one.
    func servedVersions() -> [ServedResource] {
        versions.enumerated()
            .filter { $0.element["served"]?.bool == true }
            .filter { !needsWebhook || $0.element["storage"]?.bool == true }
            .sorted { VersionOrder.isNewer($0.element["name"].text, $1.element["name"].text) }
            .map { served($0.element, index: $0.offset) }
    }

    /// The resource of the version in which objects are stored, whether it is served or not.
    var storedVersion: ServedResource? {
        versions.enumerated().first { $0.element["storage"]?.bool == true }
            .map { served($0.element, index: $0.offset) }
    }

    private func type(version: String) -> ResourceType {
        ResourceType(group: group, version: version, kind: kind, plural: plural, namespaced: isNamespaced)
    }

    private func served(_ version: JSON, index: Int) -> ServedResource {
        let type = type(version: version["name"].text)
        let storage = self.type(version: storageVersionName ?? type.version)
        let scale = version.at("subresources", "scale").flatMap(Self.scalePaths)
        let schema = version.at("schema", "openAPIV3Schema").flatMap { text in
            try? StructuralSchema.compile(text, field: schemaField(index))
        }
        return ServedResource(
            type: type, singular: names["singular"].text,
            shortNames: names["shortNames"].elements.compactMap(\.string),
            categories: names["categories"].elements.compactMap(\.string),
            verbs: ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
            subresources: subresources(of: version), scale: scale, schema: schema, isBuiltin: false,
            strategy: CustomResourceStrategy(), columns: Self.columns(of: version),
            selectableFields: Self.selectableFields(of: version), deprecation: deprecation(of: version),
            storageVersion: storage,
            conversion: type.version == storage.version && generation == 1 ? .none : .version)
    }

    private func deprecation(of version: JSON) -> String? {
        guard version["deprecated"]?.bool == true else { return nil }
        if let text = version["deprecationWarning"]?.string { return text }
        let name = version["name"].text
        let newest = versions.filter { $0["served"]?.bool == true && $0["deprecated"]?.bool != true }
            .map { $0["name"].text }.filter { VersionOrder.isNewer($0, name) }.min(by: VersionOrder.isNewer)
        let advice = newest.map { "; use \(group)/\($0) \(kind)" } ?? ""
        return "\(group)/\(name) \(kind) is deprecated\(advice)"
    }

    private func subresources(of version: JSON) -> [Subresource] {
        var subresources: [Subresource] = []
        if version.at("subresources", "status") != nil {
            subresources.append(Subresource("status", kind: kind, verbs: ["get", "patch", "update"]))
        }
        if version.at("subresources", "scale") != nil {
            subresources.append(
                Subresource(
                    "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: ["get", "patch", "update"]))
        }
        return subresources
    }

    /// Where errors about the schema of version `index` point.
    func schemaField(_ index: Int) -> String { "spec.versions[\(index)].schema.openAPIV3Schema" }

    private static func scalePaths(_ scale: JSON) -> ScalePaths? {
        guard let replicas = simplePath(scale["specReplicasPath"]),
            let status = simplePath(scale["statusReplicasPath"])
        else { return nil }
        return ScalePaths(
            specReplicas: replicas, statusReplicas: status, selector: simplePath(scale["labelSelectorPath"]))
    }

    /// The steps of a path in dot notation: `.spec.replicas`.
    static func simplePath(_ path: JSON?) -> [String]? {
        guard let text = path?.string, text.first == "." else { return nil }
        return text.dropFirst().split(separator: ".").map(String.init)
    }

    private static func columns(of version: JSON) -> [PrinterColumn] {
        let declared = version["additionalPrinterColumns"].elements
        guard !declared.isEmpty else { return [PrinterColumn.age].compactMap(\.self) }
        return declared.compactMap { column in
            guard let path = JSONPathExpression(column["jsonPath"].text) else { return nil }
            let description = column["description"].text
            return PrinterColumn(
                name: column["name"].text, type: column["type"].text, format: column["format"].text,
                description: description.isEmpty
                    ? "Custom resource definition column (in JSONPath format): \(path.text)" : description,
                priority: column["priority"]?.int ?? 0, path: path)
        }
    }

    private static func selectableFields(of version: JSON) -> [String: SelectableField] {
        var fields: [String: SelectableField] = [:]
        for field in version["selectableFields"].elements {
            guard let path = simplePath(field["jsonPath"]) else { continue }
            fields[path.joined(separator: ".")] = SelectableField(paths: [path], absent: "")
        }
        return fields
    }
}

/// The order of API versions: `v2`, `v1`, `v1beta2`, `v1beta1`, `v1alpha1`, then others by name.
enum VersionOrder {
    static func isNewer(_ left: String, _ right: String) -> Bool {
        switch (parse(left), parse(right)) {
        case (let left?, let right?): left > right
        case (.some, nil): true
        case (nil, .some): false
        case (nil, nil): left < right
        }
    }

    /// (stability, major, minor), each greater when newer.
    private static func parse(_ version: String) -> (Int, Int, Int)? {
        guard version.first == "v" else { return nil }
        var rest = version.dropFirst()
        func number() -> Int? {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest.removeFirst(digits.count)
            return Int(digits)
        }
        guard let major = number() else { return nil }
        if rest.isEmpty { return (2, major, 0) }
        for (name, stability) in [("alpha", 0), ("beta", 1)] where rest.hasPrefix(name) {
            rest.removeFirst(name.count)
            guard let minor = number(), rest.isEmpty else { return nil }
            return (stability, major, minor)
        }
        return nil
    }
}
