import APIServer
import Concurrency
import ControllerRuntime
import HTTPTransport
import HTTPTypes
import KubernetesClient
import Logging
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// The operator on an API server in the same process, with a database that answers what the test says.
final class OperatorHarness: Sendable {
    static let secrets = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")
    static let services = ResourceType(group: "", version: "v1", kind: "Service", plural: "services")
    static let policies = ResourceType(
        group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", plural: "networkpolicies")
    static let user = UserInfo(name: "the-operator", groups: ["system:masters", "system:authenticated"])

    let server: APIServer
    /// A person with kubectl.
    let person: KubernetesClient
    let database = ScriptedDatabase()
    let writes = Lock<[String]>([])
    let reads = Lock<[String]>([])
    let time: any TimeSource

    init(time: any TimeSource = SystemTime(), definitions: [JSON] = CustomResourceDefinitions.all) async throws {
        self.time = time
        server = try await APIServer(logger: Logger(label: "apiserver") { _ in SwiftLogNoOpLogHandler() })
        person = Self.client(server.transport(as: .admin))
        for definition in definitions {
            _ = try await person.create(KubernetesObject(definition), CRDCheck.definitionType, namespace: nil)
        }
        _ = try await person.create(
            KubernetesObject(["metadata": ["name": "team"]]),
            ResourceType(group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false),
            namespace: nil)
    }

    private static func client(_ transport: any HTTPTransport) -> KubernetesClient {
        KubernetesClient(
            configuration: ClusterConfiguration(server: "https://in-process", source: "test"), transport: transport)
    }

    /// Runs the operator until `body` returns.
    func whileRunning<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        let task = Task { try await self.manager().run() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        task.cancel()
        _ = await task.result
        return try result.get()
    }

    func manager() -> Manager {
        let transport = server.transport(as: Self.user)
        let counted = InMemoryTransport { [writes, reads] request in
            (request.method == .get ? reads : writes).withLock { $0.append("\(request.method) \(request.url)") }
            return try await transport.send(request)
        }
        return OperatorManager.make(
            client: Self.client(counted), database: database,
            options: OperatorManager.Options(manager: Manager.Options(name: "todo-operator")), time: time,
            logger: Logger(label: "operator") { _ in SwiftLogNoOpLogHandler() })
    }

    // MARK: What the person does

    func createSecret(_ data: JSON = ["uri": "postgresql://todo:secret@db:5432/todo"]) async throws {
        _ = try await person.create(
            KubernetesObject(["metadata": ["name": "todo-db"], "stringData": data]), Self.secrets, namespace: "team")
    }

    func createApp(_ spec: JSON = ["database": ["secretRef": ["name": "todo-db"]]], name: String = "todo") async throws
    {
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

    /// Plays the Deployment controller and the kubelet: every pod is up.
    func bringUpPods() async throws {
        let deployment = try await eventually("a Deployment") {
            try await self.find(DesiredState.deploymentType, "todo-api")
        }
        let replicas = deployment.at("spec", "replicas") ?? 0
        try await patch(
            DesiredState.deploymentType, "todo-api",
            [
                "status": [
                    "observedGeneration": deployment.at("metadata", "generation") ?? 0, "replicas": replicas,
                    "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
                ]
            ], subresource: "status")
    }

    // MARK: What the person sees

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

/// A database that is as the test says.
final class ScriptedDatabase: DatabasePreparing {
    private let problem = Lock<DatabaseProblem?>(nil)
    let prepared = Lock<[String]>([])

    func fail(_ problem: DatabaseProblem?) { self.problem.withLock { $0 = problem } }

    func prepare(uri: String, tlsMode: TodoApp.TLSMode) async throws(DatabaseProblem) -> Int {
        prepared.withLock { $0.append("\(uri) \(tlsMode.rawValue)") }
        if let problem = problem.withLock({ $0 }) { throw problem }
        return 1
    }
}

struct TimedOut: Error, CustomStringConvertible { let description: String }

/// Asks `condition` again and again, until it gives a value.
func eventually<Value: Sendable>(
    _ what: String, within limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if let value = try await condition() { return value }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
    throw TimedOut(description: what)
}
