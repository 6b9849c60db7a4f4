import Concurrency
import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// `spec.deletionPolicy`: what stays when an app goes, and what becomes of it.
@Suite(.timeLimit(.minutes(10))) struct RetainTests {
    private static let secrets = ["todo-api-token", "todo-audit-keys", "todo-dapr-token", "todo-link-key"]
    private static let topics = ["task-events", "reminder-events", "audit-events", "dead-letters"].map { "todo-\($0)" }

    private static func spec(_ policy: TodoApp.DeletionPolicy) -> JSON {
        [
            "database": ["secretRef": ["name": "todo-db"]], "kafka": ["managed": [:]],
            "deletionPolicy": .string(policy.rawValue),
        ]
    }

    private func harness() async throws -> (OperatorHarness, ScriptedStrimzi) {
        let cluster = try await OperatorHarness(neighbours: KafkaTests.neighbours)
        return (cluster, ScriptedStrimzi(cluster: cluster))
    }

    private func bringUp(_ cluster: OperatorHarness, _ strimzi: ScriptedStrimzi, _ policy: TodoApp.DeletionPolicy)
        async throws
    {
        try await cluster.createSecret()
        try await cluster.createApp(Self.spec(policy))
        try await strimzi.bringUp()
        try await cluster.bringUpPods()
        try await cluster.whenReason(.allReady)
    }

    /// Kubernetes' garbage collector: what the app owned, and nothing else.
    private func collect(_ cluster: OperatorHarness, _ uid: JSON?) async throws {
        for type in DesiredState.ownTypes + KafkaTests.neighbours + [GeneratedSecret.type] {
            for child in try await cluster.person.list(type, namespace: "team", options: ListOptions()).items
            where child.ownerReferences.contains(where: { $0["uid"] == uid }) {
                try await cluster.delete(type, child.name)
            }
        }
    }

    private func whenGone(_ cluster: OperatorHarness) async throws {
        _ = try await eventually("the app is gone") {
            try await cluster.find(TodoGroup.todoApp, "todo") == nil ? true : nil
        }
    }

    /// A garbage collector that deletes in the foreground does not wait for an owner reference to be taken off.
    @Test func whatStaysHasNoOwnerFromTheBeginning() throws {
        var object = DesiredStateTests.minimal
        object["spec"] = Self.spec(.retain)
        let app = try TodoApp(validating: object)
        for child in DesiredState.children(of: app, inputs: DesiredStateInputs()).map(KubernetesObject.init) {
            let isKept = ["Kafka", "KafkaNodePool", "KafkaTopic"].contains(child.kind)
            #expect(child.ownerReferences.isEmpty == isKept, "\(child.kind) \(child.name)")
            #expect((child.annotations[Label.appUID] == app.metadata.uid) == isKept, "\(child.kind) \(child.name)")
            #expect(child.labels[Label.instance] == "todo")
        }
    }

    @Test(arguments: [(TodoApp.DeletionPolicy.delete, true), (.retain, false)])
    func volumesGoWithTheirKafkaAndStayWithIt(policy: TodoApp.DeletionPolicy, isDeleted: Bool) throws {
        var object = DesiredStateTests.minimal
        object["spec"] = Self.spec(policy)
        let pools = DesiredState.children(of: try TodoApp(validating: object), inputs: DesiredStateInputs()).filter {
            $0["kind"] == "KafkaNodePool"
        }
        #expect(pools.count == 2)
        for pool in pools {
            #expect(pool.at("spec", "storage", "volumes")?[0]?["deleteClaim"] == JSON(isDeleted))
        }
    }

    @Test func anAppThatIsMadeAgainTakesUpWhatStayed() async throws {
        let (cluster, strimzi) = try await harness()
        try await cluster.whileRunning {
            try await bringUp(cluster, strimzi, .retain)
            let app = try await cluster.find(TodoGroup.todoApp, "todo")
            func uids() async throws -> [JSON?] {
                var found = [try await cluster.find(DesiredState.kafkaType, "todo")?.at("metadata", "uid")]
                for pool in ["todo-controller", "todo-broker"] {
                    found.append(try await cluster.find(DesiredState.nodePoolType, pool)?.at("metadata", "uid"))
                }
                for topic in Self.topics {
                    found.append(try await cluster.find(DesiredState.kafkaTopicType, topic)?.at("metadata", "uid"))
                }
                for secret in Self.secrets {
                    found.append(try await cluster.find(OperatorHarness.secrets, secret)?.at("metadata", "uid"))
                }
                return found
            }
            let before = try await uids()
            #expect(!before.contains(nil))
            try await cluster.delete(TodoGroup.todoApp, "todo")
            try await whenGone(cluster)
            try await collect(cluster, app?.at("metadata", "uid"))
            #expect(try await uids() == before)
            #expect(try await cluster.find(DesiredState.deploymentType, "todo-api") == nil)
            #expect(try await cluster.find(DesiredState.kafkaUserType, "todo-api") == nil)
            let told = cluster.logs.lines.first { $0.hasPrefix("info stays, as spec.deletionPolicy is Retain: ") } ?? ""
            for name in [
                "Kafka todo;", "KafkaNodePool todo-broker, todo-controller;", "todo-task-events", "todo-link-key",
            ] {
                #expect(told.contains(name), "\(told)")
            }
            // Made again it has the same cluster and the same events.
            try await cluster.createApp(Self.spec(.retain))
            for service in ["api", "audit", "notification", "realtime"] {
                try await strimzi.say(ScriptedStrimzi.ready, of: DesiredState.kafkaUserType, "todo-\(service)")
            }
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            #expect(try await uids() == before)
            let again = try #require(try await cluster.find(TodoGroup.todoApp, "todo")?.at("metadata", "uid"))
            let kafka = try await cluster.find(DesiredState.kafkaType, "todo")
            #expect(kafka?.at("metadata", "annotations", Label.appUID) == again)
            // It settles: what it took up is not fought over.
            try await cluster.settle()
            let writes = cluster.writes.withLock { $0.count }
            try await cluster.patch(TodoGroup.todoApp, "todo", ["metadata": ["annotations": ["a": "b"]]])
            try await cluster.settle()
            #expect(cluster.writes.withLock { $0.count } == writes)
        }
    }

    @Test func thePolicyCanBeChangedBothWays() async throws {
        let (cluster, strimzi) = try await harness()
        try await cluster.whileRunning {
            try await bringUp(cluster, strimzi, .delete)
            let objects =
                [(DesiredState.kafkaType, "todo"), (DesiredState.nodePoolType, "todo-broker")]
                + Self.topics.map { (DesiredState.kafkaTopicType, $0) }
                + Self.secrets.filter { $0 != "todo-audit-keys" }.map { (OperatorHarness.secrets, $0) }
            func whenOwned(_ isOwned: Bool) async throws {
                for (type, name) in objects {
                    _ = try await eventually("\(name) is \(isOwned ? "" : "not ")owned") {
                        let object = try await cluster.find(type, name).map(KubernetesObject.init)
                        return object?.ownerReferences.isEmpty == !isOwned ? true : nil
                    }
                }
            }
            try await whenOwned(true)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["deletionPolicy": "Retain"]])
            try await whenOwned(false)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["deletionPolicy": "Delete"]])
            try await whenOwned(true)
            let kafka = try await cluster.find(DesiredState.kafkaType, "todo")
            #expect(kafka?.at("metadata", "annotations", Label.appUID) == nil)
            #expect(
                try await cluster.find(OperatorHarness.secrets, "todo-audit-keys")?.at("metadata", "ownerReferences")
                    == nil)
            // An app that is deleted before anybody looked at its new policy.
            let uid = try await cluster.find(TodoGroup.todoApp, "todo")?.at("metadata", "uid")
            try await cluster.patch(
                TodoGroup.todoApp, "todo", ["spec": ["deletionPolicy": "Retain", "suspend": true]])
            try await cluster.whenReason(.suspended)
            try await whenOwned(true)
            try await cluster.delete(TodoGroup.todoApp, "todo")
            try await whenGone(cluster)
            try await collect(cluster, uid)
            try await whenOwned(false)
        }
    }

    /// What had no owner, so that it would stay, goes all the same once the policy is another.
    @Test func anAppThatIsDeletedSuspendedTakesAlongWhatItNoLongerKeeps() async throws {
        let (cluster, strimzi) = try await harness()
        let topic = Self.topics[0]
        let objects = [
            (DesiredState.kafkaType, "todo"), (DesiredState.nodePoolType, "todo-broker"),
            (DesiredState.nodePoolType, "todo-controller"), (OperatorHarness.secrets, "todo-api-token"),
            (OperatorHarness.secrets, "todo-dapr-token"), (OperatorHarness.secrets, "todo-link-key"),
        ]
        func owners() async throws -> [JSON?] {
            var owners: [JSON?] = []
            for (type, name) in objects {
                owners.append(
                    try #require(try await cluster.find(type, name)).at("metadata", "ownerReferences")?[0]?["uid"])
            }
            return owners
        }
        try await cluster.whileRunning {
            try await bringUp(cluster, strimzi, .retain)
            let uid = try #require(try await cluster.find(TodoGroup.todoApp, "todo")?.at("metadata", "uid"))
            try await cluster.patch(
                DesiredState.kafkaTopicType, topic, ["metadata": ["finalizers": ["strimzi.io/topic-operator"]]])
            try await cluster.patch(
                TodoGroup.todoApp, "todo", ["spec": ["deletionPolicy": "Delete", "suspend": true]])
            try await cluster.whenReason(.suspended)
            try await cluster.delete(TodoGroup.todoApp, "todo")
            _ = try await eventually("the topic is asked to go") {
                try await cluster.find(DesiredState.kafkaTopicType, topic)?.at("metadata", "deletionTimestamp")
            }
            #expect(try await owners().allSatisfy { $0 == nil }, "the topic needs its Kafka")
            try await cluster.patch(DesiredState.kafkaTopicType, topic, ["metadata": ["finalizers": []]])
            try await whenGone(cluster)
            #expect(try await owners() == objects.map { _ in uid })
            try await collect(cluster, uid)
            for type in DesiredState.kafkaTypes {
                let left = try await cluster.person.list(type, namespace: "team", options: ListOptions()).items
                #expect(left.map(\.name) == [], "\(type.kind)")
            }
            #expect(try await cluster.find(OperatorHarness.secrets, "todo-audit-keys") != nil)
        }
    }

    @Test func aKafkaThatIsNoLongerUsedStaysToo() async throws {
        let (cluster, strimzi) = try await harness()
        func left() async throws -> [String] {
            var found: [String] = []
            for type in DesiredState.kafkaTypes {
                found += try await cluster.person.list(type, namespace: "team", options: ListOptions()).items
                    .filter { !$0.isBeingDeleted }.map { "\($0.kind) \($0.uid)" }
            }
            return found
        }
        try await cluster.whileRunning {
            try await bringUp(cluster, strimzi, .retain)
            let before = try await left()
            #expect(before.count == 11)
            var kafka = OperatorHarness.externalKafka
            kafka["managed"] = .null
            try await cluster.patch(
                TodoGroup.todoApp, "todo", ["spec": ["kafka": kafka, "upgradePolicy": "Parallel"]])
            try await cluster.settle()
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            _ = try await eventually("its logins go") { try await left().count == 7 ? true : nil }
            try await cluster.settle()
            #expect(try await left() == before.filter { !$0.hasPrefix("KafkaUser") })
            let told = try await cluster.condition(.kafkaReady)?["message"]?.string ?? ""
            #expect(told.hasSuffix("Kafka todo stays with its topics, as spec.deletionPolicy is Retain"), "\(told)")
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["deletionPolicy": "Delete"]])
            _ = try await eventually("it is given up") { try await left().isEmpty ? true : nil }
        }
    }

    /// The binding says what becomes of its topic when the binding goes, the app what becomes of all when the app goes.
    @Test func aTopicOfABindingStaysWithTheAppAndWaitsForItsBinding() async throws {
        let (cluster, strimzi) = try await harness()
        let binding: JSON = [
            "apiVersion": "todo-operator.dev/v1alpha1", "kind": "KafkaTopicBinding", "metadata": ["name": "more"],
            "spec": ["appRef": ["name": "todo"], "topic": "more", "partitions": 1, "deletionPolicy": "Delete"],
        ]
        func bind() async throws {
            _ = try await cluster.person.create(
                KubernetesObject(binding), TodoGroup.kafkaTopicBinding, namespace: "team")
        }
        func topic() async throws -> JSON? { try await cluster.find(DesiredState.kafkaTopicType, "todo-topic-more") }
        try await cluster.whileRunning {
            try await bringUp(cluster, strimzi, .retain)
            try await bind()
            let made = try await eventually("its topic") { try await topic() }
            let app = try await cluster.find(TodoGroup.todoApp, "todo")
            try await cluster.delete(TodoGroup.todoApp, "todo")
            try await whenGone(cluster)
            try await collect(cluster, app?.at("metadata", "uid"))
            try await cluster.delete(TodoGroup.kafkaTopicBinding, "more")
            // Whoever applies the app first must not lose the topic before its binding is there again.
            try await cluster.createApp(Self.spec(.retain))
            for service in ["api", "audit", "notification", "realtime"] {
                try await strimzi.say(ScriptedStrimzi.ready, of: DesiredState.kafkaUserType, "todo-\(service)")
            }
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            #expect(try await topic()?.at("metadata", "uid") == made.at("metadata", "uid"))
            try await bind()
            let again = try #require(try await cluster.find(TodoGroup.todoApp, "todo")?.at("metadata", "uid"))
            _ = try await eventually("it is taken up") {
                try await topic()?.at("metadata", "annotations", Label.appUID) == again ? true : nil
            }
            #expect(try await topic()?.at("metadata", "uid") == made.at("metadata", "uid"))
            // With the binding alone it goes, as the binding says.
            try await cluster.delete(TodoGroup.kafkaTopicBinding, "more")
            _ = try await eventually("the topic is deleted") { try await topic() == nil ? true : nil }
        }
    }

    /// Nothing can be kept in it, and nobody is left to take finalizers off.
    @Test(arguments: [true, false])
    func aNamespaceThatGoesDoesNotHang(isAppThere: Bool) async throws {
        let (cluster, strimzi) = try await harness()
        let topic = "todo-task-events"
        try await cluster.whileRunning {
            try await bringUp(cluster, strimzi, .retain)
            try await cluster.patch(
                DesiredState.kafkaTopicType, topic, ["metadata": ["finalizers": ["strimzi.io/topic-operator"]]])
            if !isAppThere {
                try await cluster.delete(TodoGroup.todoApp, "todo")
                try await whenGone(cluster)
            }
            try await cluster.person.delete(LifecycleTests.namespaces, namespace: nil, name: "team")
            if isAppThere { try await cluster.delete(TodoGroup.todoApp, "todo") }
            try await cluster.delete(DesiredState.kafkaTopicType, topic)
            _ = try await eventually("the topic is gone") {
                try await cluster.find(DesiredState.kafkaTopicType, topic) == nil ? true : nil
            }
            try await whenGone(cluster)
        }
    }
}
