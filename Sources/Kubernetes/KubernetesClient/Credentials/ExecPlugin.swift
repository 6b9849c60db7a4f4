public import StructuredData

/// A program that hands out credentials (`client.authentication.k8s.io`), as `users[].user.exec` describes it.
public struct ExecPlugin: Sendable, Hashable {
    public enum InteractiveMode: String, Sendable, Hashable {
        case never = "Never"
        case ifAvailable = "IfAvailable"
        case always = "Always"
    }

    /// `client.authentication.k8s.io/v1` or `…/v1beta1`.
    public var apiVersion: String
    /// A name to be found in `PATH`, or a path.
    public var command: String
    public var arguments: [String]
    /// Added to the environment of this process.
    public var environment: [String: String]
    /// Told to the user when `command` does not exist.
    public var installHint: String?
    public var interactiveMode: InteractiveMode
    /// `spec.cluster` of what the plugin is told; nil unless `provideClusterInfo` is set.
    public var clusterInfo: JSON?
    /// `kubeconfig /x: users[0].exec`, for messages.
    public var origin: String

    public init(
        apiVersion: String, command: String, arguments: [String] = [], environment: [String: String] = [:],
        installHint: String? = nil, interactiveMode: InteractiveMode = .ifAvailable, clusterInfo: JSON? = nil,
        origin: String = "exec plugin"
    ) {
        self.apiVersion = apiVersion
        self.command = command
        self.arguments = arguments
        self.environment = environment
        self.installHint = installHint
        self.interactiveMode = interactiveMode
        self.clusterInfo = clusterInfo
        self.origin = origin
    }
}

/// What a plugin answered.
struct ExecCredential: Sendable {
    var token: String?
    var identity: ClientIdentity?
    /// Nil: good until the server refuses it.
    var expiration: KubernetesTime?
}

extension ExecPlugin {
    /// The value of `KUBERNETES_EXEC_INFO`, and whether the plugin may ask the user.
    func executionInfo(terminal: Bool) throws(ConfigurationError) -> (json: JSON, interactive: Bool) {
        if interactiveMode == .always && !terminal {
            throw error("interactiveMode is Always, but standard input is not a terminal")
        }
        let interactive = interactiveMode != .never && terminal
        var spec: JSON = ["interactive": JSON(interactive)]
        spec["cluster"] = clusterInfo
        return (["apiVersion": JSON(apiVersion), "kind": "ExecCredential", "spec": spec], interactive)
    }

    /// Reads the plugin's standard output.
    func credential(from output: [UInt8]) throws(ConfigurationError) -> ExecCredential {
        let json: JSON
        do { json = try JSON(parsing: output) } catch {
            throw self.error("its output is not JSON: \(error)")
        }
        guard json["kind"]?.string == "ExecCredential", json["apiVersion"]?.string == apiVersion else {
            let got = "\(json["apiVersion"]?.string ?? "?") \(json["kind"]?.string ?? "?")"
            throw error("its output is \(got), expected \(apiVersion) ExecCredential")
        }
        guard let status = json["status"] else { throw error("its output has no status") }
        var credential = ExecCredential()
        credential.token = status["token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        switch (status["clientCertificateData"]?.string, status["clientKeyData"]?.string) {
        case (let certificate?, let key?):
            credential.identity = ClientIdentity(certificate: Array(certificate.utf8), privateKey: Array(key.utf8))
        case (nil, nil): break
        default: throw error("its output must have both clientCertificateData and clientKeyData, or none")
        }
        guard credential.token != nil || credential.identity != nil else {
            throw error("its output has neither a token nor a client certificate")
        }
        if let text = status["expirationTimestamp"]?.string {
            guard let time = KubernetesTime(text) else { throw error("expirationTimestamp \(text) is not RFC 3339") }
            credential.expiration = time
        }
        return credential
    }

    func error(_ message: String) -> ConfigurationError {
        ConfigurationError(source: origin, message: "\(command): \(message)")
    }
}
