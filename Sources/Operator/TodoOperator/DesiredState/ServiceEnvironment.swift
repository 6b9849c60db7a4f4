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
            + (context.isCalled ? sidecar : []) + own
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
                value("TODO_AUDIT_URL", names.url(of: .audit)),
                value("TODO_NOTIFICATION_URL", names.url(of: .notification)),
                value("TODO_REALTIME_URL", names.url(of: .realtime)),
                value("PUBSUB_NAME", names.pubsub(.api)),
            ] + (app.topicPrefix.isEmpty ? [] : [value("TOPIC_PREFIX", app.topicPrefix)])
        case .audit:
            [
                api, secret("TODO_AUDIT_KEY", names.auditKeySecret, "masterKey"),
                secret("TODO_AUDIT_SIGNING_KEY", names.auditKeySecret, "signingKey"),
            ]
        case .notification: [api, secret("TODO_LINK_KEY", names.linkKeySecret, "key")] + links + webhooks + mail
        case .realtime: [api]
        case .workers: []
        }
    }

    private var api: JSON { value("TODO_API_URL", names.url(of: .api)) }

    private var links: [JSON] { [value("TODO_PUBLIC_URL", app.spec.web.url ?? names.url(of: .api))] }

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
