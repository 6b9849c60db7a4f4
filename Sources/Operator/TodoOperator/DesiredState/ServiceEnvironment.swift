internal import StructuredData
internal import TodoResources

/// The environment variables of a service's container.
struct ServiceEnvironment {
    private let context: ServiceContext

    init(_ context: ServiceContext) { self.context = context }

    private var app: TodoApp { context.app }
    private var names: AppNames { context.names }

    var variables: [JSON] {
        (context.usesDatabase ? database : []) + [value("PORT", "\(DesiredState.port)")]
            + (context.isCalled ? sidecar : []) + own + scaler + (context.spec.pod.env ?? [])
    }

    /// What KEDA reads here; the service does not.
    private var scaler: [JSON] {
        guard context.spec.autoscaling?.kafkaLag != nil else { return [] }
        return ScalerLogin(of: app, as: context.name).variables.map { value($0.name, $0.value) }
    }

    private var database: [JSON] {
        let database = app.spec.database
        var variables = [secret("DATABASE_URI", database.secretRef.name, "uri")]
        if context.inputs.hasDirectURI {
            variables.append(secret("DATABASE_DIRECT_URI", database.secretRef.name, "directUri"))
        }
        return variables + [
            value("DATABASE_TLS_MODE", database.tlsMode.sslMode), value("POOL_SIZE", "\(database.poolSize)"),
        ]
    }

    private var sidecar: [JSON] {
        [
            secret("APP_API_TOKEN", names.daprTokenSecret, "token"),
            secret("DAPR_API_TOKEN", names.daprTokenSecret, "token"),
        ]
    }

    private var own: [JSON] {
        switch context.name {
        case .api:
            [
                value("SIGN_UP", app.spec.auth.signUp == .open ? "open" : "closed"),
                secret("TODO_API_TOKEN", names.apiTokenSecret, "token"),
            ] + previous("TODO_API_TOKEN_PREVIOUS", names.apiTokenSecret, "previousToken") + [
                value("TODO_AUDIT_URL", names.url(of: .audit)),
                value("TODO_NOTIFICATION_URL", names.url(of: .notification)),
                value("TODO_REALTIME_URL", names.url(of: .realtime)),
                value("PUBSUB_NAME", names.pubsub(.api)),
            ] + (app.topicPrefix.isEmpty ? [] : [value("TOPIC_PREFIX", app.topicPrefix)]) + identityProvider
                + days("BIN_DAYS", app.spec.retention.binDays, unless: 30)
        case .audit:
            [
                api, secret("TODO_AUDIT_KEY", names.auditKeySecret, "masterKey"),
                secret("TODO_AUDIT_SIGNING_KEY", names.auditKeySecret, "signingKey"),
            ] + days("TODO_AUDIT_RETENTION_DAYS", app.spec.retention.auditDays, unless: 400)
        case .notification:
            [api, secret("TODO_LINK_KEY", names.linkKeySecret, "key")]
                + previous("TODO_LINK_KEY_PREVIOUS", names.linkKeySecret, "previousKey") + links + webhooks + mail
        case .realtime: [api] + origins
        case .workers: []
        }
    }

    private var api: JSON { value("TODO_API_URL", names.url(of: .api)) }

    private var links: [JSON] { [value("TODO_PUBLIC_URL", app.spec.web.address ?? names.url(of: .api))] }

    /// Of the page, whatever the edge makes of the header Host.
    private var origins: [JSON] {
        guard app.spec.web.host != nil, let address = app.spec.web.address else { return [] }
        return [value("TODO_ALLOWED_ORIGINS", address)]
    }

    private var identityProvider: [JSON] {
        guard let provider = app.spec.auth.oidc else { return [] }
        return [value("OIDC_ISSUER", provider.issuer), value("OIDC_AUDIENCE", provider.audience)]
            + (provider.caSecretRef.map { [secret("OIDC_CA", $0.name, $0.key)] } ?? [])
    }

    private var webhooks: [JSON] {
        let networks = app.spec.notifications.webhooks.allowedNetworks ?? []
        return networks.isEmpty ? [] : [value("TODO_WEBHOOK_ALLOW", networks.joined(separator: ","))]
    }

    private var mail: [JSON] {
        guard let email = app.spec.notifications.email else { return [] }
        let port = email.port.map { [value("TODO_SMTP_PORT", "\($0)")] } ?? []
        let server =
            [value("TODO_SMTP_HOST", email.host)] + port + [
                value("TODO_SMTP_TLS", email.tls.variable), value("TODO_SMTP_FROM", email.from),
            ]
        guard let login = email.secretRef?.name else { return server }
        return server + [
            secret("TODO_SMTP_USERNAME", login, "username"), secret("TODO_SMTP_PASSWORD", login, "password"),
        ]
    }

    /// What is the service's default is left to it, so that its pods stay as they were.
    private func days(_ name: String, _ days: Int, unless usual: Int) -> [JSON] {
        days == usual ? [] : [value(name, "\(days)")]
    }

    /// What was taken before the last rotation; the first Secret has none.
    private func previous(_ name: String, _ secret: String, _ key: String) -> [JSON] {
        guard names.rotation != nil else { return [] }
        return [
            [
                "name": .string(name),
                "valueFrom": ["secretKeyRef": ["key": .string(key), "name": .string(secret), "optional": true]],
            ]
        ]
    }

    private func value(_ name: String, _ value: String) -> JSON { ["name": .string(name), "value": .string(value)] }

    private func secret(_ name: String, _ secret: String, _ key: String) -> JSON {
        ["name": .string(name), "valueFrom": ["secretKeyRef": ["key": .string(key), "name": .string(secret)]]]
    }
}

extension TodoApp.MailTLS {
    /// The word in the service's environment.
    fileprivate var variable: String {
        switch self {
        case .startTLS: "starttls"
        case .implicit: "implicit"
        case .none: "none"
        }
    }
}
