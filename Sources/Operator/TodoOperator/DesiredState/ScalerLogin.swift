internal import StructuredData
internal import TodoResources

/// How KEDA's Kafka scaler logs in: as the service whose events it counts, by the same Secrets. That service may read its
/// topics and its group, which in Kafka includes to describe them: KEDA needs no more (contracts, section 6).
struct ScalerLogin {
    /// What KEDA takes from a variable of the container, because it is in no Secret.
    struct Variable: Equatable {
        let parameter: String
        let name: String
        let value: String
    }

    /// Of each trigger.
    private(set) var metadata: [(key: String, value: String)] = []
    /// Parameter, Secret, key.
    private(set) var secrets: [(parameter: String, secret: String, key: String)] = []
    private(set) var variables: [Variable] = []
    private(set) var podIdentity: JSON?

    /// A broker that asks for nothing.
    var isEmpty: Bool { secrets.isEmpty && variables.isEmpty && podIdentity == nil }

    init(of app: TodoApp, as service: TodoApp.ServiceName) {
        let names = AppNames(app)
        guard let external = app.spec.kafka?.external else {
            // Strimzi writes a password into the Secret of a KafkaUser, and not its name.
            let user = names.service(service)
            variables = [Variable(parameter: "username", name: "KAFKA_USERNAME", value: user)]
            secrets = [("password", user, "password"), ("ca", "\(names.kafka)-cluster-ca-cert", "ca.crt")]
            metadata = [("sasl", "scram_sha512"), ("tls", "enable")]
            return
        }
        logIn(external)
        metadata.append(("tls", external.tls.mode == .enabled ? "enable" : "disable"))
        if external.tls.mode == .enabled, let ca = external.tls.caSecretRef { secrets.append(("ca", ca.name, ca.key)) }
    }

    private mutating func logIn(_ external: TodoApp.ExternalKafka) {
        let authentication = external.authentication
        let secret = authentication.secretRef?.name ?? ""
        switch authentication.type {
        case .none: break
        case .scramSHA256, .scramSHA512, .plain:
            metadata = [("sasl", authentication.type.scalerMechanism)]
            secrets = [("username", secret, "username"), ("password", secret, "password")]
        case .certificate: secrets = [("cert", secret, "tls.crt"), ("key", secret, "tls.key")]
        case .oidc:
            metadata = [("sasl", "oauthbearer")]
            secrets = [("username", secret, "clientId"), ("password", secret, "clientSecret")]
            variables = [
                Variable(
                    parameter: "oauthTokenEndpointUri", name: "KAFKA_TOKEN_ENDPOINT",
                    value: authentication.oidc?.tokenEndpoint ?? "")
            ]
            if let scopes = authentication.oidc?.scopes, !scopes.isEmpty {
                variables.append(
                    Variable(parameter: "scopes", name: "KAFKA_SCOPES", value: scopes.joined(separator: ",")))
            }
        case .awsIAM:
            metadata = [
                ("awsRegion", authentication.aws?.region ?? ""), ("sasl", "oauthbearer"),
                ("saslTokenProvider", "aws_msk_iam"),
            ]
            // Without a role of its own that of the pods, which KEDA finds at their ServiceAccount.
            podIdentity =
                authentication.aws?.roleArn.map { ["provider": "aws", "roleArn": .string($0)] }
                ?? ["identityOwner": "workload", "provider": "aws"]
        }
    }
}

extension TodoApp.KafkaLogin {
    fileprivate var scalerMechanism: String {
        switch self {
        case .scramSHA256: "scram_sha256"
        case .scramSHA512: "scram_sha512"
        default: "plaintext"
        }
    }
}
