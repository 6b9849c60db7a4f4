public import StructuredData

extension TodoApp {
    /// What people say of the pods of a service, in the shape that Kubernetes gives it: it is passed on as it is.
    public struct PodSettings: Sendable, Equatable, Codable {
        public var env: [JSON]?
        public var nodeSelector: [String: String]?
        public var tolerations: [JSON]?
        public var affinity: JSON?
        public var priorityClassName: String?
        public var podAnnotations: [String: String]?
        public var podLabels: [String: String]?

        public init() {}

        /// The Secrets that `env` reads: the keys of each, by its name.
        public var secretKeys: [String: [String]] {
            let references = (env ?? []).compactMap { $0.at("valueFrom", "secretKeyRef") }
            return Dictionary(grouping: references) { $0["name"]?.string ?? "" }
                .mapValues { $0.compactMap { $0["key"]?.string }.sorted() }
        }
    }

    /// The names that `env` cannot have: the operator sets these, and Dapr the last three.
    public static let reservedVariables = [
        "APP_API_TOKEN", "BIN_DAYS", "DAPR_API_TOKEN", "DATABASE_DIRECT_URI", "DATABASE_TLS_MODE", "DATABASE_URI",
        "KAFKA_SCOPES", "KAFKA_TOKEN_ENDPOINT", "KAFKA_USERNAME", "OIDC_AUDIENCE", "OIDC_CA", "OIDC_ISSUER",
        "POOL_SIZE", "PORT", "PUBSUB_NAME", "SIGN_UP", "TODO_ALLOWED_ORIGINS", "TODO_API_TOKEN",
        "TODO_API_TOKEN_PREVIOUS", "TODO_API_URL", "TODO_AUDIT_KEY", "TODO_AUDIT_RETENTION_DAYS",
        "TODO_AUDIT_SIGNING_KEY", "TODO_AUDIT_URL", "TODO_LINK_KEY", "TODO_LINK_KEY_PREVIOUS", "TODO_NOTIFICATION_URL",
        "TODO_PUBLIC_URL", "TODO_REALTIME_URL", "TODO_SMTP_FROM", "TODO_SMTP_HOST", "TODO_SMTP_PASSWORD",
        "TODO_SMTP_PORT", "TODO_SMTP_TLS", "TODO_SMTP_USERNAME", "TODO_WEBHOOK_ALLOW", "TOPIC_PREFIX",
        "APP_PROTOCOL", "DAPR_GRPC_PORT", "DAPR_HTTP_PORT",
    ]
}

// The settings stand beside the other fields of a service, not in one of their own.
extension TodoApp.Service {
    private enum Field: CodingKey { case replicas, resources, autoscaling }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Field.self)
        replicas = try fields.decode(Int.self, forKey: .replicas)
        resources = try fields.decodeIfPresent(TodoApp.Resources.self, forKey: .resources)
        autoscaling = try fields.decodeIfPresent(TodoApp.Autoscaling.self, forKey: .autoscaling)
        pod = try TodoApp.PodSettings(from: decoder)
    }

    public func encode(to encoder: any Encoder) throws {
        try pod.encode(to: encoder)
        var fields = encoder.container(keyedBy: Field.self)
        try fields.encode(replicas, forKey: .replicas)
        try fields.encodeIfPresent(resources, forKey: .resources)
        try fields.encodeIfPresent(autoscaling, forKey: .autoscaling)
    }
}

extension TodoApp.Workers {
    private enum Field: CodingKey { case placement, replicas, resources }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Field.self)
        placement = try fields.decode(TodoApp.WorkerPlacement.self, forKey: .placement)
        replicas = try fields.decode(Int.self, forKey: .replicas)
        resources = try fields.decodeIfPresent(TodoApp.Resources.self, forKey: .resources)
        pod = try TodoApp.PodSettings(from: decoder)
    }

    public func encode(to encoder: any Encoder) throws {
        try pod.encode(to: encoder)
        var fields = encoder.container(keyedBy: Field.self)
        try fields.encode(placement, forKey: .placement)
        try fields.encode(replicas, forKey: .replicas)
        try fields.encodeIfPresent(resources, forKey: .resources)
    }
}
