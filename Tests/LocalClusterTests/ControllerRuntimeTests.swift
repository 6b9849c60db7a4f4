import APIServer
import Concurrency
import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct ControllerRuntimeTests {
    private func ready(_ op: GadgetOperator, _ name: String) async throws -> Bool {
        let gadget = try await op.client.getIfPresent(GadgetOperator.gadget, namespace: "default", name: name)
        return gadget.map { $0.status?["observedGeneration"]?.int == $0.generation } ?? false
    }

    /// Every write of the operator is in its caches and no pass is due.
    private func settled(_ op: GadgetOperator, _ names: [String]) async throws {
        try await eventually("the operator is idle") {
            guard op.controller.isIdle else { return false }
            for name in names {
                let key = ObjectKey(namespace: "default", name: name)
                let gadget = try await op.client.get(GadgetOperator.gadget, namespace: "default", name: name)
                let deployment = try await op.deployment(name)
                guard op.gadgets.store.stored(key)?.resourceVersion == gadget.resourceVersion,
                    op.deployments.store.stored(key)?.resourceVersion == deployment?.resourceVersion
                else { return false }
            }
            return true
        }
    }

    @Test func aServerThatSetsDefaultsGetsOneApplyAndNoMore() async throws {
        let op = try await GadgetOperator()
        try await op.installDefinition()
        try await op.create("a")
        try await op.running {
            try await eventually("it is ready") { try await ready(op, "a") }
            try await settled(op, ["a"])
            let deployment = try await op.deployment("a")
            #expect(deployment?.spec?["revisionHistoryLimit"] == 10, "the server has set defaults")
            op.writes.withLock { $0 = [] }
            for _ in 0..<50 {
                op.controller.enqueueAll()
                try await settled(op, ["a"])
            }
            // Status and foreign fields are nobody's business.
            try await op.patch(GadgetOperator.deployment, "a", ["spec": ["minReadySeconds": 3]])
            try await op.patch(GadgetOperator.deployment, "a", ["metadata": ["annotations": ["x": "y"]]])
            try await settled(op, ["a"])
            #expect(op.writes.withLock { $0 } == [])
        }
    }

    @Test func driftIsPutBackAFieldNoLongerWantedGoesAndOtherFieldsStay() async throws {
        let op = try await GadgetOperator()
        try await op.installDefinition()
        try await op.create("a", ["replicas": 2, "level": "debug"])
        try await op.running {
            try await eventually("it is ready") { try await ready(op, "a") }
            try await op.patch(GadgetOperator.deployment, "a", ["spec": ["replicas": 7, "minReadySeconds": 3]])
            try await eventually("replicas are back") { try await op.deployment("a")?.spec?["replicas"] == 2 }
            #expect(try await op.deployment("a")?.spec?["minReadySeconds"] == 3)
            #expect(op.env(try await op.deployment("a"))?[0]?["value"] == "debug")
            try await op.patch(GadgetOperator.gadget, "a", ["spec": ["level": nil]])
            try await eventually("the variable is gone") { op.env(try await op.deployment("a")) == nil }
            _ = try await op.client.delete(GadgetOperator.deployment, namespace: "default", name: "a")
            try await eventually("the child is back") { try await op.deployment("a") != nil }
        }
    }

    @Test func lostHistoryAndFailingWritesOnlyDelay() async throws {
        let op = try await GadgetOperator()
        try await op.installDefinition()
        try await op.running {
            for round in 0..<5 {
                let name = "r\(round)"
                let patches = Faults.Match(verbs: ["patch"], resource: "deployments", user: "operator")
                _ = op.api.faults.add(.status(500), for: patches, count: 2)
                _ = op.api.faults.add(.dropAfter, for: patches, count: 1)
                try await op.create(name)
                op.api.forgetHistory()
                try await eventually("\(name) is ready") { try await ready(op, name) }
                try await op.client.delete(GadgetOperator.gadget, namespace: "default", name: name)
                op.api.forgetHistory()
                try await eventually("\(name) is gone from the cache") {
                    !op.gadgets.store.contains(ObjectKey(namespace: "default", name: name))
                }
            }
        }
    }

    @Test func aTypeThatIsInstalledLaterIsFollowedFromThenOn() async throws {
        let op = try await GadgetOperator()
        try await op.running {
            try await eventually("it is known to be absent") { op.gadgets.status == .absent }
            try await op.installDefinition()
            try await op.create("a")
            try await eventually("it is ready") { try await ready(op, "a") }
            try await op.client.delete(GadgetOperator.gadget, namespace: "default", name: "a")
            try await eventually("it is gone") { op.gadgets.store.keys.isEmpty }
            try await op.client.delete(GadgetOperator.definition, name: "gadgets.example.com")
            try await eventually("it is absent again") {
                op.gadgets.status == .absent && op.gadgets.store.keys.isEmpty
            }
        }
    }

    @Test func aLeaderWritesItsLeaseAndEventsThatTheServerAccepts() async throws {
        let election = LeaderElector.Options(namespace: "default", name: "gadget-operator", identity: "one")
        let op = try await GadgetOperator(election: election)
        try await op.installDefinition()
        try await op.create("a")
        try await op.running {
            try await eventually("it is ready") { try await ready(op, "a") }
            let lease = try await op.client.get(GadgetOperator.lease, namespace: "default", name: "gadget-operator")
            #expect(lease.spec?["holderIdentity"] == "one")
            try await eventually("the event is there") {
                try await op.client.list(GadgetOperator.event, namespace: "default").items.contains {
                    $0.json["reason"] == "Applied" && $0.json["regarding"]?["name"] == "a"
                }
            }
            #expect(op.manager.isLeading)
        }
    }

    @Test func hundredsOfObjectsAtOnceEachGetOneApplyAndOneStatus() async throws {
        let op = try await GadgetOperator()
        try await op.installDefinition()
        for index in 0..<300 { try await op.create("g\(index)") }
        try await op.running {
            try await eventually("all are ready", limit: .seconds(100)) {
                try await ready(op, "g299") && op.controller.isIdle
            }
            try await settled(op, (0..<300).map { "g\($0)" })
            let applies = op.writes.withLock { $0 }
            #expect(applies.count { $0.contains("/deployments/") } == 300)
            #expect(applies.count { $0.hasSuffix("/status") } == 300)
        }
    }
}
