internal import HTTPTypes
internal import KubernetesClient

/// A request's path and query, decoded.
struct RequestTarget: Sendable {
    let path: String
    let query: Query
    /// What the path names; nil for paths outside the resource API.
    let resource: ResourcePath?

    init(_ target: String) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts.first ?? "/")
        query = Query(parts.count > 1 ? String(parts[1]) : "")
        resource = ResourcePath(path)
    }
}

/// `/apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL[/NAME[/SUBRESOURCE]]`, and `/api/VERSION/…` of the core group.
struct ResourcePath: Sendable, Hashable {
    let group: String
    let version: String
    let plural: String
    let namespace: String?
    let name: String?
    let subresource: String?

    init?(_ path: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: true).map { String($0).percentDecoded }[...]
        switch parts.popFirst() {
        case "api": group = ""
        case "apis":
            guard let first = parts.popFirst() else { return nil }
            group = first
        default: return nil
        }
        guard let version = parts.popFirst(), let first = parts.popFirst() else { return nil }
        self.version = version
        // `namespaces/NAME` and its own subresources are about the namespace itself.
        if first == "namespaces", parts.count > 1, !(parts.count == 2 && Self.isOfNamespace(parts.last)) {
            namespace = parts.popFirst()
            plural = parts.popFirst() ?? ""
        } else {
            namespace = nil
            plural = first
        }
        name = parts.popFirst()
        subresource = parts.isEmpty ? nil : parts.joined(separator: "/")
    }

    private init(
        group: String, version: String, plural: String, namespace: String?, name: String?, subresource: String?
    ) {
        self.group = group
        self.version = version
        self.plural = plural
        self.namespace = namespace
        self.name = name
        self.subresource = subresource
    }

    init(_ type: ResourceType, namespace: String?, name: String?, subresource: String? = nil) {
        self.init(
            group: type.group, version: type.version, plural: type.plural, namespace: namespace, name: name,
            subresource: subresource)
    }

    /// The path of one object of this collection.
    func about(namespace: String?, name: String) -> ResourcePath {
        ResourcePath(
            group: group, version: version, plural: plural, namespace: namespace, name: name, subresource: nil)
    }

    private static func isOfNamespace(_ part: String?) -> Bool { part == "status" || part == "finalize" }
}

/// Query parameters, in order; a name may come more than once.
struct Query: Sendable {
    private let items: [(name: String, value: String)]

    init(_ text: String) {
        items = text.split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(parts[1]) : ""
            return (
                String(parts[0]).replacing("+", with: " ").percentDecoded,
                value.replacing("+", with: " ").percentDecoded
            )
        }
    }

    /// The first value of `name`; empty and absent are the same, as in Kubernetes.
    subscript(name: String) -> String? {
        items.first { $0.name == name && !$0.value.isEmpty }?.value
    }

    func all(_ name: String) -> [String] { items.filter { $0.name == name && !$0.value.isEmpty }.map(\.value) }

    func contains(_ name: String) -> Bool { items.contains { $0.name == name } }

    /// `true` for `1`, `true`, and a name without a value, as Go's conversion has it.
    func flag(_ name: String) -> Bool {
        guard let item = items.first(where: { $0.name == name }) else { return false }
        return !["false", "0"].contains(item.value)
    }

    func integer(_ name: String) throws(StatusError) -> Int? {
        guard let text = self[name] else { return nil }
        guard let value = Int(text) else {
            throw .badRequest("strconv.ParseInt: parsing \"\(text)\": invalid syntax")
        }
        return value
    }
}

extension String {
    /// Percent-decoded (RFC 3986); a broken escape stays as it is.
    var percentDecoded: String {
        guard utf8.contains(UInt8(ascii: "%")) else { return self }
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
