import APIServer
import Concurrency
import HTTPTransport
import HTTPTypes
import KubernetesClient
import Logging
import StructuredData
import Telemetry
import Testing
import TodoResources

@testable import ControllerRuntime
@testable import TodoOperator

private typealias Reference = ControllerRuntime.ObjectReference

/// The operator on an API server in the same process, with a database that answers what the test says.
final class OperatorHarness: Sendable {
    static let secrets = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")
    static let services = ResourceType(group: "", version: "v1", kind: "Service", plural: "services")
    static let policies = ResourceType(
        group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", plural: "networkpolicies")
    static let databaseLogin: JSON = ["uri": "postgresql://todo:secret@db:5432/todo"]
    static let externalKafka: JSON = [
        "external": ["bootstrapServers": ["kafka.example:9092"], "tls": ["mode": "Disabled"]]
    ]
    static let user = UserInfo(name: "the-operator", groups: ["system:masters", "system:authenticated"])

    let server: APIServer
    /// A person with kubectl.
    let person: KubernetesClient
    let database = ScriptedDatabase()
    let policies = ScriptedPolicies()
    let workers = ScriptedWorkers()
    let sidecars = ScriptedSidecars()
    let metrics = PrometheusRegistry()
    let writes = Lock<[String]>([])
    let reads = Lock<[String]>([])
    let logs = LogRecorder()
    let accesses: AccessLog
    let time: any TimeSource
    private let user: UserInfo
    private let configure: @Sendable (inout OperatorManager.Options) -> Void
    private let running = Lock<Manager?>(nil)
    /// The versions that the controllers have been told of.
    private let seen = Lock<[Reference: String]>([:])
    private let requests = Lock(0)

    /// - Parameter neighbours: whose kinds the cluster has, besides our own.
    init(
        time: any TimeSource = SystemTime(), definitions: [JSON] = CustomResourceDefinitions.all,
        neighbours: [ResourceType] = DesiredState.daprTypes, user: UserInfo = OperatorHarness.user,
        accesses: AccessLog = AccessLog(),
        configure: @escaping @Sendable (inout OperatorManager.Options) -> Void = { _ in }
    ) async throws {
        self.time = time
        self.user = user
        self.accesses = accesses
        self.configure = configure
        server = try await APIServer(logger: Logger(label: "apiserver") { _ in SwiftLogNoOpLogHandler() })
        person = Self.client(server.transport(as: .admin))
        for definition in definitions + neighbours.map(Self.definition) {
            _ = try await person.create(KubernetesObject(definition), CRDCheck.definitionType, namespace: nil)
        }
        _ = try await person.create(
            KubernetesObject(["metadata": ["name": "team"]]),
            ResourceType(group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false),
            namespace: nil)
    }

    /// Of a kind whose content is for its own operator to judge.
    static func definition(of type: ResourceType) -> JSON {
        [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": [
                "name": .string("\(type.plural).\(type.group)"),
                // Groups of Kubernetes' own projects ask for it.
                "annotations": ["api-approved.kubernetes.io": "unapproved, for tests"],
            ],
            "spec": [
                "group": .string(type.group), "scope": "Namespaced",
                "names": [
                    "kind": .string(type.kind), "listKind": .string("\(type.kind)List"), "plural": .string(type.plural),
                    "singular": .string(type.kind.lowercased()),
                ],
                "versions": [
                    [
                        "name": .string(type.version), "served": true, "storage": true, "subresources": ["status": [:]],
                        "schema": [
                            "openAPIV3Schema": ["type": "object", "x-kubernetes-preserve-unknown-fields": true]
                        ],
                    ]
                ],
            ],
        ]
    }

    /// A definition that lets anything through.
    static func lax(_ definition: JSON) throws -> JSON {
        let open: JSON = ["type": "object", "x-kubernetes-preserve-unknown-fields": true]
        var (lax, version) = (definition, try #require(definition.at("spec", "versions")?[0]))
        version["schema"] = ["openAPIV3Schema": ["type": "object", "properties": ["spec": open, "status": open]]]
        lax.set([version], at: "spec", "versions")
        return lax
    }

    static func client(_ transport: any HTTPTransport) -> KubernetesClient {
        KubernetesClient(
            configuration: ClusterConfiguration(server: "https://in-process", source: "test"), transport: transport)
    }

    /// Runs the operator until `body` returns.
    func whileRunning<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        let manager = manager()
        let task = Task { try await manager.run() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body()) } catch {
            Issue.record("the operator's log ends with\n\(logs.lines.suffix(20).joined(separator: "\n"))")
            result = .failure(error)
        }
        task.cancel()
        _ = await task.result
        return try result.get()
    }

    /// The client of the operator, whose requests are counted.
    var client: KubernetesClient {
        let transport = server.transport(as: user)
        let counted = InMemoryTransport { [writes, reads, requests, accesses] request in
            (request.method == .get ? reads : writes).withLock { $0.append("\(request.method) \(request.url)") }
            let isWatch = request.url.contains("watch=")
            if !isWatch { requests.withLock { $0 += 1 } }
            defer { if !isWatch { requests.withLock { $0 -= 1 } } }
            let response = try await transport.send(request)
            accesses.note(request, response)
            return response
        }
        return Self.client(counted)
    }

    private func manager() -> Manager {
        var options = OperatorManager.Options(manager: Manager.Options(name: "todo-operator"))
        options.controller.settling = .zero
        configure(&options)
        let manager = OperatorManager.make(
            client: client,
            outside: .init(
                database: database, policies: policies, workers: workers,
                sidecars: sidecars.transport(person), metrics: metrics), options: options,
            time: time, logger: Logger(label: "operator") { [logs] _ in logs })
        seen.withLock { $0 = [:] }
        // Called after the controller's own handlers: what is seen here has been put on the queue.
        for informer in manager.parts.withLock({ $0.informers }) {
            informer.onChange { [seen] change in
                guard let key = change.latest?.key else { return }
                seen.withLock { $0[Reference(informer.type, key)] = change.new?.resourceVersion }
            }
        }
        running.withLock { $0 = manager }
        return manager
    }

    /// Waits until the operator has been told of everything that there is and has nothing left to do.
    func settle() async throws {
        _ = try await eventually("the operator has nothing left to do") { try await self.isSettled() ? true : nil }
    }

    /// Waits until the operator has been told that the object is gone.
    func whenToldGone(_ type: ResourceType, _ name: String) async throws {
        let reference = Reference(type, namespace: "team", name: name)
        _ = try await eventually("the operator knows that \(name) is gone") {
            seen.withLock { $0[reference] } == nil ? true : nil
        }
    }

    private func isSettled() async throws -> Bool {
        guard let manager = running.withLock({ $0 }) else { return false }
        var current: [Reference: String] = [:]
        for informer in manager.parts.withLock({ $0.informers }) where informer.status.isAvailable {
            // Whether the server has it is not known yet.
            if informer.status == .starting { return false }
            let options = ListOptions(labelSelector: informer.options.labelSelector)
            for object in try await person.list(informer.type, namespace: "team", options: options).items {
                current[Reference(informer.type, ObjectKey(object))] = object.resourceVersion
            }
        }
        guard seen.withLock({ $0 }) == current else { return false }
        return manager.parts.withLock { $0.controllers }.allSatisfy(\.isIdle) && requests.withLock { $0 } == 0
    }

    /// Waits until no controller has anything to do, at most for two seconds.
    func rest() async throws {
        let end = ContinuousClock.now + .seconds(2)
        while let manager = running.withLock({ $0 }), ContinuousClock.now < end,
            !manager.parts.withLock({ $0.controllers }).allSatisfy(\.isIdle)
        {
            try await Task.sleep(for: .milliseconds(10))  // a controller tells nobody when its passes are over
        }
    }

    /// Turns the clock, lets everything that wakes act, and waits until it has nothing left to do.
    func pass(_ duration: Duration, on time: ManualTime) async throws {
        // Requests under way have deadlines, too, and nobody sleeps on when they are answered.
        try await settle()
        let sleepers = time.sleepers
        time.advance(by: duration)
        // Who woke sleeps again, if there is more to come.
        _ = try? await SystemTime().run(until: .now + .seconds(2)) { try await time.whenSleeping(sleepers) }
        try await settle()
    }

    // MARK: What the person does

    /// An app whose Secret is there.
    func install(_ secret: JSON = OperatorHarness.databaseLogin) async throws {
        try await createSecret(secret)
        try await createApp()
    }

    /// An app that is ready.
    func bringUp(_ secret: JSON = OperatorHarness.databaseLogin) async throws {
        try await install(secret)
        try await bringUpPods()
        try await whenReason(.allReady)
    }

    func createSecret(_ data: JSON = OperatorHarness.databaseLogin) async throws {
        _ = try await person.create(
            KubernetesObject(["metadata": ["name": "todo-db"], "stringData": data]), Self.secrets, namespace: "team")
    }

    /// An app that names no Kafka uses one that others run.
    func createApp(_ spec: JSON = ["database": ["secretRef": ["name": "todo-db"]]], name: String = "todo") async throws
    {
        var spec = spec
        if spec["kafka"] == nil { spec["kafka"] = Self.externalKafka }
        _ = try await person.create(
            KubernetesObject([
                "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp", "metadata": ["name": .string(name)],
                "spec": spec,
            ]), TodoGroup.todoApp, namespace: "team")
    }

    func patch(_ type: ResourceType, _ name: String, _ patch: JSON, subresource: String? = nil) async throws {
        _ = try await person.patch(
            type, namespace: "team", name: name, .merge(patch), subresource: subresource, options: WriteOptions())
    }

    /// Writes some keys of a Secret that is there.
    func rewrite(_ secret: String, _ data: JSON) async throws {
        try await patch(Self.secrets, secret, ["stringData": data])
    }

    func delete(_ type: ResourceType, _ name: String) async throws {
        try await person.delete(type, namespace: "team", name: name)
    }

    /// Plays the Deployment controller and the kubelet: every pod of every service is up.
    func bringUpPods(
        of services: [TodoApp.ServiceName] = AppStatusRulesTests.services, app: String = "todo"
    ) async throws {
        for service in services { try await bringUpPods(of: "\(app)-\(service.rawValue)") }
    }

    private func bringUpPods(of name: String) async throws {
        let deployment = try await eventually("a Deployment") { try await self.find(DesiredState.deploymentType, name) }
        try await sidecars.bringUpPod(of: deployment, by: person)
        let replicas = deployment.at("spec", "replicas") ?? 0
        try await patch(
            DesiredState.deploymentType, name,
            [
                "status": [
                    "observedGeneration": deployment.at("metadata", "generation") ?? 0, "replicas": replicas,
                    "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
                ]
            ], subresource: "status")
    }

    // MARK: What the person sees

    /// Waits until the Deployment has so many again.
    func whenReplicas(_ count: JSON, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        _ = try await eventually("\(count) replicas", sourceLocation: sourceLocation) {
            try await self.find(DesiredState.deploymentType, "todo-api")?.at("spec", "replicas") == count ? true : nil
        }
    }

    func find(_ type: ResourceType, _ name: String) async throws -> JSON? {
        try await person.getIfPresent(type, namespace: "team", name: name)?.json
    }

    func condition(_ type: ConditionType, app: String = "todo") async throws -> JSON? {
        try await find(TodoGroup.todoApp, app)?.at("status", "conditions")?.array?
            .first { $0["type"]?.string == type.rawValue }
    }

    /// Waits until the condition has this reason, and gives it.
    @discardableResult
    func whenReason(
        _ reason: ConditionReason, of type: ConditionType = .ready, app: String = "todo",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        try await eventually("\(type.rawValue) is \(reason.rawValue)", sourceLocation: sourceLocation) {
            let condition = try await self.condition(type, app: app)
            return condition?["reason"]?.string == reason.rawValue ? condition : nil
        }
    }
}

/// Keeps what is logged, as "level message".
struct LogRecorder: LogHandler {
    private let recorded = Lock<[String]>([])
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    var lines: [String] { recorded.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { recorded.withLock { $0.append("\(event.level) \(event.message) \(metadata)") } }

    /// What asks for a person's attention.
    var complaints: [String] { lines.filter { $0.hasPrefix("error") || $0.hasPrefix("warning") } }
}

struct TimedOut: Error, CustomStringConvertible { let description: String }

/// Asks `condition` again and again, until it gives a value; half of the time at most, for tests that wait take the
/// processors from what they wait for.
func eventually<Value: Sendable>(
    _ what: String, within limit: Duration = .seconds(180), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        let asked = ContinuousClock.now
        if let value = try await condition() { return value }
        try await Task.sleep(for: max(.milliseconds(10), ContinuousClock.now - asked))
    }
    Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
    throw TimedOut(description: what)
}
