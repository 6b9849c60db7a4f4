internal import StructuredData

extension Kubeconfig {
    /// What the context says: its cluster, its user, its namespace. `context` nil means `current-context`. Certificate
    /// files are read here, and again while the client is used; token files and plugins with the first request.
    public func configuration(context: String? = nil) throws(ConfigurationError) -> ClusterConfiguration {
        let context = try find(context: context)
        let cluster = try find(context.required("cluster"), in: clusters, "cluster", of: context)
        var configuration = ClusterConfiguration(
            server: try server(cluster), namespace: try context.string("namespace") ?? "default",
            tls: try tls(cluster), source: source)
        configuration.proxyURL = try proxy(cluster)
        if let name = try context.string("user") {
            let user = try find(name, in: users, "user", of: context)
            configuration.tls.identity = try identity(user)
            configuration.tls.files.certificate = try user.file("client-certificate")
            configuration.tls.files.privateKey = try user.file("client-key")
            configuration.credentials = try credentials(user, cluster: cluster, configuration)
            configuration.impersonation = try impersonation(user)
        }
        return configuration
    }

    private func find(context name: String?) throws(ConfigurationError) -> ConfigNode {
        let known = contexts.isEmpty ? "it has no contexts" : "it has \(contextNames.joined(separator: ", "))"
        guard let wanted = name ?? currentContext else {
            throw ConfigurationError(source: source, field: "current-context", message: "is not set; \(known)")
        }
        guard let entry = contexts.first(where: { $0.name == wanted }) else {
            throw ConfigurationError(
                source: source, field: name == nil ? "current-context" : "contexts",
                message: "there is no context \(wanted); \(known)")
        }
        return entry.node
    }

    private func find(
        _ name: String, in entries: [Entry], _ key: String, of context: ConfigNode
    ) throws(ConfigurationError) -> ConfigNode {
        guard let entry = entries.first(where: { $0.name == name }) else {
            throw context.error(key, "there is no \(key) \(name)")
        }
        return entry.node
    }

    private func server(_ cluster: ConfigNode) throws(ConfigurationError) -> String {
        var server = try cluster.required("server")
        if !server.contains("://") {
            let secure =
                cluster.json["certificate-authority"] != nil
                || cluster.json["certificate-authority-data"] != nil
                || cluster.json["insecure-skip-tls-verify"]?.bool == true
            server = (secure ? "https://" : "http://") + server
        }
        while server.hasSuffix("/") { server.removeLast() }
        guard server.hasPrefix("https://") || server.hasPrefix("http://"), !server.hasSuffix(":") else {
            throw cluster.error("server", "\(server) is not an http or https address")
        }
        return server
    }

    private func tls(_ cluster: ConfigNode) throws(ConfigurationError) -> ClusterConfiguration.TLS {
        let authority = try cluster.pem(data: "certificate-authority-data", file: "certificate-authority")
        let insecure = try cluster.bool("insecure-skip-tls-verify")
        guard authority == nil || !insecure else {
            throw cluster.error("insecure-skip-tls-verify", "cannot be true when there is a certificate-authority")
        }
        return ClusterConfiguration.TLS(
            certificateAuthority: authority, insecureSkipVerify: insecure,
            serverName: try cluster.string("tls-server-name"),
            files: ClusterConfiguration.TLS.Files(certificateAuthority: try cluster.file("certificate-authority")))
    }

    private func proxy(_ cluster: ConfigNode) throws(ConfigurationError) -> String? {
        guard let url = try cluster.string("proxy-url") else { return nil }
        guard ["http://", "https://", "socks5://", "socks5h://"].contains(where: { url.hasPrefix($0) }) else {
            throw cluster.error("proxy-url", "\(url) does not begin with http://, https:// or socks5://")
        }
        return url
    }
}
