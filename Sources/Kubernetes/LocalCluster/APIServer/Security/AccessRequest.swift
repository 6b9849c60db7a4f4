internal import StructuredData

/// What somebody wants to do, as authorization sees it.
struct AccessRequest: Sendable, Hashable {
    var verb: String
    var group = ""
    var resource = ""
    var subresource = ""
    var namespace = ""
    var name = ""
    /// Set for paths outside the resource API; the other fields but the verb are empty then.
    var path: String?

    var qualifiedResource: String { subresource.isEmpty ? resource : "\(resource)/\(subresource)" }

    /// Why it is refused, in kube-apiserver's words.
    func refusal(of user: UserInfo) -> String {
        let who = "User \(quoted(user.name)) cannot \(verb)"
        if let path { return "\(who) path \(quoted(path))" }
        let scope = namespace.isEmpty ? "at the cluster scope" : "in the namespace \(quoted(namespace))"
        return "\(who) resource \(quoted(qualifiedResource)) in API group \(quoted(group)) \(scope)"
    }
}

/// One rule of a Role or ClusterRole.
struct PolicyRule: Sendable, Hashable {
    var verbs: [String]
    var groups: [String]
    var resources: [String]
    var names: [String]
    var paths: [String]

    init(_ json: JSON) {
        func strings(_ key: String) -> [String] { json[key]?.array?.compactMap(\.string) ?? [] }
        verbs = strings("verbs")
        groups = strings("apiGroups")
        resources = strings("resources")
        names = strings("resourceNames")
        paths = strings("nonResourceURLs")
    }

    func allows(_ request: AccessRequest) -> Bool {
        guard verbs.contains("*") || verbs.contains(request.verb) else { return false }
        if let path = request.path { return paths.contains { Self.path($0, matches: path) } }
        return (groups.contains("*") || groups.contains(request.group)) && allowsResource(of: request)
            && (names.isEmpty || names.contains(request.name))
    }

    private func allowsResource(of request: AccessRequest) -> Bool {
        resources.contains { resource in
            resource == "*" || resource == request.qualifiedResource
                || !request.subresource.isEmpty && resource == "*/\(request.subresource)"
        }
    }

    private static func path(_ pattern: String, matches path: String) -> Bool {
        if pattern == "*" || pattern == path { return true }
        return pattern.hasSuffix("*") && path.hasPrefix(pattern.dropLast())
    }

    /// Whether this rule grants all that `other` does. A `*` is granted by a `*` only.
    func covers(verb: String, group: String, resource: String, name: String?) -> Bool {
        guard verbs.contains("*") || verbs.contains(verb), groups.contains("*") || groups.contains(group) else {
            return false
        }
        let subresource = resource.split(separator: "/", maxSplits: 1).dropFirst().first.map { "*/\($0)" }
        guard resources.contains("*") || resources.contains(resource) || subresource.map(resources.contains) ?? false
        else { return false }
        return names.isEmpty || name.map(names.contains) ?? false
    }

    func covers(verb: String, path: String) -> Bool {
        (verbs.contains("*") || verbs.contains(verb)) && paths.contains { Self.path($0, matches: path) }
    }

    var json: JSON {
        func array(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }
        var rule: JSON = ["verbs": array(verbs)]
        if paths.isEmpty {
            rule["apiGroups"] = array(groups)
            rule["resources"] = array(resources)
            if !names.isEmpty { rule["resourceNames"] = array(names) }
        } else {
            rule["nonResourceURLs"] = array(paths)
        }
        return rule
    }
}
