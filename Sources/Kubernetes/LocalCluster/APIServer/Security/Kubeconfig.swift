internal import StructuredData

/// A kubeconfig file for one cluster and one user.
public struct Kubeconfig: Sendable, Hashable {
    public enum User: Sendable, Hashable {
        case token(String)
        case certificate(CertificateAuthority.Credential)
    }

    /// `https://127.0.0.1:6443`
    public var server: String
    public var authorityPEM: String
    public var user: User
    /// The name of the cluster, the context and, with `-admin`, the user.
    public var name: String
    public var namespace: String?

    public init(server: String, authorityPEM: String, user: User, name: String = "local", namespace: String? = nil) {
        self.server = server
        self.authorityPEM = authorityPEM
        self.user = user
        self.name = name
        self.namespace = namespace
    }

    /// The file's text: everything inline, so that the file can be moved.
    public var text: String {
        let userName = "\(name)-admin"
        var context: JSON = ["cluster": .string(name), "user": .string(userName)]
        context["namespace"] = namespace.map(JSON.string)
        let config: JSON = [
            "apiVersion": "v1", "kind": "Config", "current-context": .string(name), "preferences": [:],
            "clusters": [
                [
                    "name": .string(name),
                    "cluster": [
                        "server": .string(server), "certificate-authority-data": Self.base64(authorityPEM),
                    ],
                ]
            ],
            "contexts": [["name": .string(name), "context": context]],
            "users": [["name": .string(userName), "user": userEntry]],
        ]
        return YAML.write(config)
    }

    private var userEntry: JSON {
        switch user {
        case .token(let token): ["token": .string(token)]
        case .certificate(let credential):
            [
                "client-certificate-data": Self.base64(credential.certificatePEM),
                "client-key-data": Self.base64(credential.keyPEM),
            ]
        }
    }

    private static func base64(_ text: String) -> JSON { .string(Base64.standard(Array(text.utf8))) }

    /// Writes the file, readable by its owner only, in place of one that was written before: readers see the old or the
    /// new. A link is followed.
    /// - Throws: `foreign` when there is something else, such as a device or the kubeconfig of other clusters.
    public func write(to path: String) throws(StorageError) {
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex { try Folder.make(String(path[..<slash])) }
        let path = try Folder.target(of: path)
        try checkReplaceable(path)
        let partial = path + ".partial"
        try Folder.remove(partial)
        do {
            let file = try File(partial, .create)
            try file.write(Array(text.utf8))
            try file.synchronize()
        }
        try Folder.rename(partial, to: path)
    }

    private func checkReplaceable(_ path: String) throws(StorageError) {
        guard Folder.exists(path) else { return }
        guard try Folder.isRegularFile(path) else { throw .foreign(path: path, what: "not a regular file") }
        let bytes = try File(path, .read).readAll()
        guard !bytes.isEmpty else { return }
        let contexts = (try? YAML.parse(bytes))?.first?["contexts"]?.array?.map { $0["name"]?.string }
        guard contexts == [name] else { throw .foreign(path: path, what: "not a kubeconfig of this cluster") }
    }
}
