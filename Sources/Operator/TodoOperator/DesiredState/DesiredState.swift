public import KubernetesClient
public import StructuredData
public import TodoResources

/// What desired state depends on besides the resource itself.
public struct DesiredStateInputs: Sendable, Equatable {
    /// Digest of the Secrets that the pods read; empty when not known (`todo render`).
    public var secretChecksum: String
    /// The TCP ports of the database, which the pods must reach.
    public var databasePorts: [Int]
    /// Whether the Secret has the key `directUri`.
    public var hasDirectURI: Bool

    public init(secretChecksum: String = "", databasePorts: [Int] = [5432], hasDirectURI: Bool = false) {
        self.secretChecksum = secretChecksum
        self.databasePorts = databasePorts
        self.hasDirectURI = hasDirectURI
    }
}

/// The objects that a `TodoApp` needs: a pure function of the resource and the inputs.
public enum DesiredState {
    /// Of every service's pods and of its Service.
    public static let port = 8080

    /// In the order in which they are applied: the pods come last.
    public static func children(of app: TodoApp, inputs: DesiredStateInputs) -> [JSON] {
        let services = app.services.map { ServiceContext($0, of: app, inputs: inputs) }
        return services.flatMap(\.surroundings) + services.map(\.deployment)
    }

    /// The kinds of `children`, for watches, for pruning and for RBAC.
    public static let childTypes: [ResourceType] = [
        ResourceType(group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts"),
        ResourceType(group: "", version: "v1", kind: "Service", plural: "services"),
        ResourceType(
            group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", plural: "networkpolicies"),
        ResourceType(group: "policy", version: "v1", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets"),
        deploymentType,
    ]

    static let deploymentType = ResourceType(group: "apps", version: "v1", kind: "Deployment", plural: "deployments")

    static func type(of child: KubernetesObject) -> ResourceType? {
        childTypes.first { $0.kind == child.kind && $0.apiVersion == child.apiVersion }
    }

    /// Metadata of a child: name (that of the service unless another is given), labels, and the owner that deletion
    /// follows.
    static func metadata(_ service: TodoApp.ServiceName, of app: TodoApp, name: String? = nil) -> JSON {
        let names = AppNames(app)
        var metadata: JSON = [
            "labels": JSON(names.labels(service)), "name": .string(name ?? names.service(service)),
            "namespace": .string(names.namespace),
        ]
        if let owner = ownerReference(to: app) { metadata["ownerReferences"] = [owner] }
        return metadata
    }

    /// Nil when the resource has no uid yet (`todo render`).
    static func ownerReference(to app: TodoApp) -> JSON? {
        app.metadata.uid.map { uid in
            [
                "apiVersion": .string(TodoGroup.todoApp.apiVersion), "blockOwnerDeletion": true, "controller": true,
                "kind": .string(TodoGroup.todoApp.kind), "name": .string(app.metadata.name), "uid": .string(uid),
            ]
        }
    }
}

/// One service of an app, and all that its objects depend on.
struct ServiceContext {
    let name: TodoApp.ServiceName
    let app: TodoApp
    let inputs: DesiredStateInputs
    let names: AppNames

    init(_ name: TodoApp.ServiceName, of app: TodoApp, inputs: DesiredStateInputs) {
        self.name = name
        self.app = app
        self.inputs = inputs
        names = AppNames(app)
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
