import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// Promise 11: a change of the pods reaches one service after the other.
@Suite(.timeLimit(.minutes(10))) struct RolloutLineTests {
    /// The app's objects, and its Deployments as they are once each was applied and is up.
    private static func objects(image: String = "todo:1", policy: String = "Paced") throws -> (TodoApp, [JSON]) {
        var resource = DesiredStateTests.minimal
        resource.set(.string(image), at: "spec", "image")
        resource.set(.string(policy), at: "spec", "upgradePolicy")
        let app = try TodoApp(validating: resource)
        return (app, DesiredState.services(of: app, TopicPlan(app), inputs: DesiredStateInputs()))
    }

    private static func up(_ objects: [JSON]) -> [String: JSON] {
        objects.filter { $0["kind"] == "Deployment" }.reduce(into: [:]) { live, object in
            var deployment = object
            deployment.set(4, at: "metadata", "generation")
            deployment["status"] = AppStatusRulesTests.deployment(updated: 2, ready: 2)["status"]
            live[object.at("metadata", "name")?.string ?? ""] = deployment
        }
    }

    /// What all of `todo:1` look like once they are up.
    private static func live() throws -> [String: JSON] {
        let (app, objects) = try objects()
        return up(RolloutLine(of: app, objects, live: [:]).due)
    }

    private static func deployments(_ objects: [JSON]) -> [String] {
        objects.filter { $0["kind"] == "Deployment" }.compactMap { $0.at("metadata", "name")?.string }
    }

    @Test func aNewAppIsMadeAllAtOnce() throws {
        let (app, objects) = try Self.objects()
        let line = RolloutLine(of: app, objects, live: [:])
        #expect(line.due.count == objects.count)
        #expect(Self.deployments(line.kept) == [])
    }

    @Test func aChangeOfTheTemplateBeginsWithTheFirst() throws {
        let (app, objects) = try Self.objects(image: "todo:2")
        let line = RolloutLine(of: app, objects, live: try Self.live())
        #expect(Self.deployments(line.due) == ["todo-api"])
        #expect(Self.deployments(line.kept) == ["todo-audit", "todo-notification", "todo-realtime"])
        #expect(line.due.count + line.kept.count == objects.count, "everything else is applied")
        let (parallel, all) = try Self.objects(image: "todo:2", policy: "Parallel")
        #expect(RolloutLine(of: parallel, all, live: try Self.live()).kept == [])
    }

    @Test(arguments: [
        // New pods beside the old ones, and the controller has not looked yet.
        (AppStatusRulesTests.deployment(updated: 1, ready: 2, total: 3), true),
        (AppStatusRulesTests.deployment(updated: 1, ready: 3, total: 3), true),
        (AppStatusRulesTests.deployment(updated: 2, ready: 2, observed: 3), true),
        (AppStatusRulesTests.deployment(updated: 1, ready: 2, total: 3, progressing: "ProgressDeadlineExceeded"), true),
        (AppStatusRulesTests.deployment(updated: 2, ready: 1), true),
        (AppStatusRulesTests.deployment(updated: 2, ready: 2), false),
        // It was rolled out, and has lost a pod since.
        (AppStatusRulesTests.deployment(updated: 2, ready: 1, progressing: "NewReplicaSetAvailable"), false),
    ])
    func theNextComesOnceTheOneBeforeIsRolledOut(first: JSON, holds: Bool) throws {
        let (app, objects) = try Self.objects(image: "todo:2")
        var live = try Self.live()
        var api = try #require(RolloutLine(of: app, objects, live: live).due.last)
        api.set(4, at: "metadata", "generation")
        api["status"] = first["status"]
        live["todo-api"] = api
        let line = RolloutLine(of: app, objects, live: live)
        #expect(Self.deployments(line.due) == (holds ? ["todo-api"] : ["todo-api", "todo-audit"]))
    }

    @Test func whatHasNothingToProtectDoesNotWait() throws {
        let (app, objects) = try Self.objects(image: "todo:2")
        var live = try Self.live()
        live["todo-realtime"] = nil
        live["todo-notification"]?.set(0, at: "status", "readyReplicas")
        let line = RolloutLine(of: app, objects, live: live)
        #expect(Self.deployments(line.due) == ["todo-api", "todo-notification", "todo-realtime"])
        #expect(Self.deployments(line.kept) == ["todo-audit"])
    }

    /// Those of an earlier release have no digest; they are given one without anything being rolled out.
    @Test func anUpgradeOfTheOperatorWaitsForNothing() throws {
        let (app, objects) = try Self.objects()
        #expect(RolloutLine(of: app, objects, live: Self.up(objects)).kept == [])
    }

    @Test func eachServiceIsRolledOutOnceTheOneBeforeIsReady() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["image": "todo:2"]])
            var waiting = ["audit", "notification", "realtime"]
            for service in AppStatusRulesTests.services {
                try await cluster.whenImage("todo:2", of: service)
                let condition = try await cluster.whenServicesSay(
                    waiting.isEmpty ? "\(service.rawValue): " : "then come \(waiting.joined(separator: ", "))")
                #expect(condition["reason"] == "RollingOut")
                #expect(condition["message"]?.string?.hasPrefix("\(service.rawValue): ") == true)
                try await cluster.settle()
                for later in waiting {
                    #expect(
                        try await cluster.image(of: later) != "todo:2",
                        "\(later) while \(service.rawValue) is rolled out")
                }
                #expect(try await cluster.condition(.ready)?["status"] == "False")
                try await cluster.bringUpPods(of: [service])
                waiting = Array(waiting.dropFirst())
            }
            try await cluster.whenReason(.allReady)
            #expect(try await cluster.find(TodoGroup.todoApp, "todo")?.at("status", "version") == "2")
        }
    }

    @Test func theLineStopsAtTheOneThatFailsAndGoesOnOnceItIsMended() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            let old = try await cluster.image(of: "audit")
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["image": "todo:broken"]])
            try await cluster.whenImage("todo:broken", of: .api)
            try await cluster.failRollout(of: "todo-api")
            let stalled = try await cluster.whenReason(.rolloutFailed, of: .stalled)
            #expect(stalled["message"]?.string?.contains("then come audit, notification, realtime") == true)
            // One that is gone is made at once; the others keep what they have.
            try await cluster.delete(DesiredState.deploymentType, "todo-realtime")
            try await cluster.whenImage("todo:broken", of: .realtime)
            try await cluster.settle()
            #expect(try await cluster.image(of: "audit") == old)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["image": .string(old ?? "")]])
            try await cluster.whenImage(old ?? "", of: .api)
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
        }
    }

    /// Those that wait for their turn, and the old pods of the one whose turn it is, still use it.
    @Test func aKafkaThatIsNoLongerWantedGoesOnceTheLastServiceHasLeftIt() async throws {
        let cluster = try await OperatorHarness(neighbours: KafkaTests.neighbours)
        let strimzi = ScriptedStrimzi(cluster: cluster)
        func left() async throws -> [String] {
            var names: [String] = []
            for type in DesiredState.kafkaTypes {
                names += try await cluster.person.list(type, namespace: "team", options: ListOptions()).items
                    .filter { !$0.isBeingDeleted }.map { "\($0.kind) \($0.name)" }
            }
            return names
        }
        try await cluster.whileRunning {
            try await strimzi.bringUpApp()
            let before = try await left()
            #expect(before.count == 11)
            var kafka = OperatorHarness.externalKafka
            kafka["managed"] = .null
            try await cluster.patch(
                TodoGroup.todoApp, "todo", ["spec": ["kafka": kafka, "services": ["api": ["replicas": 3]]]])
            for service in AppStatusRulesTests.services {
                try await cluster.whenServicesSay("\(service.rawValue): 0 of")
                try await cluster.settle()
                #expect(try await left() == before, "while \(service.rawValue) is rolled out")
                for port: JSON in [9092, 9093] { #expect(try await cluster.isOpen(port, to: service)) }
                let told = try await cluster.condition(.kafkaReady)?["message"]?.string ?? ""
                #expect(told.hasSuffix("Kafka todo goes once every service is rolled out"), "\(told)")
                try await cluster.bringUpPods(of: [service])
            }
            try await cluster.whenReason(.allReady)
            _ = try await eventually("then it goes") { try await left().isEmpty ? true : nil }
            _ = try await eventually("and the way to it") { try await cluster.isOpen(9093, to: .api) ? nil : true }
        }
    }

    /// A pod that makes one more connection finds its database, be it one of before or a new one.
    @Test func theWayToTheDatabaseOfBeforeIsOpenUntilNobodyTakesIt() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.rewrite("todo-db", ["uri": "postgresql://todo:secret@db:6543/todo"])
            var isBefore = AppStatusRulesTests.services.filter { $0 != .realtime }
            for service in isBefore {
                try await cluster.whenServicesSay("\(service.rawValue): 0 of")
                try await cluster.settle()
                for other in AppStatusRulesTests.services where other != .realtime {
                    #expect(try await cluster.isOpen(6543, to: other), "\(other) while \(service) is rolled out")
                    #expect(
                        try await cluster.isOpen(5432, to: other) == isBefore.contains(other),
                        "\(other) while \(service) is rolled out")
                }
                try await cluster.bringUpPods(of: [service])
                isBefore.removeFirst()
            }
            try await cluster.whenReason(.allReady)
            try await cluster.settle()
            #expect(try await !cluster.isOpen(5432, to: .notification))
            #expect(try await !cluster.isOpen(6543, to: .realtime), "it has no database")
        }
    }

    /// Only what names ports: what somebody else has opened besides is drift.
    @Test func onlyPortsAreKeptOpenAndOnlyWhilePodsAreReplaced() async throws {
        func egress(_ app: TodoApp, _ objects: [JSON], live: [String: JSON], _ policy: JSON) async throws
            -> [JSON]?
        {
            var line = RolloutLine(of: app, objects, live: live)
            try await line.keepPortsOpen { $0 == "todo-api" ? policy : nil }
            #expect(line.due.count + line.kept.count == objects.count)
            return line.due.first { $0["kind"] == "NetworkPolicy" && $0.at("metadata", "name") == "todo-api" }?
                .at("spec", "egress")?.array
        }
        let (app, objects) = try Self.objects(image: "todo:2")
        let wanted = try #require(try await egress(app, objects, live: [:], .null))
        let before: JSON = ["ports": [["port": 1, "protocol": "TCP"]]]
        let policy: JSON = [
            "spec": ["egress": .array(wanted + [before, [:], ["ports": [["port": 2]], "to": [["podSelector": [:]]]]])]
        ]
        #expect(try await egress(app, objects, live: try Self.live(), policy) == wanted + [before])
        let (old, same) = try Self.objects()
        #expect(
            try await egress(old, same, live: try Self.live(), policy) == wanted, "every pod has the present template")
        #expect(try await egress(app, objects, live: [:], policy) == wanted, "there is no pod")
    }

    /// While one service is rolled out, what is not in the line is as quick as ever.
    @Test func scalingAndDriftDoNotWait() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            let resources: JSON = ["limits": ["memory": "1Gi"]]
            try await cluster.patch(
                TodoGroup.todoApp, "todo", ["spec": ["services": ["api": ["resources": resources]]]])
            try await cluster.whenServicesSay("api: 0 of 2 pods updated")
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["services": ["realtime": ["replicas": 3]]]])
            _ = try await eventually("realtime is scaled") {
                try await cluster.find(DesiredState.deploymentType, "todo-realtime")?.at("spec", "replicas") == 3
                    ? true : nil
            }
            try await cluster.patch(DesiredState.deploymentType, "todo-audit", ["spec": ["replicas": 9]])
            _ = try await eventually("the drift of audit is put back") {
                try await cluster.find(DesiredState.deploymentType, "todo-audit")?.at("spec", "replicas") == 2
                    ? true : nil
            }
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
        }
    }
}

extension OperatorHarness {
    func image(of service: String) async throws -> String? {
        try await find(DesiredState.deploymentType, "todo-\(service)")?
            .at("spec", "template", "spec", "containers")?[0]?["image"]?.string
    }

    /// Whether the pods of the service may go out to that port of everything.
    fileprivate func isOpen(_ port: JSON, to service: TodoApp.ServiceName) async throws -> Bool {
        let policy = try await find(Self.policies, "todo-\(service.rawValue)")
        return policy?.at("spec", "egress")?.array?.contains { rule in
            rule["ports"]?.array?.contains { $0["port"] == port } ?? false
        } ?? false
    }

    fileprivate func whenImage(_ image: String, of service: TodoApp.ServiceName) async throws {
        _ = try await eventually("\(service.rawValue) has \(image)") {
            try await self.image(of: service.rawValue) == image ? true : nil
        }
    }

    @discardableResult
    fileprivate func whenServicesSay(_ words: String) async throws -> JSON {
        try await eventually("ServicesReady says \(words)") {
            let condition = try await self.condition(.servicesReady)
            return condition?["message"]?.string?.contains(words) == true ? condition : nil
        }
    }

    fileprivate func failRollout(of deployment: String) async throws {
        let generation = try await find(DesiredState.deploymentType, deployment)?.at("metadata", "generation") ?? 0
        try await patch(
            DesiredState.deploymentType, deployment,
            [
                "status": [
                    "observedGeneration": generation, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 2,
                    "conditions": [["type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"]],
                ]
            ], subresource: "status")
    }
}
