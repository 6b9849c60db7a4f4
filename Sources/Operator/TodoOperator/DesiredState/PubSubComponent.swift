internal import StructuredData
internal import TodoResources

/// The Dapr Component by which one service reaches the Kafka (`pubsub.kafka`; contracts, section 4). Each service has its
/// own: a Component has one login, and each service one with just its rights.
struct PubSubComponent {
    let access: EventAccess
    let app: TodoApp
    let bootstrapServers: [String]

    var object: JSON {
        let names = AppNames(app)
        return [
            "apiVersion": "dapr.io/v1alpha1",
            "auth": ["secretStore": "kubernetes"],
            "kind": "Component",
            "metadata": DesiredState.metadata(access.service, of: app, name: names.pubsub(access.service)),
            "scopes": [.string(names.service(access.service))],
            "spec": ["initTimeout": "30s", "metadata": .array(values), "type": "pubsub.kafka", "version": "v1"],
        ]
    }

    /// What of it Dapr reads from Secrets: `secretKeyRef`s.
    var secretReferences: [JSON] { login.compactMap { $0["secretKeyRef"] } }

    private var values: [JSON] {
        let topics = (access.reads + access.writes).joined(separator: ",")
        return [
            Self.value("brokers", bootstrapServers.joined(separator: ",")),
            Self.value("allowedTopics", topics),
        ] + group + login + quirks
    }

    /// A group that is new begins with the first event there is; a pod that sees all events, with the next one.
    private var group: [JSON] {
        guard let group = access.group else { return [] }
        return [
            Self.value("consumerGroup", group.isPrefix ? "\(group.name){podName}" : group.name),
            Self.value("initialOffset", group.isPrefix ? "newest" : "oldest"),
        ]
    }

    private var login: [JSON] {
        guard let external = app.spec.kafka?.external else {
            let names = AppNames(app)
            return [
                Self.value("authType", "password"), Self.value("saslMechanism", "SHA-512"),
                Self.value("saslUsername", names.service(access.service)),
                // Strimzi's User Operator writes it, and the cluster's CA beside it.
                Self.secret("saslPassword", names.service(access.service), "password"),
                Self.secret("caCert", "\(names.kafka)-cluster-ca-cert", "ca.crt"),
            ]
        }
        let ca = external.tls.caSecretRef.map { Self.secret("caCert", $0.name, $0.key) }
        return external.login + (external.tls.mode == .enabled ? [ca].compactMap(\.self) : [])
    }

    /// What a provider needs beyond Kafka's own defaults (contracts, section 8).
    private var quirks: [JSON] {
        let version = Self.value("version", Self.protocolVersion(of: app))
        guard app.spec.kafka?.external?.provider == .eventHubs else { return [version] }
        return [
            version, Self.value("sessionTimeout", "30s"),
            // Idle connections are cut after 240 s.
            Self.value("clientConnectionTopicMetadataRefreshInterval", "3m"),
            Self.value("maxMessageBytes", "1046528"),
        ]
    }

    /// In exactly three parts.
    static func protocolVersion(of app: TodoApp) -> String {
        app.spec.kafka?.external?.provider == .eventHubs ? "1.0.0" : "3.9.0"
    }

    static func value(_ name: String, _ value: String) -> JSON { ["name": .string(name), "value": .string(value)] }

    static func secret(_ name: String, _ secret: String, _ key: String) -> JSON {
        ["name": .string(name), "secretKeyRef": ["key": .string(key), "name": .string(secret)]]
    }
}

extension TodoApp.ExternalKafka {
    fileprivate var login: [JSON] {
        typealias Component = PubSubComponent
        let secret = authentication.secretRef?.name ?? ""
        func password(_ mechanism: String) -> [JSON] {
            [
                Component.value("authType", "password"), Component.value("saslMechanism", mechanism),
                Component.secret("saslUsername", secret, "username"),
                Component.secret("saslPassword", secret, "password"),
            ] + (tls.mode == .disabled ? [Component.value("disableTls", "true")] : [])
        }
        switch authentication.type {
        case .none: return [Component.value("authType", tls.mode == .enabled ? "certificate" : "none")]
        case .scramSHA256: return password("SHA-256")
        case .scramSHA512: return password("SHA-512")
        case .plain: return password("PLAINTEXT")
        case .certificate:
            return [
                Component.value("authType", "mtls"), Component.secret("clientCert", secret, "tls.crt"),
                Component.secret("clientKey", secret, "tls.key"),
            ]
        case .oidc:
            let scopes = authentication.oidc?.scopes ?? []
            return [
                Component.value("authType", "oidc"),
                Component.value("oidcTokenEndpoint", authentication.oidc?.tokenEndpoint ?? ""),
                Component.secret("oidcClientID", secret, "clientId"),
                Component.secret("oidcClientSecret", secret, "clientSecret"),
            ] + (scopes.isEmpty ? [] : [Component.value("oidcScopes", scopes.joined(separator: ","))])
        case .awsIAM:
            let role = authentication.aws?.roleArn.map { [Component.value("assumeRoleArn", $0)] } ?? []
            return [
                Component.value("authType", "awsiam"), Component.value("region", authentication.aws?.region ?? ""),
            ] + role
        }
    }
}
