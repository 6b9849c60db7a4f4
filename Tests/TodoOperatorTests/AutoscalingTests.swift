import APIServer
import Concurrency
import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// Services whose number of pods the load sets: nobody is fought over it, and it never falls by our doing.
@Suite(.timeLimit(.minutes(10))) struct AutoscalingTests {
    static let neighbours = DesiredState.daprTypes + DesiredState.kedaTypes
    static let byLoad: JSON = ["maxReplicas": 20, "targetCPUUtilizationPercentage": 70]
    static let byLag: JSON = ["maxReplicas": 20, "kafkaLag": 100]
    static let works: [JSON] = [
        ["type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"],
        ["type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"],
    ]
    static let isReady: [JSON] = [["type": "Ready", "status": "True", "reason": "ScaledObjectReady"]]

    private static let count: @Sendable (JSON) -> JSON? = { $0.at("spec", "replicas") }
    private static let readiness: @Sendable (JSON) -> JSON? = { app in
        app.at("status", "conditions")?.array?.first { $0["type"] == "Ready" }?["status"]
    }

    // MARK: - The number of pods

    @Test func theNumberOfPodsIsHandedOverAsItIs() async throws {
        let cluster = try await OperatorHarness(neighbours: Self.neighbours)
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.scaleService("api", ["replicas": 6])
            try await cluster.whenReplicas(6)
            let counts = try await cluster.recording(DesiredState.deploymentType, "todo-api", Self.count) {
                try await cluster.scaleService("api", ["replicas": 3, "autoscaling": Self.byLoad])
                _ = try await eventually("the autoscaler") {
                    try await cluster.find(DesiredState.autoscalerType, "todo-api")
                }
                try await cluster.settle()
            }
            #expect(Set(counts) == [6], "as it was, in each version of the Deployment: \(counts)")
            let owners = try await cluster.find(DesiredState.deploymentType, "todo-api")?
                .at("metadata", "managedFields")?.array?
                .filter { $0.at("fieldsV1", "f:spec", "f:replicas") != nil }.compactMap { $0["manager"]?.string }
            #expect(owners == ["todo-operator-replicas"])
        }
    }

    @Test func whatTheAutoscalerSetsStaysAndIsTold() async throws {
        let cluster = try await OperatorHarness(neighbours: Self.neighbours)
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.scaleService("api", ["autoscaling": Self.byLoad])
            try await cluster.say(Self.works, of: DesiredState.autoscalerType, "todo-api")
            try await cluster.whenReason(.autoscaled, of: .autoscalingReady)
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            let ready = try await cluster.recording(TodoGroup.todoApp, "todo", Self.readiness) {
                try await cluster.scaleByAutoscaler(to: 9)
                try await cluster.settle()
                try await cluster.bringUpPods()
                _ = try await eventually("the status has it") {
                    let services = try await cluster.find(TodoGroup.todoApp, "todo")?.at("status", "services")
                    return services?[0]?["desired"] == 9 ? true : nil
                }
                try await cluster.settle()
            }
            #expect(Set(ready) == ["True"], "not for a moment is it not ready, and is it written: \(ready)")
            #expect(try await cluster.find(DesiredState.deploymentType, "todo-api")?.at("spec", "replicas") == 9)
            // The spec says it again.
            try await cluster.scaleService("api", ["replicas": 4, "autoscaling": .null])
            try await cluster.whenReplicas(4)
            try await cluster.whenGone(DesiredState.autoscalerType, "todo-api")
            _ = try await eventually("there is nothing to tell any more") {
                try await cluster.condition(.autoscalingReady) == nil ? true : nil
            }
        }
    }

    @Test func thereAreNeverFewerPodsThanTheSpecAsksFor() async throws {
        let cluster = try await OperatorHarness(neighbours: Self.neighbours)
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp([
                "database": ["secretRef": ["name": "todo-db"]],
                "services": ["api": ["replicas": 3, "autoscaling": Self.byLoad]],
            ])
            try await cluster.whenReplicas(3)
            try await cluster.scaleByAutoscaler(to: 0)
            try await cluster.bringUpPods(of: [.api])
            try await cluster.whenReplicas(3)
        }
    }

    /// Promise 1, with what only others own.
    @Test func nothingIsWrittenWhileNothingChanges() async throws {
        let time = ManualTime()
        let cluster = try await OperatorHarness(time: time, neighbours: Self.neighbours)
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.scaleService("api", ["autoscaling": Self.byLoad])
            try await cluster.scaleService("audit", ["autoscaling": Self.byLag])
            try await cluster.say(Self.works, of: DesiredState.autoscalerType, "todo-api")
            try await cluster.say(Self.isReady, of: DesiredState.scaledObjectType, "todo-audit")
            try await cluster.scaleByAutoscaler(to: 7)
            try await cluster.bringUpPods()
            try await cluster.settle()
            try await cluster.pass(.seconds(10), on: time)
            let before = cluster.writes.withLock { $0.filter { !$0.contains("/events") } }
            for _ in 0..<60 { try await cluster.pass(.seconds(10), on: time) }
            let after = cluster.writes.withLock { $0.filter { !$0.contains("/events") } }
            #expect(after.dropFirst(before.count) == [])
            #expect(try await cluster.condition(.ready)?["status"] == "True")
        }
    }

    // MARK: - What is in the way

    @Test func withoutKEDATheConditionNamesItAndItHealsByItself() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.scaleService("api", ["autoscaling": Self.byLoad])
            try await cluster.scaleService("audit", ["replicas": 3, "autoscaling": Self.byLag])
            let condition = try await cluster.whenReason(.kedaNotInstalled, of: .autoscalingReady)
            #expect(condition["message"]?.string?.contains("install KEDA 2.20") == true)
            #expect(try await cluster.find(DesiredState.autoscalerType, "todo-api") != nil, "it needs no KEDA")
            _ = try await eventually("the least number of pods") {
                let audit = try await cluster.find(DesiredState.deploymentType, "todo-audit")
                return audit?.at("spec", "replicas") == 3 ? true : nil
            }
            try await cluster.bringUpPods()
            try await cluster.whenReason(.kedaNotInstalled)
            #expect(try await cluster.condition(.servicesReady)?["status"] == "True")
            try await cluster.say(Self.works, of: DesiredState.autoscalerType, "todo-api")
            for type in DesiredState.kedaTypes {
                _ = try await cluster.person.create(
                    KubernetesObject(OperatorHarness.definition(of: type)), CRDCheck.definitionType, namespace: nil)
            }
            try await cluster.say(
                Self.isReady, of: DesiredState.scaledObjectType, "todo-audit", within: .seconds(60))
            try await cluster.whenReason(.allReady)
        }
    }

    @Test func whatTheServerRefusesIsToldAndTriedAgain() async throws {
        let cluster = try await OperatorHarness(
            definitions: CustomResourceDefinitions.all + [Self.refusingDefinition],
            neighbours: DesiredState.daprTypes + [DesiredState.kedaTypes[0]])
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.scaleService("audit", ["autoscaling": Self.byLag])
            let condition = try await cluster.whenReason(.autoscalerRefused, of: .autoscalingReady)
            #expect(condition["message"]?.string?.contains("is already managed by the hpa 'other'") == true)
            try await cluster.bringUpPods()
            try await cluster.whenReason(.autoscalerRefused)
            // The rest goes on.
            try await cluster.scaleService("api", ["replicas": 5])
            try await cluster.whenReplicas(5)
            let refusal = cluster.server.faults.add(
                .status(500), for: .init(verbs: ["patch"], resource: "scaledobjects"))
            try await cluster.scaleService("audit", ["autoscaling": ["maxReplicas": 9, "kafkaLag": 100]])
            _ = try await eventually("it is tried") { cluster.server.faults.hits(of: refusal) > 0 ? true : nil }
            #expect(try await cluster.find(DesiredState.scaledObjectType, "todo-audit") == nil)
            cluster.server.faults.remove(refusal)
            try await cluster.whenReason(.waitingForAutoscaler, of: .autoscalingReady)
        }
    }

    /// Plays KEDA's webhook.
    private static var refusingDefinition: JSON {
        var definition = OperatorHarness.definition(of: DesiredState.scaledObjectType)
        var version = definition.at("spec", "versions")?[0] ?? [:]
        version.set(
            [
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                "properties": ["maxReplicaCount": ["type": "integer"]],
                "x-kubernetes-validations": [
                    [
                        "rule": "self.maxReplicaCount < 10",
                        "message":
                            "the workload 'todo-audit' of type 'apps/v1.Deployment' is already managed by the hpa 'other'",
                    ]
                ],
            ], at: "schema", "openAPIV3Schema", "properties", "spec")
        definition.set([version], at: "spec", "versions")
        return definition
    }

    @Test func whatKEDAAndKubernetesSayIsPassedOnAtOnce() async throws {
        let cluster = try await OperatorHarness(neighbours: Self.neighbours)
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.scaleService("api", ["autoscaling": Self.byLoad])
            try await cluster.scaleService("audit", ["autoscaling": Self.byLag])
            try await cluster.whenReason(.waitingForAutoscaler, of: .autoscalingReady)
            try await cluster.say(Self.works, of: DesiredState.autoscalerType, "todo-api")
            try await cluster.say(Self.isReady, of: DesiredState.scaledObjectType, "todo-audit")
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            // It is looked at again after minutes: sooner only because something has changed.
            try await cluster.say(
                [["type": "Ready", "status": "False", "reason": "TriggerError", "message": "no broker answers"]],
                of: DesiredState.scaledObjectType, "todo-audit")
            let failed = try await cluster.whenReason(.autoscalerFailed, of: .autoscalingReady)
            #expect(failed["message"] == "ScaledObject todo-audit: TriggerError: no broker answers")
            try await cluster.whenReason(.autoscalerFailed)
            try await cluster.say(Self.isReady, of: DesiredState.scaledObjectType, "todo-audit")
            try await cluster.whenReason(.allReady)
        }
    }

    // MARK: - From one to the other

    @Test func theAutoscalerOfBeforeGoesFirst() async throws {
        let cluster = try await OperatorHarness(neighbours: Self.neighbours)
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.scaleService("audit", ["autoscaling": Self.byLoad])
            try await cluster.say(Self.works, of: DesiredState.autoscalerType, "todo-audit")
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            let start = cluster.writes.withLock { $0.count }
            try await cluster.scaleService("audit", ["autoscaling": Self.byLag.replacing(Self.byLoad)])
            try await cluster.say(Self.isReady, of: DesiredState.scaledObjectType, "todo-audit")
            try await cluster.settle()
            try await cluster.whenReason(.allReady)
            let writes = cluster.writes.withLock { Array($0[start...]) }
            let removed = try #require(
                writes.firstIndex { $0.hasPrefix("DELETE") && $0.contains("/horizontalpodautoscalers/todo-audit") })
            let applied = try #require(writes.firstIndex { $0.contains("/scaledobjects/todo-audit") })
            #expect(removed < applied, "KEDA refuses a Deployment that another autoscaler manages")

            // KEDA has made its own, with the labels of the ScaledObject; it goes some time after that.
            let scaled = try #require(try await cluster.find(DesiredState.scaledObjectType, "todo-audit"))
            try await cluster.createAutoscaler(ofKEDAFor: scaled)
            try await cluster.settle()
            try await cluster.scaleService("audit", ["autoscaling": Self.byLoad.replacing(Self.byLag)])
            let waiting = try await cluster.whenReason(.waitingForAutoscaler, of: .autoscalingReady)
            #expect(waiting["message"]?.string?.contains("until KEDA has removed") == true)
            try await cluster.whenGone(DesiredState.scaledObjectType, "todo-audit")
            try await cluster.delete(DesiredState.autoscalerType, "todo-audit")
            try await cluster.say(Self.works, of: DesiredState.autoscalerType, "todo-audit")
            try await cluster.whenReason(.allReady)
        }
    }

    // MARK: - Variables

    @Test func aChangedSecretOfAVariableRollsThePodsAndAMissingOneHoldsNothingUp() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            func checksum() async throws -> JSON? {
                try await cluster.find(DesiredState.deploymentType, "todo-api")?.at(
                    "spec", "template", "metadata", "annotations", Label.secretChecksum)
            }
            let without = try await checksum()
            func variable(_ key: String) -> JSON {
                [
                    "name": .string(key.uppercased()),
                    "valueFrom": ["secretKeyRef": ["name": "more", "key": .string(key)]],
                ]
            }
            try await cluster.scaleService("api", ["env": [variable("more"), variable("never")]])
            let missing = try await eventually("the variable") {
                let now = try await checksum()
                return now == without ? nil : now
            }
            _ = try await cluster.person.create(
                KubernetesObject(["metadata": ["name": "more"], "stringData": ["more": "x"]]), OperatorHarness.secrets,
                namespace: "team")
            let there = try await eventually("the pods are rolled") {
                let now = try await checksum()
                return now == missing ? nil : now
            }
            // The other key is still missing.
            try await cluster.rewrite("more", ["more": "y"])
            _ = try await eventually("the pods are rolled again") {
                try await checksum() == there ? nil : true
            }
        }
    }
}

extension JSON {
    /// As a merge patch that takes away what `old` has besides.
    fileprivate func replacing(_ old: JSON) -> JSON {
        var patch = self
        for (key, _) in old.object ?? JSONObject() where self[key] == nil { patch[key] = JSON.null }
        return patch
    }
}

extension OperatorHarness {
    fileprivate func scaleService(_ service: String, _ change: JSON) async throws {
        try await patch(TodoGroup.todoApp, "todo", ["spec": ["services": [service: change]]])
    }

    /// As the HPA controller does: by the subresource.
    fileprivate func scaleByAutoscaler(to count: Int) async throws {
        try await patch(
            DesiredState.deploymentType, "todo-api", ["spec": ["replicas": JSON(count)]], subresource: "scale")
    }

    fileprivate func say(
        _ conditions: [JSON], of type: ResourceType, _ name: String, within limit: Duration = .seconds(60)
    ) async throws {
        _ = try await eventually("\(type.kind) \(name)", within: limit) {
            let object = try await find(type, name)
            // One of KEDA's is not the operator's.
            return object?.at("metadata", "ownerReferences")?[0]?["kind"] == "TodoApp" ? object : nil
        }
        try await patch(type, name, ["status": ["conditions": .array(conditions)]], subresource: "status")
    }

    fileprivate func createAutoscaler(ofKEDAFor scaled: JSON) async throws {
        _ = try await person.create(
            KubernetesObject([
                "metadata": [
                    "name": scaled.at("metadata", "name") ?? "", "labels": scaled.at("metadata", "labels") ?? [:],
                    "ownerReferences": [
                        [
                            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "controller": true,
                            "name": scaled.at("metadata", "name") ?? "", "uid": scaled.at("metadata", "uid") ?? "",
                        ]
                    ],
                ],
                "spec": ["maxReplicas": 20, "scaleTargetRef": scaled.at("spec", "scaleTargetRef") ?? [:]],
            ]), DesiredState.autoscalerType, namespace: "team")
    }

    /// What each new version of an object says while `body` runs.
    func recording(
        _ type: ResourceType, _ name: String, _ value: @escaping @Sendable (JSON) -> JSON?,
        _ body: () async throws -> Void
    ) async throws -> [JSON] {
        let seen = Lock<[(version: String, value: JSON)]>([])
        let list = try await person.list(type, namespace: "team", options: ListOptions())
        let stream = try await person.watch(
            type, namespace: "team", options: WatchOptions(resourceVersion: list.resourceVersion))
        let watching = Task {
            for try await event in stream {
                guard case .modified(let object) = event, object.name == name else { continue }
                seen.withLock { $0.append((object.resourceVersion, value(object.json) ?? .null)) }
            }
        }
        defer { watching.cancel() }
        try await body()
        let last = try await find(type, name)?.at("metadata", "resourceVersion")?.string
        _ = try await eventually("the last version") { seen.withLock { $0.last?.version } == last ? true : nil }
        return seen.withLock { $0.map(\.value) }
    }
}
