extension ClusterConfiguration {
    /// Finds the cluster as programs that run both in and outside of clusters do: the file `path`, else the files of
    /// `KUBECONFIG`, else the pod's own cluster, else `~/.kube/config`.
    ///
    /// - Parameters:
    ///   - context: nil means the kubeconfig's current one.
    ///   - environment: nil means that of this process.
    public static func load(
        kubeconfig path: String? = nil, context: String? = nil, environment: [String: String]? = nil
    ) throws(ConfigurationError) -> ClusterConfiguration {
        let environment = environment ?? ProcessEnvironment.current
        if let path { return try Kubeconfig(files: [path]).configuration(context: context) }
        let files = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
        if !files.isEmpty {
            return try Kubeconfig(files: files, skippingMissing: true).configuration(context: context)
        }
        if context == nil, environment["KUBERNETES_SERVICE_HOST"]?.isEmpty == false {
            return try inCluster(environment: environment)
        }
        guard let home = environment["HOME"], !home.isEmpty else {
            throw ConfigurationError(
                source: "no cluster to talk to", message: "name a kubeconfig file or set KUBECONFIG")
        }
        do { return try Kubeconfig(files: ["\(home)/.kube/config"]).configuration(context: context) } catch {
            guard error.message == "does not exist" else { throw error }
            throw ConfigurationError(
                source: "no cluster to talk to",
                message: "name a kubeconfig file or set KUBECONFIG; \(home)/.kube/config does not exist")
        }
    }

    /// The cluster that this pod runs in, as the pod's service account.
    ///
    /// - Parameters:
    ///   - environment: nil means that of this process.
    ///   - folder: where the service account is mounted.
    public static func inCluster(
        environment: [String: String]? = nil, folder: String = "/var/run/secrets/kubernetes.io/serviceaccount"
    ) throws(ConfigurationError) -> ClusterConfiguration {
        let environment = environment ?? ProcessEnvironment.current
        let source = "in-cluster configuration"
        func value(_ name: String) throws(ConfigurationError) -> String {
            guard let value = environment[name], !value.isEmpty else {
                throw ConfigurationError(
                    source: source, field: name, message: "is not set; this process does not run in a pod")
            }
            return value
        }
        func file(_ name: String) throws(ConfigurationError) -> [UInt8] {
            do { return try Files.read("\(folder)/\(name)") } catch {
                throw ConfigurationError(
                    source: source, field: name,
                    message: "\(error); check automountServiceAccountToken of the pod and its service account")
            }
        }
        let host = try value("KUBERNETES_SERVICE_HOST")
        let port = try value("KUBERNETES_SERVICE_PORT")
        _ = try file("token")
        let authority = try file("ca.crt")
        let namespace = (try? Files.read("\(folder)/namespace")).map {
            String(decoding: $0, as: UTF8.self).trimmingBlanks()
        }
        return ClusterConfiguration(
            server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)",
            namespace: namespace.flatMap { $0.isEmpty ? nil : $0 } ?? "default",
            tls: TLS(certificateAuthority: authority, files: TLS.Files(certificateAuthority: "\(folder)/ca.crt")),
            credentials: .tokenFile(path: "\(folder)/token"),
            source: source)
    }
}
