internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

/// The command line and the environment of a container, as kubelet makes them of its spec.
struct ContainerEnvironment: Sendable {
    /// What the environment may refer to.
    struct Sources: Sendable {
        /// By name; only those that exist.
        var secrets: [String: [String: String]] = [:]
        var configMaps: [String: [String: String]] = [:]
        /// Variables of the node and of Services; the container's own come on top.
        var base: [String: String] = [:]
    }

    /// Something that is referred to is missing; the text is kubelet's.
    struct Missing: Error, Equatable {
        let message: String
    }

    let pod: KubernetesObject
    let container: ContainerSpec
    let address: String
    let node: NodeDescription

    /// Names of the Secrets and ConfigMaps that `resolve` wants.
    var references: (secrets: Set<String>, configMaps: Set<String>) {
        var secrets: Set<String> = []
        var configMaps: Set<String> = []
        for source in container.json["envFrom"]?.array ?? [] {
            if let name = source.at("secretRef", "name")?.string { secrets.insert(name) }
            if let name = source.at("configMapRef", "name")?.string { configMaps.insert(name) }
        }
        for variable in container.json["env"]?.array ?? [] {
            if let name = variable.at("valueFrom", "secretKeyRef", "name")?.string { secrets.insert(name) }
            if let name = variable.at("valueFrom", "configMapKeyRef", "name")?.string { configMaps.insert(name) }
        }
        return (secrets, configMaps)
    }

    func resolve(_ sources: Sources) throws(Missing) -> [String: String] {
        var result = sources.base
        for source in container.json["envFrom"]?.array ?? [] {
            let prefix = source["prefix"]?.string ?? ""
            for (key, value) in try values(of: source, sources) { result[prefix + key] = value }
        }
        for variable in container.json["env"]?.array ?? [] {
            guard let name = variable["name"]?.string else { continue }
            if let from = variable["valueFrom"] {
                if let value = try value(from, sources) { result[name] = value }
            } else {
                result[name] = Self.expand(variable["value"]?.string ?? "", result)
            }
        }
        return result
    }

    private func values(of source: JSON, _ sources: Sources) throws(Missing) -> [String: String] {
        for (key, kind, known) in [
            ("secretRef", "secret", sources.secrets), ("configMapRef", "configmap", sources.configMaps),
        ] {
            guard let reference = source[key], let name = reference["name"]?.string else { continue }
            if let values = known[name] { return values }
            guard reference["optional"]?.bool == true else { throw Missing(message: "\(kind) \"\(name)\" not found") }
        }
        return [:]
    }

    /// Nil for an optional reference to what is not there.
    private func value(_ from: JSON, _ sources: Sources) throws(Missing) -> String? {
        if let reference = from["secretKeyRef"] {
            return try lookUp(reference, sources.secrets, kind: "secret", title: "Secret")
        }
        if let reference = from["configMapKeyRef"] {
            return try lookUp(reference, sources.configMaps, kind: "configmap", title: "ConfigMap")
        }
        if let path = from.at("fieldRef", "fieldPath")?.string { return try field(path) }
        if let reference = from["resourceFieldRef"] { return try resource(reference) }
        return ""
    }

    private func lookUp(
        _ reference: JSON, _ known: [String: [String: String]], kind: String, title: String
    ) throws(Missing) -> String? {
        let name = reference["name"]?.string ?? ""
        let key = reference["key"]?.string ?? ""
        if let value = known[name]?[key] { return value }
        if reference["optional"]?.bool == true { return nil }
        guard known[name] != nil else { throw Missing(message: "\(kind) \"\(name)\" not found") }
        throw Missing(message: "couldn't find key \(key) in \(title) \(pod.namespace ?? "")/\(name)")
    }

    // MARK: - The downward API

    func field(_ path: String) throws(Missing) -> String {
        switch path {
        case "metadata.name": return pod.name
        case "metadata.namespace": return pod.namespace ?? ""
        case "metadata.uid": return pod.uid
        case "spec.nodeName": return node.name
        case "spec.serviceAccountName": return pod.spec?["serviceAccountName"]?.string ?? ""
        case "status.hostIP", "status.hostIPs": return node.address
        case "status.podIP", "status.podIPs": return address
        default: break
        }
        for (prefix, values) in [("metadata.labels['", pod.labels), ("metadata.annotations['", pod.annotations)]
        where path.hasPrefix(prefix) && path.hasSuffix("']") {
            return values[String(path.dropFirst(prefix.count).dropLast(2))] ?? ""
        }
        throw Missing(message: "unsupported fieldPath: \(path)")
    }

    func resource(_ reference: JSON) throws(Missing) -> String {
        let path = (reference["resource"]?.string ?? "").split(separator: ".", maxSplits: 1).map(String.init)
        guard path.count == 2, ["limits", "requests"].contains(path[0]) else {
            throw Missing(message: "unsupported container resource: \(reference["resource"]?.string ?? "")")
        }
        let containers = pod.spec?["containers"]?.array ?? []
        let named = reference["containerName"]?.string
        let owner = named.flatMap { name in containers.first { $0["name"]?.string == name } } ?? container.json
        func quantity(_ value: JSON?) -> Quantity? {
            (value?.string ?? value?.number.map { "\($0)" }).flatMap { Quantity($0) }
        }
        guard let amount = quantity(owner.at("resources", path[0], path[1])) else { return "0" }
        let divisor = quantity(reference["divisor"]).flatMap { $0.nanos > 0 ? $0 : nil }
        let unit = divisor?.nanos ?? 1_000_000_000
        return "\((amount.nanos + unit - 1) / unit)"
    }
}

// MARK: - Expansion

extension ContainerEnvironment {
    /// Replaces `$(NAME)` by the variable's value; `$$` is a dollar; what names no variable stays as it is.
    static func expand(_ text: String, _ variables: [String: String]) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else if rest.first == "(", let end = rest.firstIndex(of: ")") {
                let name = String(rest[rest.index(after: rest.startIndex)..<end])
                result += variables[name] ?? "$(\(name))"
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
            }
        }
        return result + rest
    }

    /// What DNS would know of the Services of the pod's namespace: `todo-api.team.svc=127.96.0.7`, one after another with
    /// a blank between.
    static func hosts(_ services: [KubernetesObject], namespace: String) -> String {
        services.filter { $0.namespace == namespace }.compactMap { service in
            guard let host = service.spec?["clusterIP"]?.string, !host.isEmpty, host != "None" else { return nil }
            return "\(service.name).\(namespace).svc=\(host)"
        }.sorted().joined(separator: " ")
    }

    /// `{SVC}_SERVICE_HOST` and its companions, for the Services of the pod's namespace and for `kubernetes`.
    static func serviceLinks(_ services: [KubernetesObject], enabled: Bool, namespace: String) -> [String: String] {
        var result: [String: String] = [:]
        for service in services {
            let isMaster = service.name == "kubernetes" && service.namespace == "default"
            guard isMaster || (enabled && service.namespace == namespace) else { continue }
            guard let host = service.spec?["clusterIP"]?.string, !host.isEmpty, host != "None" else { continue }
            let name = environmentName(service.name)
            let ports = service.spec?["ports"]?.array ?? []
            result["\(name)_SERVICE_HOST"] = host
            for (index, port) in ports.enumerated() {
                guard let number = port["port"]?.int else { continue }
                let kind = (port["protocol"]?.string ?? "TCP")
                if index == 0 {
                    result["\(name)_SERVICE_PORT"] = "\(number)"
                    result["\(name)_PORT"] = "\(kind.lowercased())://\(host):\(number)"
                }
                if let portName = port["name"]?.string, !portName.isEmpty {
                    result["\(name)_SERVICE_PORT_\(environmentName(portName))"] = "\(number)"
                }
                let prefix = "\(name)_PORT_\(number)_\(kind)"
                result[prefix] = "\(kind.lowercased())://\(host):\(number)"
                result["\(prefix)_PROTO"] = kind.lowercased()
                result["\(prefix)_PORT"] = "\(number)"
                result["\(prefix)_ADDR"] = host
            }
        }
        return result
    }

    private static func environmentName(_ name: String) -> String {
        name.uppercased().replacing("-", with: "_")
    }
}
