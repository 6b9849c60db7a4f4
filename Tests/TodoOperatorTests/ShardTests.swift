import APIServer
import Concurrency
import ControllerRuntime
import HTTPTransport
import KubernetesClient
import Logging
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// Two operators that share the apps of a cluster by their label `shard`: that of the harness has `a`.
@Suite(.timeLimit(.minutes(10))) struct ShardTests {
    /// The operator of `b`.
    private final class Other: Sendable {
        let policies = ScriptedPolicies()
        let workers = ScriptedWorkers()
        let manager: Manager

        init(_ cluster: OperatorHarness) {
            let user = UserInfo(name: "the-other", groups: ["system:masters", "system:authenticated"])
            var options = OperatorManager.Options(manager: Manager.Options(name: "todo-operator"))
            options.appSelector = "shard=b"
            manager = OperatorManager.make(
                client: OperatorHarness.client(cluster.server.transport(as: user)),
                outside: .init(database: ScriptedDatabase(), policies: policies, workers: workers), options: options,
                logger: Logger(label: "other") { _ in SwiftLogNoOpLogHandler() })
        }
    }

    private static func withTwo(_ body: (OperatorHarness, Other) async throws -> Void) async throws {
        let cluster = try await OperatorHarness { $0.appSelector = "shard=a" }
        let other = Other(cluster)
        let running = Task { try await other.manager.run() }
        try await cluster.createSecret()
        try await cluster.whileRunning { try await body(cluster, other) }
        running.cancel()
        _ = await running.result
    }

    private static func create(_ name: String, in shard: String, _ cluster: OperatorHarness) async throws {
        _ = try await cluster.person.create(
            KubernetesObject([
                "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp",
                "metadata": ["name": .string(name), "labels": ["shard": .string(shard)]],
                "spec": ["database": ["secretRef": ["name": "todo-db"]], "kafka": OperatorHarness.externalKafka],
            ]), TodoGroup.todoApp, namespace: "team")
    }

    private static func key(_ app: String) -> ObjectKey { ObjectKey(namespace: "team", name: app) }

    @Test func eachLooksAfterItsOwnAppsAlone() async throws {
        try await Self.withTwo { cluster, other in
            try await Self.create("todo", in: "a", cluster)
            try await Self.create("second", in: "b", cluster)
            for app in ["todo", "second"] { try await cluster.whenReason(.rollingOut, app: app) }
            try await cluster.settle()
            #expect(cluster.workers.databases.withLock { Array($0.keys) } == [Self.key("todo")])
            #expect(other.workers.databases.withLock { Array($0.keys) } == [Self.key("second")])
            #expect(cluster.writes.withLock { $0.filter { $0.contains("/second") } } == [])
            // Of an app that nobody looks after nothing is made.
            try await Self.create("third", in: "c", cluster)
            try await cluster.settle()
            #expect(try await cluster.find(TodoGroup.todoApp, "third")?.at("status", "conditions") == nil)
        }
    }

    @Test func anAppIsHandedOverWithItsScheduleAndItsBindingWhenItsLabelChanges() async throws {
        try await Self.withTwo { cluster, other in
            try await Self.create("todo", in: "a", cluster)
            try await cluster.createSchedule(ReminderScheduleReconcilerTests.spec)
            _ = try await cluster.person.create(
                KubernetesObject([
                    "apiVersion": "todo-operator.dev/v1alpha1", "kind": "KafkaTopicBinding",
                    "metadata": ["name": "more"],
                    "spec": ["appRef": ["name": "todo"], "topic": "more", "partitions": 1],
                ]), TodoGroup.kafkaTopicBinding, namespace: "team")
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            try await cluster.whenSchedule(.scheduled)
            #expect(other.policies.kept.withLock { $0.isEmpty })

            try await cluster.patch(TodoGroup.todoApp, "todo", ["metadata": ["labels": ["shard": "b"]]])
            _ = try await eventually("its workers end in the one") {
                cluster.workers.databases.withLock { $0.isEmpty } ? true : nil
            }
            _ = try await eventually("and begin in the other") {
                other.workers.databases.withLock { $0[Self.key("todo")] } == nil ? nil : true
            }
            _ = try await eventually("the schedule moves") {
                other.policies.kept.withLock { $0.isEmpty } ? nil : true
            }
            try await cluster.settle()
            let before = cluster.writes.withLock { $0.count }
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["services": ["api": ["replicas": 5]]]])
            try await cluster.whenReplicas(5)
            try await cluster.patch(TodoGroup.kafkaTopicBinding, "more", ["spec": ["partitions": 2]])
            _ = try await eventually("the binding is looked at") {
                try await cluster.find(TodoGroup.kafkaTopicBinding, "more")?
                    .at("status", "observedGeneration") == 2 ? true : nil
            }
            try await cluster.delete(TodoGroup.reminderSchedule, "important")
            try await cluster.whenGone(TodoGroup.reminderSchedule, "important")
            #expect(other.policies.kept.withLock { $0.isEmpty }, "its policy goes with it")
            try await cluster.settle()
            #expect(cluster.writes.withLock { Array($0.dropFirst(before)) } == [], "the one that it left writes")
        }
    }

    /// The cache never shows that write: the app is no longer selected by then.
    @Test func anAppThatLeavesWhileItsStatusIsWrittenIsLetGoAtOnce() async throws {
        try await Self.withTwo { cluster, _ in
            try await Self.create("todo", in: "a", cluster)
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            try await cluster.settle()
            func statusWrites() -> Int { cluster.writes.withLock { $0.filter { $0.contains("todo/status") }.count } }
            let before = statusWrites()
            cluster.server.faults.add(
                .delay(.seconds(1)),
                for: .init(
                    verbs: ["patch"], resource: "todoapps", subresource: "status", user: OperatorHarness.user.name))
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["services": ["api": ["replicas": 5]]]])
            _ = try await eventually("its status is being written") { statusWrites() > before ? true : nil }
            try await cluster.patch(TodoGroup.todoApp, "todo", ["metadata": ["labels": ["shard": "b"]]])
            _ = try await eventually("its workers end", within: .seconds(25)) {
                cluster.workers.databases.withLock { $0.isEmpty } ? true : nil
            }
        }
    }
}
