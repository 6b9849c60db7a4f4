internal import KubernetesClient
internal import StructuredData

/// The paths and operations of one resource.
struct OpenAPIPaths {
    static let meta = "io.k8s.apimachinery.pkg.apis.meta.v1"

    let resource: ServedResource
    let dialect: OpenAPIDialect
    /// The definitions of the kind and of its list.
    let definition: String
    let listDefinition: String

    private var type: ResourceType { resource.type }
    private var parameters: OpenAPIParameters { OpenAPIParameters(dialect: dialect) }

    /// Path items by path, in order.
    var items: [(path: String, item: JSON)] {
        let root = type.group.isEmpty ? "/api/\(type.version)" : "/apis/\(type.group)/\(type.version)"
        let base = root + (type.namespaced ? "/namespaces/{namespace}" : "") + "/\(type.plural)"
        var items: [(path: String, item: JSON)] = []
        if type.namespaced, resource.verbs.contains("list") {
            items.append(
                (
                    "\(root)/\(type.plural)",
                    item([("get", list(isForAllNamespaces: true))], [parameters.pretty])
                ))
        }
        items.append((base, item(collection, common(isNamed: false))))
        if resource.verbs.contains("get") {
            items.append(("\(base)/{name}", item(single, common(isNamed: true))))
        }
        for subresource in resource.subresources where subresource.isDescribed {
            items.append(
                ("\(base)/{name}/\(subresource.name)", item(operations(of: subresource), common(isNamed: true))))
        }
        return items
    }

    private var collection: [(String, JSON)] {
        var operations: [(String, JSON)] = []
        if resource.verbs.contains("list") { operations.append(("get", list(isForAllNamespaces: false))) }
        if resource.verbs.contains("create") {
            var create = operation("create", "post", "create a \(type.kind)", parameters.write)
            setBody(of: &create, definition)
            create["responses"] = dialect.responses(
                [("200", "OK"), ("201", "Created"), ("202", "Accepted")], definition: definition)
            operations.append(("post", create))
        }
        if resource.verbs.contains("deletecollection") {
            var delete = operation(
                "delete", "deletecollection", "delete collection of \(type.kind)", parameters.deleteCollection,
                scope: "Collection")
            setBody(of: &delete, "\(Self.meta).DeleteOptions", isRequired: false)
            delete["responses"] = dialect.responses([("200", "OK")], definition: "\(Self.meta).Status")
            operations.append(("delete", delete))
        }
        return operations
    }

    private var single: [(String, JSON)] {
        var operations = readAndWrite(
            verbs: resource.verbs, definition: definition, suffix: "", of: "the specified \(type.kind)")
        if resource.verbs.contains("delete") {
            var delete = operation("delete", "delete", "delete a \(type.kind)", parameters.delete)
            setBody(of: &delete, "\(Self.meta).DeleteOptions", isRequired: false)
            delete["responses"] = dialect.responses(
                [("200", "OK"), ("202", "Accepted")], definition: "\(Self.meta).Status")
            operations.append(("delete", delete))
        }
        return operations
    }

    private func operations(of subresource: Subresource) -> [(String, JSON)] {
        let body = subresource.definition ?? definition
        let suffix = subresource.name.prefix(1).uppercased() + subresource.name.dropFirst()
        let gvk = subresource.group.map { ($0, subresource.version ?? "v1", subresource.kind) }
        if subresource.verbs == ["create"] {
            var create = operation(
                "create", "post", "create \(subresource.name) of a \(type.kind)", parameters.write, suffix: suffix,
                kind: gvk)
            setBody(of: &create, body)
            create["responses"] = dialect.responses(
                [("200", "OK"), ("201", "Created"), ("202", "Accepted")], definition: body)
            return [("post", create)]
        }
        return readAndWrite(
            verbs: subresource.verbs, definition: body, suffix: suffix,
            of: "\(subresource.name) of the specified \(type.kind)", kind: gvk)
    }

    private func readAndWrite(
        verbs: [String], definition: String, suffix: String, of what: String, kind: (String, String, String)? = nil
    ) -> [(String, JSON)] {
        var operations: [(String, JSON)] = []
        if verbs.contains("get") {
            var read = operation("read", "get", "read \(what)", [], suffix: suffix, kind: kind)
            read["responses"] = dialect.responses([("200", "OK")], definition: definition)
            operations.append(("get", read))
        }
        if verbs.contains("update") {
            var replace = operation("replace", "put", "replace \(what)", parameters.write, suffix: suffix, kind: kind)
            setBody(of: &replace, definition)
            replace["responses"] = dialect.responses([("200", "OK"), ("201", "Created")], definition: definition)
            operations.append(("put", replace))
        }
        if verbs.contains("patch") {
            var patch = operation(
                "patch", "patch", "partially update \(what)", parameters.patch, suffix: suffix, kind: kind)
            setBody(of: &patch, "\(Self.meta).Patch", types: patchTypes)
            patch["responses"] = dialect.responses([("200", "OK"), ("201", "Created")], definition: definition)
            operations.append(("patch", patch))
        }
        return operations
    }

    /// Strategic merge patch needs a Go type: custom resources have none.
    private var patchTypes: [String] {
        let all = ["application/json-patch+json", "application/merge-patch+json"]
        let strategic = resource.isBuiltin ? ["application/strategic-merge-patch+json"] : []
        return all + strategic + ["application/apply-patch+yaml"]
    }

    private func list(isForAllNamespaces: Bool) -> JSON {
        var list = operation(
            "list", "list", "list or watch objects of kind \(type.kind)", parameters.list,
            suffix: isForAllNamespaces ? "ForAllNamespaces" : "", isNamespaced: !isForAllNamespaces)
        list["responses"] = dialect.responses([("200", "OK")], definition: listDefinition)
        return list
    }

    private func operation(
        _ verb: String, _ action: String, _ description: String, _ parameters: [JSON], scope: String = "",
        suffix: String = "", isNamespaced: Bool = true, kind: (String, String, String)? = nil
    ) -> JSON {
        let scopeName = scope + (type.namespaced && isNamespaced ? "Namespaced" : "")
        let (group, version, kindName) = kind ?? (type.group, type.version, type.kind)
        var operation: JSON = ["tags": [.string(Self.tag(type))], "description": .string(description)]
        operation["operationId"] = .string("\(verb)\(Self.groupName(type))\(scopeName)\(type.kind)\(suffix)")
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if dialect == .version2 {
            operation["schemes"] = ["https"]
            operation["consumes"] = ["*/*"]
            operation["produces"] = ["application/json", "application/yaml"]
        }
        operation["x-kubernetes-action"] = .string(action)
        operation["x-kubernetes-group-version-kind"] = [
            "group": .string(group), "version": .string(version), "kind": .string(kindName),
        ]
        return operation
    }

    private func setBody(
        of operation: inout JSON, _ definition: String, types: [String] = ["*/*"], isRequired: Bool = true
    ) {
        dialect.setBody(dialect.reference(definition), types: types, isRequired: isRequired, in: &operation)
    }

    private func item(_ operations: [(String, JSON)], _ common: [JSON]) -> JSON {
        var item: JSON = [:]
        for (method, operation) in operations { item[method] = operation }
        item["parameters"] = .array(common)
        return item
    }

    private func common(isNamed: Bool) -> [JSON] {
        var common: [JSON] = []
        if isNamed { common.append(parameters.path("name", "name of the \(type.kind)")) }
        if type.namespaced {
            common.append(
                parameters.path("namespace", "object name and auth scope, such as for teams and projects"))
        }
        return common + [parameters.pretty]
    }

    /// `core_v1`, `rbacAuthorization_v1`.
    static func tag(_ type: ResourceType) -> String {
        let name = groupWords(type.group)
        return "\(name.prefix(1).lowercased())\(name.dropFirst())_\(type.version)"
    }

    /// `CoreV1`, `RbacAuthorizationV1`.
    static func groupName(_ type: ResourceType) -> String {
        groupWords(type.group) + type.version.prefix(1).uppercased() + type.version.dropFirst()
    }

    private static func groupWords(_ group: String) -> String {
        guard !group.isEmpty else { return "Core" }
        let name = group.hasSuffix(".k8s.io") ? group.dropLast(".k8s.io".count) : group[...]
        return name.split { $0 == "." || $0 == "-" }.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}

extension Subresource {
    /// Streams and proxies have no bodies to describe.
    var isDescribed: Bool { !["attach", "exec", "log", "portforward", "proxy"].contains(name) }

    /// The definition of the body when it is not the resource's own.
    var definition: String? {
        switch kind {
        case "Scale": "io.k8s.api.autoscaling.v1.Scale"
        case "Eviction": "io.k8s.api.policy.v1.Eviction"
        case "Binding": "io.k8s.api.core.v1.Binding"
        case "TokenRequest": "io.k8s.api.authentication.v1.TokenRequest"
        default: nil
        }
    }
}
