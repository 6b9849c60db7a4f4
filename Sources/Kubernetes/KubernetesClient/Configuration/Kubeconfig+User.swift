internal import StructuredData

extension Kubeconfig {
    func identity(_ user: ConfigNode) throws(ConfigurationError) -> ClientIdentity? {
        let certificate = try user.pem(data: "client-certificate-data", file: "client-certificate")
        let key = try user.pem(data: "client-key-data", file: "client-key")
        switch (certificate, key) {
        case (let certificate?, let key?): return ClientIdentity(certificate: certificate, privateKey: key)
        case (.some, nil): throw user.error("client-key", "is required with client-certificate")
        case (nil, .some): throw user.error("client-certificate", "is required with client-key")
        case (nil, nil): return nil
        }
    }

    func credentials(
        _ user: ConfigNode, cluster: ConfigNode, _ configuration: ClusterConfiguration
    ) throws(ConfigurationError) -> Credentials {
        let token = try user.string("token")
        let name = try user.string("username")
        if token != nil, name != nil {
            throw user.error("token", "there is a username too; only one way to log in is allowed")
        }
        if user.json["auth-provider"]?.object != nil {
            throw user.error("auth-provider", "is no longer supported by Kubernetes; use exec")
        }
        if let exec = try user.node("exec") { return .exec(try plugin(exec, cluster: cluster, configuration)) }
        if let path = try user.path("tokenFile") {
            if token == nil {
                do { _ = try Files.read(path) } catch { throw user.error("tokenFile", error.description) }
            }
            return .tokenFile(path: path, fallback: token)
        }
        if let token { return .token(token) }
        if let name { return .basic(user: name, password: try user.string("password") ?? "") }
        return .none
    }

    func impersonation(_ user: ConfigNode) throws(ConfigurationError) -> ClusterConfiguration.Impersonation? {
        let uid = try user.string("as-uid")
        let groups = try user.strings("as-groups")
        let extras = try user.node("as-user-extra")
        guard let name = try user.string("as") else {
            guard uid == nil, groups.isEmpty, extras == nil else {
                throw user.error("as", "is required with as-uid, as-groups or as-user-extra")
            }
            return nil
        }
        var extra: [String: [String]] = [:]
        for key in extras?.json.object?.keys ?? [] { extra[key] = try extras?.strings(key) }
        return ClusterConfiguration.Impersonation(user: name, uid: uid, groups: groups, extra: extra)
    }

    private func plugin(
        _ exec: ConfigNode, cluster: ConfigNode, _ configuration: ClusterConfiguration
    ) throws(ConfigurationError) -> ExecPlugin {
        let version = try exec.required("apiVersion")
        let stable = version == "client.authentication.k8s.io/v1"
        guard stable || version == "client.authentication.k8s.io/v1beta1" else {
            throw exec.error(
                "apiVersion", "\(version) is not supported; use client.authentication.k8s.io/v1 or v1beta1")
        }
        var command = try exec.required("command")
        if command.contains("/"), !command.hasPrefix("/") { command = "\(exec.directory)/\(command)" }
        var environment: [String: String] = [:]
        for variable in try exec.nodes("env") {
            environment[try variable.required("name")] = try variable.string("value") ?? ""
        }
        var info: JSON?
        if try exec.bool("provideClusterInfo") { info = try clusterInfo(cluster, configuration) }
        return ExecPlugin(
            apiVersion: version, command: command, arguments: try exec.strings("args"), environment: environment,
            installHint: try exec.string("installHint"),
            interactiveMode: try interactiveMode(exec, required: stable), clusterInfo: info,
            origin: "\(exec.source): \(exec.path)")
    }

    private func interactiveMode(
        _ exec: ConfigNode, required: Bool
    ) throws(ConfigurationError) -> ExecPlugin.InteractiveMode {
        let text = required ? try exec.required("interactiveMode") : try exec.string("interactiveMode")
        guard let text else { return .ifAvailable }
        guard let mode = ExecPlugin.InteractiveMode(rawValue: text) else {
            throw exec.error("interactiveMode", "\(text) is not one of Never, IfAvailable, Always")
        }
        return mode
    }

    /// `spec.cluster` of an `ExecCredential`.
    private func clusterInfo(
        _ cluster: ConfigNode, _ configuration: ClusterConfiguration
    ) throws(ConfigurationError) -> JSON {
        var info: JSON = ["server": JSON(configuration.server)]
        info["tls-server-name"] = configuration.tls.serverName.map { JSON($0) }
        if configuration.tls.insecureSkipVerify { info["insecure-skip-tls-verify"] = true }
        info["certificate-authority-data"] = configuration.tls.certificateAuthority.map { JSON(Base64.encode($0)) }
        info["proxy-url"] = configuration.proxyURL.map { JSON($0) }
        if try cluster.bool("disable-compression") { info["disable-compression"] = true }
        let config = try cluster.nodes("extensions").first {
            $0.json["name"]?.string == "client.authentication.k8s.io/exec"
        }
        info["config"] = config?.json["extension"]
        return info
    }
}
