import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

@Suite(.timeLimit(.minutes(10))) struct TopicBindingTests {
    private static func binding(_ name: String, _ spec: JSON, created: String = "2026-01-01T00:00:00Z") throws
        -> KafkaTopicBinding
    {
        try KafkaTopicBinding(validating: object(name, spec, created: created))
    }

    private static func object(_ name: String, _ spec: JSON, created: String? = nil) -> JSON {
        var spec = spec
        spec["appRef"] = ["name": "todo"]
        if spec["partitions"] == nil { spec["partitions"] = 6 }
        var object: JSON = [
            "apiVersion": "todo-operator.dev/v1alpha1", "kind": "KafkaTopicBinding",
            "metadata": ["name": .string(name), "namespace": "team"], "spec": spec,
        ]
        if let created { object.set(.string(created), at: "metadata", "creationTimestamp") }
        return object
    }

    private func plan(_ bindings: [KafkaTopicBinding], live: [String: TopicPlan.LiveTopic] = [:]) throws -> TopicPlan {
        TopicPlan(try TodoApp(validating: DesiredStateTests.minimal), bindings: bindings, live: live)
    }

    // MARK: - What is made of bindings

    @Test func aBindingAddsATopicWithJustTheRightsItNames() throws {
        let plan = try plan([
            try Self.binding(
                "more",
                [
                    "topic": "more", "retention": "12h", "config": ["cleanup.policy": "compact"],
                    "publishers": ["audit"],
                    "subscribers": [
                        ["service": "notification", "route": "/a", "match": "event.type == 'x'"],
                        ["service": "notification", "route": "/b", "deadLetter": "dead-letters"],
                    ],
                ])
        ])
        let topic = try #require(plan.topics.first { $0.name == "more" })
        #expect(topic.resourceName == "todo-topic-more")
        #expect(topic.partitions == 6 && topic.replicas == 3)
        #expect(
            topic.config == [
                "retention.ms": "43200000", "cleanup.policy": "compact", "min.insync.replicas": "2",
            ])
        #expect(plan.publishers[.audit] == ["more"])
        let own = try #require(plan.subscriptions.first { $0.topic == "more" })
        #expect(own.rules.map(\.path) == ["/a"] && own.path == "/b" && own.deadLetterTopic == "dead-letters")
        let access = EventAccess.all(of: try TodoApp(validating: DesiredStateTests.minimal), plan)
        let notification = try #require(access.first { $0.service == .notification })
        #expect(notification.reads == ["reminder-events", "more"] && notification.writes == ["dead-letters"])
        #expect(access.first { $0.service == .audit }?.writes == ["dead-letters", "more"])
        #expect(access.first { $0.service == .realtime }?.writes == [])
    }

    @Test func aTopicThatIsThereIsResizedAndKeepsItsSubscribers() throws {
        let before = try plan([])
        let after = try plan([try Self.binding("big", ["topic": "task-events", "partitions": 48])])
        #expect(after.topics.first { $0.name == "task-events" }?.partitions == 48)
        #expect(after.topics.map(\.resourceName) == before.topics.map(\.resourceName))
        #expect(after.subscriptions == before.subscriptions)
    }

    @Test func ofTwoBindingsTheOlderWinsAndTheNewerSaysWhoOwnsTheTopic() throws {
        let newer = try Self.binding("a", ["topic": "x", "partitions": 9], created: "2026-01-02T00:00:00Z")
        let older = try Self.binding("b", ["topic": "x", "partitions": 3])
        let plan = try plan([newer, older])
        #expect(plan.topics.first { $0.name == "x" }?.partitions == 3)
        #expect(plan.problems["a"]?.reason == .topicTaken)
        #expect(plan.problems["a"]?.message.contains("older KafkaTopicBinding b") == true)
        #expect(plan.problems["b"] == nil)
    }

    @Test(
        arguments: [
            (["partitions": 5], ConditionReason.fewerPartitions, "spec.partitions to 12"),
            (["partitions": 12, "replicas": 1], .replicasChanged, "spec.replicas to 3"),
        ] as [(JSON, ConditionReason, String)])
    func whatKafkaCannotTakeBackStaysAsItIs(spec: JSON, reason: ConditionReason, advice: String) throws {
        var spec = spec
        spec["topic"] = "task-events"
        let live = ["todo-task-events": TopicPlan.LiveTopic(partitions: 12, replicas: 3)]
        let plan = try plan([try Self.binding("small", spec)], live: live)
        let topic = try #require(plan.topics.first { $0.name == "task-events" })
        #expect(topic.partitions == 12 && topic.replicas == 3)
        #expect(plan.problems["small"]?.reason == reason)
        #expect(plan.problems["small"]?.message.contains(advice) == true)
    }

    /// Such as when a binding that made it larger is gone, or there are more brokers than before.
    @Test func whatKafkaCannotTakeBackStaysWithoutABindingToo() throws {
        let plan = try plan([], live: ["todo-task-events": TopicPlan.LiveTopic(partitions: 24, replicas: 1)])
        let topic = try #require(plan.topics.first { $0.name == "task-events" })
        #expect(topic.partitions == 24 && topic.replicas == 1 && topic.config["min.insync.replicas"] == "1")
        #expect(plan.topics.first { $0.name == "audit-events" }?.partitions == 12)
    }

    @Test(
        arguments: [
            (["deadLetter": "nowhere"], ConditionReason.topicNotFound, "nowhere is no topic"),
            (["match": "event.type =="], .invalidMatch, "match of /r"),
        ] as [(JSON, ConditionReason, String)])
    func aSubscriberThatCannotWorkIsRefused(subscriber: JSON, reason: ConditionReason, words: String) throws {
        var subscriber = subscriber
        subscriber["service"] = "audit"
        subscriber["route"] = "/r"
        let plan = try plan([try Self.binding("b", ["topic": "x", "subscribers": [subscriber]])])
        #expect(plan.problems["b"]?.reason == reason)
        #expect(plan.problems["b"]?.message.contains(words) == true)
        #expect(!plan.subscriptions.contains { $0.topic == "x" })
    }

    @Test(
        arguments: [
            (["topic": "a b"], "spec.topic"), (["topic": "x", "partitions": 0], "spec.partitions"),
            (["topic": "x", "retention": "7 days"], "spec.retention"),
            (["topic": "x", "retention": "7d", "config": ["retention.ms": "1"]], "say the retention once"),
            (["topic": "x", "subscribers": [["service": "mail", "route": "/"]]], "spec.subscribers[0].service"),
            (
                [
                    "topic": "x",
                    "subscribers": [["service": "audit", "route": "/a"], ["service": "audit", "route": "/b"]],
                ], "one subscriber without match"
            ),
        ] as [(JSON, String)])
    func aBadSpecIsRefused(spec: JSON, problem: String) throws {
        let error = #expect(throws: InvalidResource.self) { try Self.binding("b", spec) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "accepted")")
    }

    // MARK: - In a cluster

    private func create(_ cluster: OperatorHarness, _ name: String, _ spec: JSON) async throws {
        _ = try await cluster.person.create(
            KubernetesObject(Self.object(name, spec)), TodoGroup.kafkaTopicBinding, namespace: "team")
    }

    private func reason(_ cluster: OperatorHarness, _ name: String, _ reason: ConditionReason) async throws -> JSON {
        try await eventually("\(name) is \(reason.rawValue)") {
            let conditions = try await cluster.find(TodoGroup.kafkaTopicBinding, name)?.at("status", "conditions")
            return conditions?.array?.first { $0["type"] == "Ready" && $0["reason"]?.string == reason.rawValue }
        }
    }

    @Test func aBindingGetsItsTopicAndTellsWhatBecameOfIt() async throws {
        let cluster = try await OperatorHarness(neighbours: KafkaTests.neighbours)
        let strimzi = ScriptedStrimzi(cluster: cluster)
        try await cluster.whileRunning {
            try await create(cluster, "more", ["topic": "more"])
            _ = try await reason(cluster, "more", .appNotFound)
            try await strimzi.install()
            try await strimzi.bringUp()
            try await strimzi.say(ScriptedStrimzi.ready, of: DesiredState.kafkaTopicType, "todo-topic-more")
            _ = try await reason(cluster, "more", .topicReady)
            #expect(try await cluster.find(TodoGroup.kafkaTopicBinding, "more")?.at("status", "topicName") == "more")
            try await create(cluster, "late", ["topic": "more"])
            _ = try await reason(cluster, "late", .topicTaken)
            // One bad binding stops nothing.
            try await cluster.whenReason(.kafkaRunning, of: .kafkaReady)
            // The older one goes: the topic is the newer's.
            try await cluster.patch(TodoGroup.kafkaTopicBinding, "more", ["spec": ["deletionPolicy": "Delete"]])
            try await cluster.settle()
            try await cluster.delete(TodoGroup.kafkaTopicBinding, "more")
            try await strimzi.say(ScriptedStrimzi.ready, of: DesiredState.kafkaTopicType, "todo-topic-late")
            _ = try await reason(cluster, "late", .topicReady)
        }
    }

    @Test func aTopicThatIsToStayIsLetGoBeforeItsObjectGoes() async throws {
        let cluster = try await OperatorHarness(neighbours: KafkaTests.neighbours)
        let strimzi = ScriptedStrimzi(cluster: cluster)
        try await cluster.whileRunning {
            try await strimzi.install()
            try await create(cluster, "more", ["topic": "more"])
            try await strimzi.bringUp()
            try await strimzi.say(ScriptedStrimzi.ready, of: DesiredState.kafkaTopicType, "todo-topic-more")
            _ = try await reason(cluster, "more", .topicReady)
            try await cluster.delete(TodoGroup.kafkaTopicBinding, "more")
            _ = try await eventually("Strimzi is asked to let go") {
                try await cluster.find(DesiredState.kafkaTopicType, "todo-topic-more")?.at(
                    "metadata", "annotations", "strimzi.io/managed") == "false" ? true : nil
            }
            #expect(try await cluster.find(TodoGroup.kafkaTopicBinding, "more") != nil, "it waits for that")
            try await strimzi.say(
                ["type": "Unmanaged", "status": "True"], of: DesiredState.kafkaTopicType, "todo-topic-more")
            _ = try await eventually("both are gone") {
                let topic = try await cluster.find(DesiredState.kafkaTopicType, "todo-topic-more")
                let binding = try await cluster.find(TodoGroup.kafkaTopicBinding, "more")
                return topic == nil && binding == nil ? true : nil
            }
        }
    }

    @Test func aTopicOfOthersIsTakenOverOnlyWhenAsked() async throws {
        let cluster = try await OperatorHarness(neighbours: KafkaTests.neighbours)
        let strimzi = ScriptedStrimzi(cluster: cluster)
        try await cluster.whileRunning {
            _ = try await cluster.person.create(
                KubernetesObject([
                    "metadata": ["name": "old", "labels": ["strimzi.io/cluster": "todo"]],
                    "spec": ["topicName": "more", "partitions": 2, "replicas": 3],
                ]), DesiredState.kafkaTopicType, namespace: "team")
            try await strimzi.install()
            try await create(cluster, "more", ["topic": "more"])
            try await strimzi.bringUp()
            try await strimzi.say(
                ["type": "Ready", "status": "False", "reason": "ResourceConflict", "message": "managed by old"],
                of: DesiredState.kafkaTopicType, "todo-topic-more")
            let refused = try await reason(cluster, "more", .topicExists)
            #expect(refused["message"]?.string?.contains("KafkaTopic old") == true)
            try await cluster.whenReason(.kafkaRunning, of: .kafkaReady)
            try await cluster.patch(TodoGroup.kafkaTopicBinding, "more", ["spec": ["adopt": true]])
            _ = try await eventually("it has its new size") {
                try await cluster.find(DesiredState.kafkaTopicType, "old")?.at("spec", "partitions") == 6 ? true : nil
            }
            try await strimzi.say(ScriptedStrimzi.ready, of: DesiredState.kafkaTopicType, "old")
            _ = try await reason(cluster, "more", .topicReady)
            _ = try await eventually("ours is gone") {
                try await cluster.find(DesiredState.kafkaTopicType, "todo-topic-more") == nil ? true : nil
            }
        }
    }
}
