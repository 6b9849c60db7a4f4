public import TodoResources

/// The names and labels of the objects that are made for one `TodoApp`.
public struct AppNames: Sendable {
    public let app: String
    public let namespace: String
    private let inheritedLabels: [String: String]
    /// `spec.secretRotation`: what the names of Secrets that rotate end in. So a pod finds what it was started with for as
    /// long as it is there, whatever others have got since.
    public let rotation: String?

    public init(_ app: TodoApp) {
        self.app = app.metadata.name
        namespace = app.metadata.namespace
        inheritedLabels = app.inheritedLabels
        rotation = app.spec.secretRotation
    }

    public init(app: String, namespace: String, rotation: String? = nil) {
        self.app = app
        self.namespace = namespace
        inheritedLabels = [:]
        self.rotation = rotation
    }

    /// The objects of a service are named after it: `todo-api`. It is its Dapr app id too.
    public func service(_ service: TodoApp.ServiceName) -> String { "\(app)-\(service.rawValue)" }

    /// Where the others of the installation reach it.
    public func url(of service: TodoApp.ServiceName) -> String {
        "http://\(self.service(service)).\(namespace).svc:\(DesiredState.port)"
    }

    /// The Secret with the key `token` that callers of the HTTP API present.
    public var apiTokenSecret: String { rotating("api-token") }

    /// The Secret with the key `token` by which service and Dapr sidecar know each other, both ways.
    public var daprTokenSecret: String { rotating("dapr-token") }

    /// The Secret with the keys of the audit log: `signingKey` (Ed25519 seed) and `masterKey` (AES-256), each 32 bytes in
    /// base64. Whoever loses it can neither read the log nor go on with it.
    public var auditKeySecret: String { "\(app)-audit-keys" }

    /// The Secret with the key `key` by which the links in messages are signed: 32 bytes in base64.
    public var linkKeySecret: String { rotating("link-key") }

    private func rotating(_ name: String) -> String { "\(app)-\(name)" + (rotation.map { "-\($0)" } ?? "") }

    /// The Kafka of its own, and what the names of its node pools begin with.
    public var kafka: String { app }

    /// The address that Strimzi gives its internal listener.
    var bootstrapServer: String { "\(kafka)-kafka-bootstrap.\(namespace).svc:\(KafkaObjects.port)" }

    /// The KafkaTopic of a topic of its own Kafka.
    func kafkaTopic(_ topic: String) -> String { "\(app)-\(topic)" }

    /// The Dapr Component by which a service publishes and is brought events.
    func pubsub(_ service: TodoApp.ServiceName) -> String { "\(self.service(service))-pubsub" }

    /// The Dapr Component that calls a service once a day.
    func daily(_ service: TodoApp.ServiceName) -> String { "\(self.service(service))-daily" }

    /// The Dapr Resiliency that says how often an event comes again.
    var delivery: String { "\(app)-delivery" }

    /// The Dapr Configuration of all sidecars.
    var daprConfiguration: String { "\(app)-dapr" }

    /// What selects the pods of a service; immutable in a Deployment, so it never grows.
    public func selector(_ service: TodoApp.ServiceName) -> [String: String] {
        [Label.instance: app, Label.component: service.rawValue, Label.name: "todo"]
    }

    public func labels(_ service: TodoApp.ServiceName) -> [String: String] { labels(component: service.rawValue) }

    func labels(component: String) -> [String: String] {
        let own = [
            Label.instance: app, Label.component: component, Label.name: "todo", Label.managedBy: Label.operatorName,
            Label.partOf: "todo",
        ]
        return own.merging(inheritedLabels) { own, _ in own }
    }
}

/// Label and annotation keys (the recommended ones of Kubernetes, and ours).
public enum Label {
    public static let operatorName = "todo-operator"
    public static let name = "app.kubernetes.io/name"
    public static let instance = "app.kubernetes.io/instance"
    public static let component = "app.kubernetes.io/component"
    public static let managedBy = "app.kubernetes.io/managed-by"
    public static let partOf = "app.kubernetes.io/part-of"
    /// On a KafkaTopic: the KafkaTopicBinding that it is made for.
    public static let binding = "todo-operator.dev/binding"
    /// On a Deployment: who sets its number of pods, where the spec does not.
    public static let replicas = "todo-operator.dev/replicas"
    static let byAutoscaler = "autoscaler"
    /// An annotation on what outlives its TodoApp: the uid of the TodoApp, in place of an owner reference, by which
    /// Kubernetes would delete it.
    public static let appUID = "todo-operator.dev/app-uid"
    /// On the pod template: changes when a Secret that the pods read changes, so that they are rolled.
    public static let secretChecksum = "todo-operator.dev/secret-checksum"
    /// On a Deployment: the `spec.secretRotation` that its pods have.
    public static let secretRotation = "todo-operator.dev/secret-rotation"
    /// On a Deployment: the digest of the pod template that it was last given; see `RolloutLine`.
    public static let templateDigest = "todo-operator.dev/template-digest"
}
