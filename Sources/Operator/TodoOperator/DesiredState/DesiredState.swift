public import KubernetesClient
public import StructuredData
public import TodoResources

/// What desired state depends on besides the resource itself.
public struct DesiredStateInputs: Sendable, Equatable {
    /// What the Secrets hold that the pods read; nil when not known (`todo render`).
    public var secrets: SecretContent?
    /// The TCP ports of the database, which the pods must reach.
    public var databasePorts: [Int]
    /// Whether the Secret has the key `directUri`.
    public var hasDirectURI: Bool
    /// `host:port` of some brokers of the Kafka; nil takes the address that Strimzi gives an internal listener.
    public var bootstrapServers: [String]?
    /// The KafkaTopicBindings of the app.
    public var bindings: [KafkaTopicBinding]
    /// By the KafkaTopic's name.
    var liveTopics: [String: TopicPlan.LiveTopic] = [:]

    public init(
        secrets: SecretContent? = nil, databasePorts: [Int] = [5432], hasDirectURI: Bool = false,
        bootstrapServers: [String]? = nil, bindings: [KafkaTopicBinding] = []
    ) {
        self.secrets = secrets
        self.databasePorts = databasePorts
        self.hasDirectURI = hasDirectURI
        self.bootstrapServers = bootstrapServers
        self.bindings = bindings
    }
}

/// The objects that a `TodoApp` needs: a pure function of the resource and the inputs.
public enum DesiredState {
    /// Of every service's pods and of its Service.
    public static let port = 8080

    /// In the order in which they are applied.
    public static func children(of app: TodoApp, inputs: DesiredStateInputs) -> [JSON] {
        let plan = TopicPlan(app, bindings: inputs.bindings, live: inputs.liveTopics)
        return (KafkaObjects(app, plan)?.all ?? []) + dapr(of: app, plan, inputs: inputs)
            + services(of: app, plan, inputs: inputs) + autoscalers(of: app, plan, inputs: inputs)
            + EdgeObjects(app).all
            + MonitoringObjects(app).all.map(\.object)
    }

    /// What brings the events to the services.
    static func dapr(of app: TodoApp, _ plan: TopicPlan, inputs: DesiredStateInputs) -> [JSON] {
        DaprObjects(app, plan, bootstrapServers: brokers(of: app, inputs)).all
    }

    /// What sets the number of pods, where the spec leaves it to the load.
    static func autoscalers(of app: TodoApp, _ plan: TopicPlan, inputs: DesiredStateInputs) -> [JSON] {
        Autoscalers(app, plan, bootstrapServers: brokers(of: app, inputs)).all
    }

    private static func brokers(of app: TodoApp, _ inputs: DesiredStateInputs) -> [String] {
        inputs.bootstrapServers ?? app.spec.kafka?.external?.bootstrapServers ?? [AppNames(app).bootstrapServer]
    }

    /// The services; their pods come last.
    static func services(of app: TodoApp, _ plan: TopicPlan, inputs: DesiredStateInputs) -> [JSON] {
        let services = ServiceContext.all(of: app, plan, inputs: inputs)
        return services.flatMap(\.surroundings) + services.map(\.deployment)
    }

    /// The kinds of `children`, for watches, for pruning and for RBAC.
    public static let childTypes =
        ownTypes + kafkaTypes + daprTypes + autoscalerTypes + edgeTypes + monitoringTypes

    /// Those that every app has.
    static let ownTypes: [ResourceType] = [
        ResourceType(group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts"),
        ResourceType(group: "", version: "v1", kind: "Service", plural: "services"),
        networkPolicyType,
        ResourceType(group: "policy", version: "v1", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets"),
        deploymentType,
    ]

    /// Strimzi's, which a cluster need not have (contracts, section 5).
    static let kafkaTypes = [kafkaType, nodePoolType, kafkaTopicType, kafkaUserType]

    /// What bindings have a part in. The Components say what a service may publish.
    static let bindingTypes = Set(
        kafkaDependents + daprTypes.filter { ["Component", "Subscription"].contains($0.kind) })

    /// What only a Kafka that runs can take away.
    static let kafkaDependents = [kafkaTopicType, kafkaUserType]

    /// What outlives its app where that is to be so: a Kafka with its volumes and topics. Its users are made again.
    static let keptTypes = [kafkaType, nodePoolType, kafkaTopicType]

    static let kafkaType = ResourceType(group: "kafka.strimzi.io", version: "v1", kind: "Kafka", plural: "kafkas")
    static let nodePoolType = ResourceType(
        group: "kafka.strimzi.io", version: "v1", kind: "KafkaNodePool", plural: "kafkanodepools")
    static let kafkaTopicType = ResourceType(
        group: "kafka.strimzi.io", version: "v1", kind: "KafkaTopic", plural: "kafkatopics")
    static let kafkaUserType = ResourceType(
        group: "kafka.strimzi.io", version: "v1", kind: "KafkaUser", plural: "kafkausers")

    /// Dapr's, which a cluster need not have (contracts, section 4).
    static let daprTypes = [
        ResourceType(group: "dapr.io", version: "v1alpha1", kind: "Component", plural: "components"),
        ResourceType(group: "dapr.io", version: "v1alpha1", kind: "Configuration", plural: "configurations"),
        ResourceType(group: "dapr.io", version: "v1alpha1", kind: "Resiliency", plural: "resiliencies"),
        ResourceType(group: "dapr.io", version: "v2alpha1", kind: "Subscription", plural: "subscriptions"),
    ]

    /// KEDA's, which a cluster need not have (contracts, section 6).
    static let kedaTypes = [
        ResourceType(
            group: "keda.sh", version: "v1alpha1", kind: "TriggerAuthentication", plural: "triggerauthentications"),
        scaledObjectType,
    ]

    static let scaledObjectType = ResourceType(
        group: "keda.sh", version: "v1alpha1", kind: "ScaledObject", plural: "scaledobjects")
    static let autoscalerType = ResourceType(
        group: "autoscaling", version: "v2", kind: "HorizontalPodAutoscaler", plural: "horizontalpodautoscalers")
    /// What sets the number of pods.
    static let autoscalerTypes = [autoscalerType] + kedaTypes

    static let networkPolicyType = ResourceType(
        group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", plural: "networkpolicies")
    static let deploymentType = ResourceType(group: "apps", version: "v1", kind: "Deployment", plural: "deployments")

    static func type(of child: KubernetesObject) -> ResourceType? {
        childTypes.first { $0.kind == child.kind && $0.apiVersion == child.apiVersion }
    }

    /// Metadata of a child: name (that of the service unless another is given), labels, and the owner that deletion
    /// follows.
    static func metadata(_ service: TodoApp.ServiceName, of app: TodoApp, name: String? = nil) -> JSON {
        metadata(of: app, name: name ?? AppNames(app).service(service), component: service.rawValue)
    }

    /// - Parameter component: what the object is a part of, as its label says.
    static func metadata(of app: TodoApp, name: String, component: String) -> JSON {
        let names = AppNames(app)
        var metadata: JSON = [
            "labels": JSON(names.labels(component: component)), "name": .string(name),
            "namespace": .string(names.namespace),
        ]
        if let owner = ownerReference(to: app) { metadata["ownerReferences"] = [owner] }
        return metadata
    }

    /// The same, of what stays when the app goes if its `deletionPolicy` says so. An owner reference that is taken off in
    /// time will not do: with foreground deletion, which Argo CD uses, Kubernetes deletes what is owned at once.
    static func keptMetadata(of app: TodoApp, name: String, component: String) -> JSON {
        var metadata = metadata(of: app, name: name, component: component)
        guard app.spec.deletionPolicy == .retain, let uid = app.metadata.uid else { return metadata }
        metadata["ownerReferences"] = Optional.none
        metadata.set(.string(uid), at: "annotations", Label.appUID)
        return metadata
    }

    /// Nil when the resource has no uid yet (`todo render`).
    static func ownerReference(to app: TodoApp) -> JSON? {
        app.metadata.uid.map { ownerReference(toApp: app.metadata.name, uid: $0) }
    }

    static func ownerReference(toApp name: String, uid: String) -> JSON {
        [
            "apiVersion": .string(TodoGroup.todoApp.apiVersion), "blockOwnerDeletion": true, "controller": true,
            "kind": .string(TodoGroup.todoApp.kind), "name": .string(name), "uid": .string(uid),
        ]
    }
}

/// One service of an app, and all that its objects depend on.
struct ServiceContext {
    let name: TodoApp.ServiceName
    let app: TodoApp
    let inputs: DesiredStateInputs
    /// What it does with the topics; nil for one that has nothing to do with them.
    let access: EventAccess?
    var names: AppNames { AppNames(app) }

    static func all(of app: TodoApp, _ plan: TopicPlan, inputs: DesiredStateInputs) -> [ServiceContext] {
        let access = EventAccess.all(of: app, plan)
        return app.services.map { name in
            ServiceContext(name: name, app: app, inputs: inputs, access: access.first { $0.service == name })
        }
    }

    var spec: TodoApp.Service { app[service: name] }
    var metadata: JSON { DesiredState.metadata(name, of: app) }
    var selector: JSON { ["matchLabels": JSON(names.selector(name))] }
    /// Whether its pods connect to PostgreSQL.
    var usesDatabase: Bool { name != .realtime }

    /// Whether it is called by others: by requests, and by a Dapr sidecar with events.
    var isCalled: Bool { name != .workers }

    /// Everything but the pods.
    var surroundings: [JSON] {
        [serviceAccount] + (isCalled ? [service] : [])
            + (app.spec.networkPolicy == .enabled ? [networkPolicy] : []) + [podDisruptionBudget]
    }
}
