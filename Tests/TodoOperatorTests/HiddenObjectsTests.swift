import APIServer
import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// What the operator may not see, or cannot read, is not taken for gone: nothing is removed for it.
@Suite(.timeLimit(.minutes(10))) struct HiddenObjectsTests {
    private static let user = OperatorHarness.user.name

    private func bind(_ cluster: OperatorHarness, _ spec: JSON) async throws {
        let binding: JSON = [
            "apiVersion": "todo-operator.dev/v1alpha1", "kind": "KafkaTopicBinding", "metadata": ["name": "more"],
            "spec": spec,
        ]
        _ = try await cluster.person.create(KubernetesObject(binding), TodoGroup.kafkaTopicBinding, namespace: "team")
    }

    private static let binding: JSON = [
        "appRef": ["name": "todo"], "topic": "more", "partitions": 6, "publishers": ["audit"],
        "subscribers": [["service": "notification", "route": "/more"]],
    ]

    /// An app with a Kafka of its own and a topic that a binding added.
    private func bringUp(_ cluster: OperatorHarness) async throws {
        let strimzi = ScriptedStrimzi(cluster: cluster)
        try await bind(cluster, Self.binding)
        try await strimzi.install()
        try await strimzi.say(ScriptedStrimzi.ready, of: DesiredState.kafkaTopicType, "todo-topic-more")
        try await strimzi.bringUp()
        try await cluster.bringUpPods()
        try await cluster.whenReason(.allReady)
        try await cluster.settle()
    }

    /// All that was made of the binding.
    private func made(_ cluster: OperatorHarness) async throws -> [JSON?] {
        let subscription = try #require(DesiredState.daprTypes.first { $0.kind == "Subscription" })
        let component = try #require(DesiredState.daprTypes.first { $0.kind == "Component" })
        let objects = [
            try await cluster.find(DesiredState.kafkaTopicType, "todo-topic-more"),
            try await cluster.find(DesiredState.kafkaUserType, "todo-audit"),
            try await cluster.find(subscription, "todo-notification-topic-more"),
            try await cluster.find(component, "todo-audit-pubsub"),
        ]
        return objects.map { object in
            object.map { ["uid": $0.at("metadata", "uid") ?? .null, "spec": $0["spec"] ?? .null] }
        }
    }

    @Test func bindingsThatMayNotBeListedKeepTheirTopics() async throws {
        let cluster = try await OperatorHarness(neighbours: KafkaTests.neighbours)
        try await cluster.whileRunning { try await bringUp(cluster) }
        let before = try await made(cluster)
        let refusal = cluster.server.faults.add(
            .status(403), for: .init(verbs: ["list"], resource: "kafkatopicbindings", user: Self.user))
        try await cluster.whileRunning {
            // A pass that does what it can.
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["networkPolicy": "Disabled"]])
            _ = try await eventually("a pass is over") {
                let app = try await cluster.find(TodoGroup.todoApp, "todo")
                return app?.at("status", "observedGeneration") == app?.at("metadata", "generation") ? true : nil
            }
            #expect(try await cluster.find(OperatorHarness.policies, "todo-api") == nil)
            #expect(try await made(cluster) == before && !before.contains(nil))
            cluster.server.faults.remove(refusal)
        }
        try await cluster.whileRunning {
            try await cluster.patch(TodoGroup.kafkaTopicBinding, "more", ["spec": ["deletionPolicy": "Delete"]])
            try await cluster.settle()
            try await cluster.delete(TodoGroup.kafkaTopicBinding, "more")
            try await cluster.whenGone(DesiredState.kafkaTopicType, "todo-topic-more")
        }
    }

    @Test func aBindingThatCannotBeReadKeepsItsTopicAndStopsNothing() async throws {
        let cluster = try await OperatorHarness(
            definitions: [
                CustomResourceDefinitions.todoApp, try OperatorHarness.lax(CustomResourceDefinitions.kafkaTopicBinding),
                CustomResourceDefinitions.reminderSchedule,
            ], neighbours: KafkaTests.neighbours)
        try await cluster.whileRunning {
            try await bringUp(cluster)
            let before = try await made(cluster)
            try await cluster.patch(TodoGroup.kafkaTopicBinding, "more", ["spec": ["partitions": 0]])
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["networkPolicy": "Disabled"]])
            try await cluster.whenGone(OperatorHarness.policies, "todo-api")
            try await cluster.settle()
            #expect(try await made(cluster) == before && !before.contains(nil))
            // Its topic is to stay, and Strimzi can be told so only when it is known which one that is.
            try await cluster.delete(TodoGroup.kafkaTopicBinding, "more")
            _ = try await eventually("it says what it waits for") {
                try await cluster.find(TodoGroup.kafkaTopicBinding, "more")?.at("status", "conditions")?.array?.first {
                    $0["message"]?.string?.contains("remove the finalizer") == true
                }
            }
            #expect(try await made(cluster) == before)
            try await cluster.patch(TodoGroup.kafkaTopicBinding, "more", ["spec": ["partitions": 6]])
            _ = try await eventually("Strimzi is asked to let go", within: .seconds(60)) {
                try await cluster.find(DesiredState.kafkaTopicType, "todo-topic-more")?.at(
                    "metadata", "annotations", "strimzi.io/managed") == "false" ? true : nil
            }
        }
    }

    @Test func aTopicThatIsToStayIsNotGivenUpWhileItsAppCannotBeRead() async throws {
        let cluster = try await OperatorHarness(
            definitions: [
                try OperatorHarness.lax(CustomResourceDefinitions.todoApp), CustomResourceDefinitions.kafkaTopicBinding,
                CustomResourceDefinitions.reminderSchedule,
            ], neighbours: KafkaTests.neighbours)
        try await cluster.whileRunning {
            try await bringUp(cluster)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["database": ["tlsMode": "Maybe"]]])
            try await cluster.whenReason(.invalidSpec, of: .stalled)
            try await cluster.delete(TodoGroup.kafkaTopicBinding, "more")
            try await cluster.settle()
            #expect(try await cluster.find(TodoGroup.kafkaTopicBinding, "more") != nil)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["database": ["tlsMode": "Require"]]])
            _ = try await eventually("Strimzi is asked to let go", within: .seconds(60)) {
                try await cluster.find(DesiredState.kafkaTopicType, "todo-topic-more")?.at(
                    "metadata", "annotations", "strimzi.io/managed") == "false" ? true : nil
            }
        }
    }

    @Test func whatMayNoLongerBeSeenIsAConditionAndStays() async throws {
        let time = ManualTime()
        let types = DesiredState.daprTypes + [DesiredState.routeType]
        let cluster = try await OperatorHarness(time: time, neighbours: types)
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp([
                "database": ["secretRef": ["name": "todo-db"]],
                "web": ["host": "todo.example.com", "gateway": ["parentRefs": [["name": "public"]]]],
            ])
            try await cluster.bringUpPods()
            let route = try await eventually("the route") {
                try await cluster.find(DesiredState.routeType, "todo-web")
            }
            for type in types {
                cluster.server.faults.add(
                    .status(403), for: .init(verbs: ["list", "watch"], resource: type.plural, user: Self.user))
            }
            _ = try await eventually("their watches have ended, and no other may be opened", within: .seconds(60)) {
                time.advance(by: .seconds(10))
                try await cluster.rest()
                return try await cluster.condition(.edgeReady)?["reason"] == "GatewayAPINotInstalled" ? true : nil
            }
            for _ in 0..<3 {
                time.advance(by: .seconds(10))
                try await cluster.rest()
            }
            let uid = route.at("metadata", "uid")
            #expect(try await cluster.find(DesiredState.routeType, "todo-web")?.at("metadata", "uid") == uid)
            for type in DesiredState.daprTypes {
                #expect(try await !cluster.person.list(type, namespace: "team").items.isEmpty, "\(type.kind)")
            }
        }
    }

    /// An operator that was taken back reads what a later one wrote.
    @Test func aFieldThatALaterReleaseAddedIsPassedOver() async throws {
        var later = CustomResourceDefinitions.todoApp
        var version = try #require(later.at("spec", "versions")?[0])
        for part in ["spec", "status"] {
            version.set(
                ["type": "string", "default": "x"], at: "schema", "openAPIV3Schema", "properties", part, "properties",
                "later")
        }
        later.set([version], at: "spec", "versions")
        let others = [CustomResourceDefinitions.kafkaTopicBinding, CustomResourceDefinitions.reminderSchedule]
        let cluster = try await OperatorHarness(definitions: [later] + others)
        try await cluster.whileRunning {
            try await cluster.bringUp()
            #expect(try await cluster.find(TodoGroup.todoApp, "todo")?.at("spec", "later") == "x")
        }
    }
}
