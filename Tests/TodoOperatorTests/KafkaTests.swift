import Concurrency
import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// What an app stands on besides its database: in order, and with a condition that says what is missing.
@Suite(.timeLimit(.minutes(10))) struct KafkaTests {
    static let neighbours = DesiredState.kafkaTypes + DesiredState.daprTypes

    @Test func eachStepWaitsForWhatItNeedsAndNotForTime() async throws {
        let cluster = try await OperatorHarness(neighbours: Self.neighbours)
        let strimzi = ScriptedStrimzi(cluster: cluster)
        try await cluster.whileRunning {
            try await strimzi.install()
            try await cluster.whenReason(.waitingForStrimzi, of: .kafkaReady)
            try await cluster.whenReason(.waitingForKafka, of: .servicesReady)
            for type in DesiredState.daprTypes + [DesiredState.deploymentType] {
                let made = try await cluster.person.list(type, namespace: "team", options: ListOptions()).items
                #expect(made.isEmpty, "\(type.kind) before there is a Kafka")
            }
            try await strimzi.bringUpKafka()
            try await cluster.whenReason(.waitingForStrimzi, of: .kafkaReady)
            #expect(try await cluster.find(DesiredState.deploymentType, "todo-api") == nil, "without its login")
            for service in ["api", "audit", "notification", "realtime"] {
                try await strimzi.bringUpUser("todo-\(service)")
            }
            for topic in ["task-events", "reminder-events", "audit-events", "dead-letters"] {
                try await strimzi.say(ScriptedStrimzi.ready, of: DesiredState.kafkaTopicType, "todo-\(topic)")
            }
            try await cluster.whenReason(.kafkaRunning, of: .kafkaReady)
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
        }
    }

    @Test func whatStrimziSaysIsPassedOnAndTheServicesGoOn() async throws {
        let cluster = try await OperatorHarness(neighbours: Self.neighbours)
        let strimzi = ScriptedStrimzi(cluster: cluster)
        try await cluster.whileRunning {
            try await strimzi.bringUpApp()
            try await strimzi.say(
                ["type": "Ready", "status": "False", "reason": "NotSupported", "message": "no such setting"],
                of: DesiredState.kafkaTopicType, "todo-task-events")
            let condition = try await cluster.whenReason(.kafkaTopicNotReady, of: .kafkaReady)
            #expect(condition["message"] == "KafkaTopic todo-task-events: NotSupported: no such setting")
            // A change of the spec reaches the pods all the same.
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["services": ["api": ["replicas": 4]]]])
            try await cluster.whenReplicas(4)
            try await strimzi.say(ScriptedStrimzi.ready, of: DesiredState.kafkaTopicType, "todo-task-events")
            try await cluster.whenReason(.kafkaRunning, of: .kafkaReady)
        }
    }

    @Test func withoutStrimziTheConditionNamesItAndItHealsByItself() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await ScriptedStrimzi(cluster: cluster).install()
            let condition = try await cluster.whenReason(.strimziNotInstalled, of: .kafkaReady)
            #expect(condition["message"]?.string?.contains("install Strimzi") == true)
            #expect(try await cluster.condition(.databaseReady)?["status"] == "True")
            for type in DesiredState.kafkaTypes {
                _ = try await cluster.person.create(
                    KubernetesObject(OperatorHarness.definition(of: type)), CRDCheck.definitionType, namespace: nil)
            }
            _ = try await eventually("the Kafka", within: .seconds(60)) {
                try await cluster.find(DesiredState.kafkaType, "todo")
            }
        }
    }

    @Test func withoutDaprTheConditionNamesItAndTheServicesGoOn() async throws {
        let cluster = try await OperatorHarness(neighbours: [])
        cluster.sidecars.isInjecting.withLock { $0 = false }
        try await cluster.whileRunning {
            try await cluster.install()
            try await cluster.bringUpPods()
            try await cluster.whenReason(.daprNotInstalled)
            try await cluster.whenReason(.rolledOut, of: .servicesReady)
            for type in DesiredState.daprTypes {
                _ = try await cluster.person.create(
                    KubernetesObject(OperatorHarness.definition(of: type)), CRDCheck.definitionType, namespace: nil)
            }
            _ = try await eventually("its pods have no sidecars yet", within: .seconds(60)) {
                try await cluster.condition(.daprReady)?["reason"] == "SidecarNotInjected" ? true : nil
            }
            // They are restarted.
            cluster.sidecars.isInjecting.withLock { $0 = true }
            for service in AppStatusRulesTests.services {
                try await cluster.delete(SidecarInspector.podType, "todo-\(service.rawValue)-0")
            }
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
        }
    }

    @Test func aLoginThatIsMissingIsNamedByItsField() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp([
                "database": ["secretRef": ["name": "todo-db"]],
                "kafka": [
                    "external": [
                        "bootstrapServers": ["kafka.example:9092"],
                        "authentication": ["type": "ScramSha512", "secretRef": ["name": "login"]],
                    ]
                ],
            ])
            let missing = try await cluster.whenReason(.secretNotFound, of: .kafkaReady)
            #expect(
                missing["message"]
                    == "Secret team/login of spec.kafka.external.authentication does not exist; create it with the keys username and password"
            )
            let strimzi = ScriptedStrimzi(cluster: cluster)
            try await strimzi.createSecret("login", ["username": "todo"])
            try await cluster.whenReason(.secretKeyMissing, of: .kafkaReady)
            try await cluster.rewrite("login", ["password": "word"])
            try await cluster.whenReason(.externalKafka, of: .kafkaReady)
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            let before = try await cluster.checksum()
            try await cluster.rewrite("login", ["password": "another"])
            _ = try await eventually("the pods are rolled for the new password") {
                try await cluster.checksum() != before ? true : nil
            }
        }
    }

    /// Promise 7: topics and users go before the Kafka, and whoever should take them away may be gone.
    @Test(arguments: [true, false])
    func topicsGoBeforeTheKafka(isStrimziThere: Bool) async throws {
        let cluster = try await OperatorHarness(neighbours: Self.neighbours)
        let strimzi = ScriptedStrimzi(cluster: cluster)
        let topic = "todo-task-events"
        try await cluster.whileRunning {
            try await strimzi.install()
            try await strimzi.bringUp()
            try await cluster.whenReason(.kafkaRunning, of: .kafkaReady)
            try await cluster.patch(
                DesiredState.kafkaTopicType, topic, ["metadata": ["finalizers": ["strimzi.io/topic-operator"]]])
            if !isStrimziThere { try await cluster.delete(DesiredState.kafkaType, "todo") }
            try await cluster.delete(TodoGroup.todoApp, "todo")
            if isStrimziThere {
                _ = try await eventually("the topic is asked to go") {
                    try await cluster.find(DesiredState.kafkaTopicType, topic)?.at("metadata", "deletionTimestamp")
                }
                #expect(try await cluster.find(DesiredState.kafkaType, "todo") != nil, "the Kafka waits for it")
                #expect(try await cluster.find(TodoGroup.todoApp, "todo") != nil)
                try await cluster.patch(
                    DesiredState.kafkaTopicType, topic, ["metadata": ["finalizers": []]])
            }
            _ = try await eventually("the app is gone") {
                try await cluster.find(TodoGroup.todoApp, "todo") == nil ? true : nil
            }
            #expect(try await cluster.find(DesiredState.kafkaTopicType, topic) == nil)
        }
    }

    @Test func aKafkaThatIsNoLongerWantedGoesAfterItsTopics() async throws {
        let cluster = try await OperatorHarness(neighbours: Self.neighbours)
        let strimzi = ScriptedStrimzi(cluster: cluster)
        try await cluster.whileRunning {
            try await strimzi.bringUpApp()
            try await cluster.patch(
                DesiredState.kafkaTopicType, "todo-task-events",
                ["metadata": ["finalizers": ["strimzi.io/topic-operator"]]])
            var kafka = OperatorHarness.externalKafka
            kafka["managed"] = .null
            try await cluster.patch(
                TodoGroup.todoApp, "todo", ["spec": ["kafka": kafka, "upgradePolicy": "Parallel"]])
            try await cluster.settle()
            try await cluster.bringUpPods()
            _ = try await eventually("the topic is asked to go") {
                try await cluster.find(DesiredState.kafkaTopicType, "todo-task-events")?.at(
                    "metadata", "deletionTimestamp")
            }
            #expect(try await cluster.find(DesiredState.kafkaType, "todo") != nil)
            try await cluster.patch(
                DesiredState.kafkaTopicType, "todo-task-events", ["metadata": ["finalizers": []]])
            _ = try await eventually("then the Kafka goes") {
                try await cluster.find(DesiredState.kafkaType, "todo") == nil ? true : nil
            }
            try await cluster.whenReason(.externalKafka, of: .kafkaReady)
        }
    }

    @Test(
        arguments: [
            (nil, "Strimzi has not taken it up"),
            (["observedGeneration": 1, "conditions": [["type": "Ready", "status": "True"]]], "Strimzi is at it"),
            (["observedGeneration": 2, "conditions": []], "has not said yet"),
            (
                [
                    "observedGeneration": 2,
                    "conditions": [["type": "NotReady", "status": "True", "reason": "Creating"]],
                ],
                "is creating it"
            ),
            (["observedGeneration": 1, "conditions": [["type": "ReconciliationPaused", "status": "True"]]], "pause"),
        ] as [(JSON?, String)])
    func whatIsNotSettledYetIsWaitedFor(status: JSON?, words: String) {
        var object: JSON = ["kind": "Kafka", "metadata": ["generation": 2]]
        object["status"] = status
        guard case .pending(let text) = StrimziStatus(object) else {
            Issue.record("\(StrimziStatus(object))")
            return
        }
        #expect(text.contains(words))
    }

    @Test func strimziSaysReadinessInDifferentWords() {
        func status(_ condition: JSON) -> StrimziStatus {
            StrimziStatus([
                "metadata": ["generation": 2], "status": ["observedGeneration": 2, "conditions": [condition]],
            ])
        }
        #expect(status(["type": "Ready", "status": "True"]) == .ready)
        #expect(status(["type": "Unmanaged", "status": "True"]) == .ready)
        #expect(
            status(["type": "NotReady", "status": "True", "reason": "Fault", "message": "why"]) == .failed("Fault: why")
        )
        #expect(status(["type": "Ready", "status": "False", "reason": "KafkaError"]) == .failed("KafkaError"))
    }
}
