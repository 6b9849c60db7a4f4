import APIServer
import Concurrency
import ControllerRuntime
import HTTPTransport
import HTTPTypes
import KubernetesClient
import Logging
import StructuredData

/// A controller on an API server in the same process: each Gadget gets a Deployment, which the server fills with
/// defaults, and a status.
final class GadgetOperator: Sendable {
    static let gadget = ResourceType(group: "example.com", version: "v1", kind: "Gadget", plural: "gadgets")
    static let deployment = ResourceType(group: "apps", version: "v1", kind: "Deployment", plural: "deployments")
    static let event = ResourceType(group: "events.k8s.io", version: "v1", kind: "Event", plural: "events")
    static let lease = ResourceType(
        group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases")
    static let definition = ResourceType(
        group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition",
        plural: "customresourcedefinitions", namespaced: false)

    let api: APIServer
    /// For the test itself.
    let client: KubernetesClient
    let manager: Manager
    let gadgets: Informer
    let deployments: Informer
    let controller: Controller
    /// Method and path of every request of the operator that may change something.
    let writes = Lock<[String]>([])

    init(election: LeaderElector.Options? = nil) async throws {
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        api = try await APIServer(logger: quiet)
        let configuration = ClusterConfiguration(server: "https://local")
        client = KubernetesClient(configuration: configuration, transport: api.transport(as: .admin))
        let admin = UserInfo(name: "operator", groups: ["system:masters", "system:authenticated"])
        let inner = api.transport(as: admin)
        let writes = writes
        let counting = InMemoryTransport { request in
            let path = request.url.split(separator: "?")[0].dropFirst("https://local".count)
            if request.method != .get, !path.hasSuffix("reviews"), !path.contains("/leases"), !path.contains("/events")
            {
                writes.withLock { $0.append("\(request.method.rawValue) \(path)") }
            }
            return try await inner.send(request)
        }
        let operating = KubernetesClient(configuration: configuration, transport: counting)
        manager = Manager(client: operating, options: .init(name: "gadget-operator", election: election), logger: quiet)
        var fast = Informer.Options()
        fast.reflector.firstDelay = .milliseconds(5)
        fast.reflector.longestDelay = .milliseconds(50)
        fast.probeInterval = .milliseconds(50)
        fast.isOptional = true
        gadgets = manager.informer(Self.gadget, fast)
        deployments = manager.informer(Self.deployment, fast)
        controller = manager.controller("gadget", for: gadgets) { try await Self.reconcile($0) }.owns(deployments)
    }

    private static func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let gadget = context.object else { return .done }
        guard !gadget.isBeingDeleted else {
            try await context.removeFinalizer("example.com/cleanup")
            return .done
        }
        try await context.addFinalizer("example.com/cleanup")
        let outcome = try await context.apply(deployment(for: gadget), Self.deployment)
        if case .applied = outcome { context.record(.normal, reason: "Applied", action: "Apply", "made it so") }
        try await context.updateStatus([
            "observedGeneration": JSON(gadget.generation),
            "conditions": [
                [
                    "type": "Ready", "status": "True", "reason": "AllReady", "message": "",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                ]
            ],
        ])
        return .done
    }

    private static func deployment(for gadget: KubernetesObject) -> KubernetesObject {
        var container: JSON = ["name": "main", "image": "example.com/image:1", "ports": [["containerPort": 8080]]]
        if let level = gadget.spec?["level"]?.string { container["env"] = [["name": "LEVEL", "value": JSON(level)]] }
        let labels: JSON = ["app": JSON(gadget.name)]
        return KubernetesObject([
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": [
                "name": JSON(gadget.name), "namespace": JSON(gadget.namespace ?? ""), "labels": labels,
                "ownerReferences": [gadget.controllerReference],
            ],
            "spec": [
                "replicas": gadget.spec?["replicas"] ?? 1, "selector": ["matchLabels": labels],
                "template": ["metadata": ["labels": labels], "spec": ["containers": [container]]],
            ],
        ])
    }

    // MARK: what a test does

    func installDefinition() async throws {
        let schema: JSON = [
            "type": "object",
            "properties": [
                "spec": [
                    "type": "object",
                    "properties": ["replicas": ["type": "integer"], "level": ["type": "string"]],
                ],
                "status": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
            ],
        ]
        let definition: JSON = [
            "metadata": ["name": "gadgets.example.com"],
            "spec": [
                "group": "example.com", "scope": "Namespaced",
                "names": ["plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"],
                "versions": [
                    [
                        "name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema],
                        "subresources": ["status": [:]],
                    ]
                ],
            ],
        ]
        _ = try await client.create(KubernetesObject(definition), Self.definition)
    }

    func create(_ name: String, _ spec: JSON = ["replicas": 1]) async throws {
        let gadget = KubernetesObject(["metadata": ["name": JSON(name), "namespace": "default"], "spec": spec])
        _ = try await client.create(gadget, Self.gadget)
    }

    func patch(_ type: ResourceType, _ name: String, _ change: JSON) async throws {
        let options = WriteOptions(fieldManager: "somebody")
        _ = try await client.patch(type, namespace: "default", name: name, .merge(change), options: options)
    }

    func deployment(_ name: String) async throws -> KubernetesObject? {
        try await client.getIfPresent(Self.deployment, namespace: "default", name: name)
    }

    func env(_ deployment: KubernetesObject?) -> JSON? {
        deployment?.spec?.at("template", "spec", "containers")?[0]?["env"]
    }

    /// Runs the operator while `body` does.
    func running(_ body: () async throws -> Void) async throws {
        let run = Task { try await manager.run() }
        defer { run.cancel() }
        try await body()
    }
}

struct WaitedInVain: Error, CustomStringConvertible {
    let description: String
}

/// Returns once `condition` holds, or throws after `limit`.
func eventually(
    _ what: String, limit: Duration = .seconds(90), _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now.advanced(by: limit)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw WaitedInVain(description: "waited in vain until \(what)") }
        try await Task.sleep(for: .milliseconds(10))  // processes and controllers act, and tell nobody
    }
}
