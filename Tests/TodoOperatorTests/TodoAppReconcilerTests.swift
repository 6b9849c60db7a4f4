import APIServer
import Concurrency
import ControllerRuntime
import KubernetesClient
import ObjectHealth
import StructuredData
import Telemetry
import Testing
import TodoResources

@testable import TodoOperator

@Suite(.timeLimit(.minutes(10))) struct TodoAppReconcilerTests {
    @Test func anAppGetsItsObjectsAndIsReadyWhenItsPodsAre() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.install()
            try await cluster.whenReason(.rollingOut)
            for type in DesiredState.ownTypes {
                #expect(try await cluster.find(type, "todo-api") != nil, "\(type.kind)")
            }
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            let status = try await cluster.find(TodoGroup.todoApp, "todo")?["status"]
            #expect(status?["url"] == "http://todo-api.team.svc:8080")
            #expect(status?["version"]?.string == ProductVersion.current)
            #expect(status?["services"]?[0]?["ready"] == 2)
            #expect(status?["observedGeneration"] == 1)
            #expect(
                cluster.database.prepared.withLock { $0.first } == "postgresql://todo:secret@db:5432/todo VerifyFull")
        }
    }

    @Test func monitoringIsToldWhichAppsAreReadyAndNothingOfThoseThatAreGone() async throws {
        let cluster = try await OperatorHarness()
        func when(_ what: String, _ series: String?) async throws {
            _ = try await eventually(what) {
                cluster.metrics.render().split(separator: "\n").first { $0.hasPrefix("todo_app_ready{") }
                    .map(String.init) == series ? true : nil
            }
        }
        try await cluster.whileRunning {
            try await cluster.install()
            try await when("it is not ready", #"todo_app_ready{app="todo",namespace="team"} 0"#)
            try await cluster.bringUpPods()
            try await when("it is ready", #"todo_app_ready{app="todo",namespace="team"} 1"#)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["suspend": true]])
            try await when("nobody looks", nil)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["suspend": false]])
            try await when("it is ready again", #"todo_app_ready{app="todo",namespace="team"} 1"#)
            try await cluster.delete(TodoGroup.todoApp, "todo")
            try await when("it is gone", nil)
        }
    }

    /// Flux goes on to what depends on an object as soon as kstatus takes it for current, as it does one without a status.
    @Test func whatTheOperatorHasNotSeenYetIsNotTakenForReady() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.install()
        try await cluster.createSchedule(ReminderScheduleReconcilerTests.spec)
        _ = try await cluster.person.create(
            KubernetesObject([
                "apiVersion": "todo-operator.dev/v1alpha1", "kind": "KafkaTopicBinding", "metadata": ["name": "more"],
                "spec": ["appRef": ["name": "todo"], "topic": "more", "partitions": 1],
            ]), TodoGroup.kafkaTopicBinding, namespace: "team")
        for (type, name) in [
            (TodoGroup.todoApp, "todo"), (TodoGroup.reminderSchedule, "important"),
            (TodoGroup.kafkaTopicBinding, "more"),
        ] {
            let object = try #require(try await cluster.find(type, name))
            #expect(KStatus(of: object) == .inProgress, "\(type.kind)")
        }
        try await cluster.whileRunning {
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            #expect(try await cluster.find(TodoGroup.todoApp, "todo").map { KStatus(of: $0) } == .current)
        }
    }

    /// Promise 1: nothing is written while nothing changes, whatever the server filled in.
    @Test func thereAreNoWritesInTenMinutesOfSteadyState() async throws {
        let time = ManualTime()
        let cluster = try await OperatorHarness(time: time)
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.settle()
            let before = cluster.writes.withLock { $0.filter { !$0.contains("/events") } }
            let reads = cluster.reads.withLock { $0.count }
            for _ in 0..<60 { try await cluster.pass(.seconds(10), on: time) }
            let after = cluster.writes.withLock { $0.filter { !$0.contains("/events") } }
            #expect(after.dropFirst(before.count) == [])
            // It was not asleep: watches were opened again.
            #expect(cluster.reads.withLock { $0.count } > reads)
        }
    }

    /// Promise 1: after a restart the first pass finds everything as it should be.
    @Test func aRestartChangesNoObject() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
        }
        func versions() async throws -> [String?] {
            var versions = [
                try await cluster.find(TodoGroup.todoApp, "todo")?.at("metadata", "resourceVersion")?.string
            ]
            for type in DesiredState.ownTypes {
                versions.append(try await cluster.find(type, "todo-api")?.at("metadata", "resourceVersion")?.string)
            }
            return versions
        }
        let before = try await versions()
        let applies = cluster.writes.withLock { $0.count }
        try await cluster.whileRunning {
            try await cluster.settle()
            #expect(cluster.writes.withLock { $0.count } >= applies + DesiredState.ownTypes.count)
        }
        #expect(try await versions() == before)
    }

    /// Promise 10: drift is put back in seconds.
    @Test func whatSomebodyElseChangesIsPutBack() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.install()
            try await cluster.bringUpPods()
            try await cluster.patch(DesiredState.deploymentType, "todo-api", ["spec": ["replicas": 9]])
            try await cluster.whenReplicas(2)
            try await cluster.delete(OperatorHarness.services, "todo-api")
            _ = try await eventually("the Service is made again") {
                try await cluster.find(OperatorHarness.services, "todo-api")
            }
        }
    }

    @Test func whatIsNoLongerWantedIsRemoved() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.install()
            _ = try await eventually("a NetworkPolicy") { try await cluster.find(OperatorHarness.policies, "todo-api") }
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["networkPolicy": "Disabled"]])
            _ = try await eventually("no NetworkPolicy") {
                try await cluster.find(OperatorHarness.policies, "todo-api") == nil ? true : nil
            }
        }
    }

    /// Promise 5: a Secret is followed by its name; one that comes, or changes, is acted on at once.
    @Test func aSecretThatComesLateOrChangesRollsThePods() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createApp()
            let missing = try await cluster.whenReason(.secretNotFound)
            #expect(missing["message"]?.string?.contains("kubectl create secret generic todo-db") == true)
            #expect(try await cluster.find(DesiredState.deploymentType, "todo-api") == nil)
            try await cluster.createSecret(["url": "misspelt"])
            try await cluster.whenReason(.secretKeyMissing)
            try await cluster.rewrite("todo-db", ["uri": "mysql://x"])
            try await cluster.whenReason(.secretInvalid)
            try await cluster.rewrite("todo-db", ["uri": "postgresql://db/todo"])
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            let before = try await cluster.checksum()
            try await cluster.rewrite("todo-db", ["uri": "postgresql://other/todo"])
            _ = try await eventually("another checksum") { try await cluster.checksum() != before ? true : nil }
        }
        let lists = cluster.reads.withLock { $0.filter { $0.contains("/secrets?") } }
        #expect(!lists.isEmpty)
        #expect(
            lists.allSatisfy { $0.contains("fieldSelector=metadata.name") || $0.contains("labelSelector=app") },
            "\(lists)")
    }

    @Test func aDatabaseThatFailsIsACondition() async throws {
        let cluster = try await OperatorHarness()
        cluster.database.fail(DatabaseProblem(.tlsRefused, "the server at db:5432 does not speak TLS"))
        try await cluster.whileRunning {
            try await cluster.install()
            let condition = try await cluster.whenReason(.tlsRefused, of: .databaseReady)
            #expect(condition["message"] == "the server at db:5432 does not speak TLS")
            try await cluster.whenReason(.waitingForDatabase, of: .servicesReady)
            cluster.database.fail(nil)
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
        }
    }

    @Test func anObjectOfSomebodyElseIsLeftAlone() async throws {
        let cluster = try await OperatorHarness()
        let theirs: JSON = [
            "metadata": ["name": "todo-api"], "spec": ["ports": [["port": 1]], "selector": ["a": "b"]],
        ]
        _ = try await cluster.person.create(KubernetesObject(theirs), OperatorHarness.services, namespace: "team")
        try await cluster.whileRunning {
            try await cluster.install()
            try await cluster.whenReason(.nameTaken, of: .stalled)
            #expect(try await cluster.find(OperatorHarness.services, "todo-api")?.at("spec", "ports")?[0]?["port"] == 1)
        }
    }

    @Test func anApplyThatTheServerForbidsIsACondition() async throws {
        let cluster = try await OperatorHarness()
        cluster.server.faults.add(
            .status(403), for: .init(verbs: ["patch"], resource: "services", user: OperatorHarness.user.name))
        try await cluster.whileRunning {
            try await cluster.install()
            try await cluster.whenReason(.applyFailed, of: .stalled)
        }
    }

    @Test func whatWasSeenBeforeARefusalIsToldAndTheRestIsNot() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            cluster.server.faults.add(
                .status(403), for: .init(verbs: ["patch"], resource: "deployments", user: OperatorHarness.user.name))
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["image": "todo:next"]])
            try await cluster.whenReason(.applyFailed, of: .stalled)
            let status = try await cluster.find(TodoGroup.todoApp, "todo")?["status"]
            func told(_ type: String) -> String {
                let found = status?["conditions"]?.array?.first { $0["type"]?.string == type }
                return "\(found?["reason"]?.string ?? "")@\(found?["observedGeneration"]?.int ?? 0)"
            }
            #expect(status?["observedGeneration"] == 2)
            #expect(told("DatabaseReady") == "Migrated@2")
            #expect(told("KafkaReady") == "ExternalKafka@2")
            #expect(told("ServicesReady") == "ApplyFailed@2")
            #expect(told("DaprReady") == "SidecarsReady@1")
            #expect(status?["version"]?.string == ProductVersion.current)
            for service in status?["services"]?.array ?? [] {
                #expect(service["updated"] == 0 && service["ready"] == 2, "\(service)")
            }
        }
    }

    /// Promise 8: what got past an older CRD is refused by the same checks, and nothing else stops.
    @Test func aSpecThatTheServerLetThroughIsStalled() async throws {
        let others = [CustomResourceDefinitions.kafkaTopicBinding, CustomResourceDefinitions.reminderSchedule]
        let cluster = try await OperatorHarness(
            definitions: [try OperatorHarness.lax(CustomResourceDefinitions.todoApp)] + others)
        #expect(try await CRDCheck.problems(cluster.person).count == 1)
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp(
                ["database": ["secretRef": ["name": "todo-db"], "tlsMode": "Maybe"]], name: "bad")
            try await cluster.createApp(name: "good")
            let stalled = try await cluster.whenReason(.invalidSpec, of: .stalled, app: "bad")
            #expect(stalled["message"]?.string?.contains("spec.database.tlsMode") == true)
            try await cluster.whenReason(.rollingOut, app: "good")
        }
    }

    /// A field of Kubernetes' own that it does not know; and an error that does not pass.
    @Test func whatTheServerNeverTakesIsACondition() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp([
                "database": ["secretRef": ["name": "todo-db"]],
                "services": ["api": ["affinity": ["nodeAffinity": ["wat": 1]]]],
            ])
            let refused = try await cluster.whenReason(.applyFailed, of: .stalled)
            #expect(refused["message"]?.string?.contains("correct the spec of the TodoApp") == true)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["services": ["api": ["affinity": .null]]]])
            try await cluster.whenReason(.rollingOut)
            let refusal = cluster.server.faults.add(
                .status(500), for: .init(verbs: ["patch"], resource: "deployments", user: OperatorHarness.user.name))
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["image": "example.com/todo:2"]])
            try await cluster.whenReason(.applyFailed, of: .stalled)
            cluster.server.faults.remove(refusal)
            _ = try await eventually("it goes on by itself", within: .seconds(60)) {
                try await cluster.condition(.stalled) == nil ? true : nil
            }
        }
    }

    @Test func aSuspendedAppIsNotTouched() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["suspend": true]])
            try await cluster.whenReason(.suspended)
            try await cluster.patch(DesiredState.deploymentType, "todo-api", ["spec": ["replicas": 7]])
            try await cluster.settle()
            #expect(try await cluster.find(DesiredState.deploymentType, "todo-api")?.at("spec", "replicas") == 7)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["suspend": false]])
            try await cluster.whenReplicas(2)
        }
    }

    /// Errors of every sort on the way: it ends where it should.
    @Test(arguments: [
        Faults.Action.status(409), .status(429, retryAfterSeconds: 0), .status(500), .status(503), .dropBefore,
        .dropAfter,
    ])
    func itConvergesThroughFaults(fault: Faults.Action) async throws {
        let cluster = try await OperatorHarness()
        let writes: Set<String> = ["create", "update", "patch", "delete"]
        cluster.server.faults.add(fault, for: .init(verbs: writes, user: OperatorHarness.user.name), count: 6)
        cluster.server.faults.add(
            fault, for: .init(verbs: ["list", "watch"], user: OperatorHarness.user.name), count: 4)
        try await cluster.whileRunning {
            try await cluster.bringUp()
        }
        for type in DesiredState.ownTypes {
            let child = try await cluster.find(type, "todo-api")
            #expect(child?.at("metadata", "ownerReferences")?.array?.count == 1, "\(type.kind)")
            #expect(child?.text.contains("todo:secret") == false)
        }
    }
}
