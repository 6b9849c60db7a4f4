import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

private func pod(
    _ name: String, hash: String, ready: Bool = true, phase: String = "Running", deleted: Bool = false
) -> KubernetesObject {
    var metadata: JSON = ["name": JSON(name), "uid": JSON(name), "labels": ["controller-revision-hash": JSON(hash)]]
    if deleted { metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z" }
    return KubernetesObject([
        "metadata": metadata, "spec": ["nodeName": "local"],
        "status": [
            "phase": JSON(phase),
            "conditions": [
                [
                    "type": "Ready", "status": ready ? "True" : "False",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                ]
            ],
        ],
    ])
}

@Suite struct StatefulSetRulesTests {
    private func rules(_ spec: JSON, _ pods: [KubernetesObject]) -> StatefulSetRules {
        let owner = KubernetesObject([
            "metadata": ["name": "db", "namespace": "shop", "uid": "set", "generation": 3], "spec": spec,
        ])
        func revision(_ name: String) -> StatefulSetRules.Revision {
            .init(name: name, hash: name, template: ["metadata": ["labels": ["app": "db", "revision": JSON(name)]]])
        }
        return StatefulSetRules(
            owner: owner, pods: pods, current: revision("old"), update: revision("new"),
            now: KubernetesTime(seconds: 1_800_000_000))
    }

    /// `+db-0` creates, `-db-0` deletes.
    private func steps(_ spec: JSON, _ pods: [KubernetesObject]) -> [String] {
        rules(spec, pods).actions.map { action in
            switch action {
            case .create(let pod): "+\(pod.at("metadata", "name")?.string ?? "")"
            case .delete(let pod): "-\(pod.name)"
            }
        }
    }

    @Test func startsOneAfterTheOther() {
        #expect(steps(["replicas": 3], []) == ["+db-0"])
        #expect(steps(["replicas": 3], [pod("db-0", hash: "new", ready: false)]) == [])
        #expect(steps(["replicas": 3], [pod("db-0", hash: "new")]) == ["+db-1"])
    }

    @Test func inParallelAllAtOnce() {
        #expect(steps(["replicas": 3, "podManagementPolicy": "Parallel"], []) == ["+db-0", "+db-1", "+db-2"])
        let three = (0..<3).map { pod("db-\($0)", hash: "new", ready: false) }
        #expect(steps(["replicas": 1, "podManagementPolicy": "Parallel"], three) == ["-db-2", "-db-1"])
    }

    @Test func endsThemInReverse() {
        let three = (0..<3).map { pod("db-\($0)", hash: "new") }
        #expect(steps(["replicas": 1], three) == ["-db-2"])
        #expect(steps(["replicas": 1], Array(three[..<2]) + [pod("db-2", hash: "new", deleted: true)]) == [])
        #expect(steps(["replicas": 1], Array(three[..<2])) == ["-db-1"])
    }

    @Test func rollsFromTheLastToTheFirstDownToThePartition() {
        let old = (0..<3).map { pod("db-\($0)", hash: "old") }
        #expect(steps(["replicas": 3], old) == ["-db-2"])
        #expect(steps(["replicas": 3], Array(old[..<2])) == ["+db-2"])
        #expect(steps(["replicas": 3], Array(old[..<2]) + [pod("db-2", hash: "new", ready: false)]) == [])
        #expect(steps(["replicas": 3], Array(old[..<2]) + [pod("db-2", hash: "new")]) == ["-db-1"])
        let partition: JSON = ["replicas": 3, "updateStrategy": ["rollingUpdate": ["partition": 2]]]
        #expect(steps(partition, Array(old[..<2]) + [pod("db-2", hash: "new")]) == [])
        #expect(steps(["replicas": 3, "updateStrategy": ["type": "OnDelete"]], old) == [])
    }

    @Test func belowThePartitionANewPodIsOfTheOldTemplate() throws {
        let partition: JSON = [
            "replicas": 2, "podManagementPolicy": "Parallel", "serviceName": "dbs",
            "updateStrategy": ["rollingUpdate": ["partition": 1]],
        ]
        let created = rules(partition, []).actions.compactMap { if case .create(let pod) = $0 { pod } else { nil } }
        #expect(created.map { $0.at("metadata", "labels", "revision") } == ["old", "new"])
        let first = try #require(created.first)
        #expect(first.at("metadata", "labels", "statefulset.kubernetes.io/pod-name") == "db-0")
        #expect(first.at("metadata", "labels", "apps.kubernetes.io/pod-index") == "0")
        #expect(first.at("metadata", "labels", "controller-revision-hash") == "old")
        #expect(first.at("spec", "hostname") == "db-0")
        #expect(first.at("spec", "subdomain") == "dbs")
    }

    @Test func aFailedPodIsReplaced() {
        #expect(steps(["replicas": 1], [pod("db-0", hash: "new", ready: false, phase: "Failed")]) == ["-db-0"])
    }

    @Test func theStatusSaysHowFarTheUpdateIs() {
        let half = rules(["replicas": 2], [pod("db-0", hash: "old"), pod("db-1", hash: "new")]).status()
        #expect(half["currentRevision"] == "old")
        #expect(half["updateRevision"] == "new")
        #expect(half["currentReplicas"] == 1)
        #expect(half["updatedReplicas"] == 1)
        let done = rules(["replicas": 1], [pod("db-0", hash: "new")]).status()
        #expect(done["currentRevision"] == "new")
        #expect(done["currentReplicas"] == 1)
        #expect(done["availableReplicas"] == 1)
        #expect(done["observedGeneration"] == 3)
    }
}

@Suite struct DaemonSetRulesTests {
    private func rules(_ spec: JSON, _ pods: [KubernetesObject], node: JSON = [:]) -> DaemonSetRules {
        let owner = KubernetesObject([
            "metadata": ["name": "agent", "namespace": "shop", "uid": "set", "generation": 2], "spec": spec,
        ])
        let node = KubernetesObject([
            "metadata": ["name": "local", "labels": ["kubernetes.io/os": "linux"]], "spec": node,
        ])
        return DaemonSetRules(
            owner: owner, pods: pods, node: node, hash: "new", now: KubernetesTime(seconds: 1_800_000_000))
    }

    @Test func runsOnePodOnTheNodeCordonedOrNot() throws {
        let created = rules([:], [], node: ["unschedulable": true]).create
        #expect(created.count == 1)
        #expect(created[0].at("metadata", "labels", "controller-revision-hash") == "new")
        #expect(rules([:], [pod("a", hash: "new")]).create.isEmpty)
        #expect(rules([:], [pod("a", hash: "new")]).status["numberReady"] == 1)
        #expect(rules([:], []).status["numberUnavailable"] == 1)
    }

    @Test func keepsOffANodeThatItDoesNotFit() {
        let elsewhere: JSON = ["template": ["spec": ["nodeSelector": ["kubernetes.io/os": "plan9"]]]]
        #expect(rules(elsewhere, []).create.isEmpty)
        #expect(rules(elsewhere, []).status["desiredNumberScheduled"] == 0)
        #expect(rules(elsewhere, [pod("a", hash: "new")]).delete.map(\.name) == ["a"])
        #expect(rules(elsewhere, [pod("a", hash: "new")]).status["numberMisscheduled"] == 1)
        let tainted: JSON = ["taints": [["key": "gpu", "value": "yes", "effect": "NoSchedule"]]]
        #expect(rules([:], [], node: tainted).create.isEmpty)
    }

    @Test func replacesAnOldPod() {
        let old = [pod("a", hash: "old")]
        #expect(rules([:], old).delete.map(\.name) == ["a"])
        #expect(rules([:], old).create.isEmpty)
        #expect(rules([:], []).create.count == 1)
        #expect(rules(["updateStrategy": ["type": "OnDelete"]], old).delete.isEmpty)
        #expect(rules(["updateStrategy": ["type": "OnDelete"]], old).create.isEmpty)
    }

    @Test func withASurgeTheNewPodComesFirst() {
        let surge: JSON = ["updateStrategy": ["rollingUpdate": ["maxSurge": "50%", "maxUnavailable": 0]]]
        let old = pod("a", hash: "old")
        #expect(rules(surge, [old]).delete.isEmpty)
        #expect(rules(surge, [old]).create.count == 1)
        #expect(rules(surge, [old, pod("b", hash: "new", ready: false)]).delete.isEmpty)
        #expect(rules(surge, [old, pod("b", hash: "new")]).delete.map(\.name) == ["a"])
    }
}
