import Concurrency
import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// `DaprReady` is what the sidecars themselves say.
@Suite(.timeLimit(.minutes(10))) struct SidecarTests {
    @Test func whatASidecarLacksIsNamedAndHealsByItself() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            let well = try await cluster.whenReason(.sidecarsReady, of: .daprReady)
            #expect(well["status"] == "True")
            cluster.sidecars.hidden.withLock { $0 = ["todo-audit-pubsub"] }
            try await cluster.restart("todo-audit")
            let component = try await cluster.whenReason(.componentNotLoaded, of: .daprReady)
            #expect(
                component["message"]
                    == "the sidecar of pod todo-audit-0 of audit has not loaded Component todo-audit-pubsub; see kubectl logs -n team todo-audit-0 -c daprd"
            )
            try await cluster.whenReason(.componentNotLoaded)
            // Nobody tells when it has: it is asked again.
            cluster.sidecars.hidden.withLock { $0 = ["team.todo.task-events"] }
            let topic = try await cluster.whenReason(.subscriptionNotLive, of: .daprReady)
            #expect(topic["message"]?.string?.contains("the events of team.todo.task-events from todo-") == true)
            cluster.sidecars.hidden.withLock { $0 = [] }
            try await cluster.whenReason(.allReady)
        }
    }

    @Test func aSidecarThatDoesNotAnswerIsNamed() async throws {
        let cluster = try await OperatorHarness()
        cluster.sidecars.mute.withLock { $0 = ["todo-realtime"] }
        try await cluster.whileRunning {
            try await cluster.install()
            try await cluster.bringUpPods()
            let condition = try await cluster.whenReason(.sidecarUnreachable)
            #expect(condition["message"]?.string?.contains("pod todo-realtime-0 of realtime does not answer") == true)
            try await cluster.whenReason(.rolledOut, of: .servicesReady)
            cluster.sidecars.mute.withLock { $0 = [] }
            try await cluster.whenReason(.allReady)
        }
    }

    /// Pods that were made before Dapr was there get their sidecars when somebody restarts them; and that is not undone.
    @Test func podsWithoutASidecarAreNamedWithTheRemedy() async throws {
        let cluster = try await OperatorHarness()
        cluster.sidecars.isInjecting.withLock { $0 = false }
        try await cluster.whileRunning {
            try await cluster.install()
            try await cluster.bringUpPods()
            let condition = try await cluster.whenReason(.sidecarNotInjected)
            #expect(
                condition["message"]?.string?.contains(
                    "kubectl rollout restart deployment -n team -l app.kubernetes.io/instance=todo") == true)
            cluster.sidecars.isInjecting.withLock { $0 = true }
            for service in AppStatusRulesTests.services {
                let name = "todo-\(service.rawValue)"
                let annotations: JSON = ["kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"]
                try await cluster.patch(
                    DesiredState.deploymentType, name,
                    ["spec": ["template": ["metadata": ["annotations": annotations]]]])
                try await cluster.delete(SidecarInspector.podType, "\(name)-0")
            }
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            try await cluster.settle()
            let template = try await cluster.find(DesiredState.deploymentType, "todo-api")?.at("spec", "template")
            #expect(template?.at("metadata", "annotations", "kubectl.kubernetes.io/restartedAt") != nil)
        }
    }

    @Test func whatHasNoPodsHasNoSidecars() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createSecret()
            var services: JSON = [:]
            for service in AppStatusRulesTests.services { services[service.rawValue] = ["replicas": 0] }
            try await cluster.createApp(["database": ["secretRef": ["name": "todo-db"]], "services": services])
            try await cluster.bringUpPods()
            let condition = try await cluster.whenReason(.scaledToZero, of: .daprReady)
            #expect(condition["status"] == "True")
            try await cluster.whenReason(.allReady)
        }
    }

    @Test func aServiceThatWasScaledToZeroByOthersIsNotAwaited() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.install()
            try await cluster.bringUpPods(of: [.api, .audit, .realtime])
            _ = try await eventually("only notification is awaited") {
                let condition = try await cluster.condition(.daprReady)
                let isIt = condition?["message"] == "a ready pod of notification is awaited, to ask its sidecar"
                return isIt && condition?["reason"] == "WaitingForPods" ? true : nil
            }
            try await cluster.whenReason(.rollingOut)
            let generation = try await cluster.find(DesiredState.deploymentType, "todo-notification")?
                .at("metadata", "generation")
            try await cluster.patch(
                DesiredState.deploymentType, "todo-notification",
                [
                    "status": [
                        "observedGeneration": generation ?? 0,
                        "conditions": [
                            ["type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"]
                        ],
                    ]
                ], subresource: "status")
            try await cluster.whenReason(.sidecarsReady, of: .daprReady)
        }
    }

    /// A thousand apps are asked as often, whatever else is changed of them.
    @Test func whatIsWellIsAskedOnceInFiveMinutes() async throws {
        let time = ManualTime()
        let cluster = try await OperatorHarness(time: time)
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.settle()
            let before = cluster.sidecars.asked.withLock { $0.count }
            for step in 0..<60 {
                let mode: JSON = step % 2 == 0 ? "Disabled" : "Enabled"
                try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["networkPolicy": mode]])
                try await cluster.pass(.seconds(10), on: time)
            }
            let asked = cluster.sidecars.asked.withLock { $0.count } - before
            #expect((4...12).contains(asked), "in ten minutes four services were asked \(asked) times")
            let lists = cluster.reads.withLock { $0.filter { $0.contains("/pods?") } }
            #expect(lists.allSatisfy { $0.contains("labelSelector=") && $0.contains("/namespaces/team/") })
        }
    }

    private static let expected = SidecarExpectation(
        service: .audit, appID: "todo-audit", pubsub: "todo-audit-pubsub", components: ["todo-audit-daily"],
        topics: ["audit-events"])

    private static let loaded: JSON = [["name": "todo-audit-pubsub"], ["name": "todo-audit-daily"]]

    private static func pod(_ lists: JSON) -> KubernetesObject {
        KubernetesObject(["metadata": ["name": "a", "namespace": "team"], "spec": lists])
    }

    /// A native sidecar is an init container (contracts, section 1).
    @Test(
        arguments: [
            (["containers": [["name": "audit"]]], .sidecarNotInjected),
            (["containers": [["name": "audit"], ["name": "daprd"]]], .sidecarUnreachable),
            (["containers": [["name": "audit"]], "initContainers": [["name": "daprd"]]], .sidecarUnreachable),
        ] as [(JSON, ConditionReason)])
    func silenceMeansOneThingOrTheOther(spec: JSON, reason: ConditionReason) {
        let report = SidecarReport(.none("timeout"), of: Self.pod(spec), expecting: Self.expected)
        #expect(report.problem?.reason == reason)
    }

    @Test(
        arguments: [
            (["id": "todo-audit"], .componentNotLoaded),
            (["id": "other", "components": [["name": "todo-audit-pubsub"]]], .sidecarUnreachable),
            (["id": "todo-audit", "components": [["name": "todo-audit-pubsub"]]], .componentNotLoaded),
            (["id": "todo-audit", "components": loaded], .subscriptionNotLive),
            (
                [
                    "id": "todo-audit", "components": loaded,
                    "subscriptions": [["pubsubname": "other", "topic": "audit-events"]],
                ], .subscriptionNotLive
            ),
            (
                [
                    "id": "todo-audit", "components": loaded,
                    "subscriptions": [["pubsubname": "todo-audit-pubsub", "topic": "audit-events"]],
                ], nil
            ),
        ] as [(JSON, ConditionReason?)])
    func whatASidecarSaysIsCompared(metadata: JSON, reason: ConditionReason?) {
        let report = SidecarReport(
            .metadata(metadata), of: Self.pod(["containers": []]), expecting: Self.expected)
        #expect(report.problem?.reason == reason)
    }
}

extension OperatorHarness {
    /// The pods of a service are replaced, one after the other.
    fileprivate func restart(_ deployment: String) async throws {
        for ready in [1, 2] as [JSON] {
            try await patch(
                DesiredState.deploymentType, deployment, ["status": ["readyReplicas": ready]], subresource: "status")
            try await settle()
        }
    }
}
