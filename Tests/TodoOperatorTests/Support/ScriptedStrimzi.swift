import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// Plays Strimzi for the app `todo` of an `OperatorHarness`: says of its objects what the test says.
struct ScriptedStrimzi {
    let cluster: OperatorHarness

    static let ready: JSON = ["type": "Ready", "status": "True"]

    /// An app with a Kafka of its own.
    func install() async throws {
        try await cluster.createSecret()
        try await cluster.createApp(["database": ["secretRef": ["name": "todo-db"]], "kafka": ["managed": [:]]])
    }

    /// The same, until it is Ready.
    func bringUpApp() async throws {
        try await install()
        try await bringUp()
        try await cluster.bringUpPods()
        try await cluster.whenReason(.allReady)
    }

    /// Everything that Strimzi has to make is ready.
    func bringUp() async throws {
        try await bringUpKafka()
        for service in ["api", "audit", "notification", "realtime"] { try await bringUpUser("todo-\(service)") }
        for topic in ["task-events", "reminder-events", "audit-events", "dead-letters"] {
            try await say(Self.ready, of: DesiredState.kafkaTopicType, "todo-\(topic)")
        }
    }

    func bringUpKafka() async throws {
        try await createSecret("todo-cluster-ca-cert", ["ca.crt": "pem"])
        try await say(
            Self.ready, of: DesiredState.kafkaType, "todo",
            [
                "kafkaVersion": "4.3.1",
                "listeners": [["name": "scram", "bootstrapServers": "todo-kafka-bootstrap.team.svc:9093"]],
            ])
    }

    func bringUpUser(_ name: String) async throws {
        try await createSecret(name, ["password": "word"])
        try await say(Self.ready, of: DesiredState.kafkaUserType, name)
    }

    func createSecret(_ name: String, _ data: JSON) async throws {
        _ = try await cluster.person.create(
            KubernetesObject(["metadata": ["name": .string(name)], "stringData": data]), OperatorHarness.secrets,
            namespace: "team")
    }

    /// Waits for the object, and gives its present generation a condition.
    func say(_ condition: JSON, of type: ResourceType, _ name: String, _ more: JSON = [:]) async throws {
        let object = try await eventually("\(type.kind) \(name)") { try await cluster.find(type, name) }
        var status = more
        status["observedGeneration"] = object.at("metadata", "generation")
        status["conditions"] = [condition]
        try await cluster.patch(type, name, ["status": status], subresource: "status")
    }
}
