import KubernetesClient
import StructuredData
import Testing

@testable import ControllerRuntime
@testable import LocalCluster

private func pod(
    _ name: String, phase: String = "Running", ready: Bool = true, since: String = "2026-01-01T00:00:00Z",
    address: String = "127.64.0.1", deleted: Bool = false, cost: String? = nil, restarts: Int = 0
) -> KubernetesObject {
    var metadata: JSON = [
        "name": JSON(name), "namespace": "shop", "uid": JSON("uid-\(name)"), "labels": ["app": "web"],
        "creationTimestamp": "2026-01-01T00:00:00Z",
    ]
    if deleted { metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z" }
    if let cost { metadata.set(JSON(cost), at: "annotations", "controller.kubernetes.io/pod-deletion-cost") }
    return KubernetesObject([
        "metadata": metadata,
        "spec": ["nodeName": "local", "containers": [["ports": [["name": "http", "containerPort": 8080]]]]],
        "status": [
            "phase": JSON(phase), "podIP": JSON(address), "containerStatuses": [["restartCount": JSON(restarts)]],
            "conditions": [
                ["type": "Ready", "status": ready ? "True" : "False", "lastTransitionTime": JSON(since)]
            ],
        ],
    ])
}

@Suite struct ReplicaSetRulesTests {
    private func rules(
        _ replicas: Int, _ pods: [KubernetesObject], minReadySeconds: Int = 0, status: JSON = [:]
    ) -> ReplicaSetRules {
        let replicaSet = KubernetesObject([
            "status": status,
            "metadata": ["name": "web", "namespace": "shop", "uid": "rs", "generation": 4],
            "spec": [
                "replicas": JSON(replicas), "minReadySeconds": JSON(minReadySeconds),
                "template": [
                    "metadata": ["labels": ["app": "web"], "annotations": ["a": "b"]], "spec": ["nodeSelector": [:]],
                ],
            ],
        ])
        return ReplicaSetRules(replicaSet: replicaSet, pods: pods)
    }

    @Test func countsWhatIsNeitherFinishedNorGoing() {
        let pods = [pod("a"), pod("b", phase: "Failed"), pod("c", deleted: true)]
        #expect(rules(3, pods).missing == 2)
        #expect(rules(1, pods).missing == 0)
        #expect(rules(1, pods).surplus.isEmpty)
    }

    @Test func thePodsThatAreMissedLeastGoFirst() {
        let pods = [
            pod("old"), pod("young", since: "2026-01-02T00:00:00Z"), pod("restarted", restarts: 3),
            pod("cheap", cost: "-1"), pod("unready", ready: false), pod("pending", phase: "Pending", ready: false),
        ]
        #expect(
            rules(0, pods).surplus.map(\.object.name) == ["pending", "unready", "cheap", "young", "restarted", "old"])
        #expect(rules(4, pods).surplus.map(\.object.name) == ["pending", "unready"])
    }

    @Test func aPodIsAvailableAfterItsTime() throws {
        let now = try #require(KubernetesTime("2026-01-01T00:00:20Z"))
        let pods = [pod("a"), pod("b", since: "2026-01-01T00:00:15Z"), pod("c", ready: false)]
        let rules = rules(3, pods, minReadySeconds: 10)
        let status = rules.status(now: now, failure: nil)
        #expect(
            status == [
                "replicas": 3, "fullyLabeledReplicas": 3, "readyReplicas": 2, "availableReplicas": 1,
                "observedGeneration": 4,
            ])
        #expect(rules.nextAvailability(now: now) == .seconds(5))
    }

    @Test func ofWhyPodsCannotBeMadeTheFirstIsToldUntilTheyCan() {
        let (first, later) = (KubernetesTime(seconds: 0), KubernetesTime(seconds: 60))
        let refused = rules(1, []).status(now: first, failure: "pods \"web-1\" is forbidden")
        #expect(refused["conditions"]?[0]?["message"] == "pods \"web-1\" is forbidden")
        #expect(rules(1, [], status: refused).status(now: later, failure: "pods \"web-2\" is forbidden") == refused)
        #expect(rules(1, [], status: refused).status(now: later, failure: nil)["conditions"] == nil)
    }

    @Test func aNewPodIsOfTheTemplate() {
        let pod = KubernetesObject(rules(1, []).newPod)
        #expect(pod.metadata["generateName"] == "web-")
        #expect(pod.labels == ["app": "web"])
        #expect(pod.annotations == ["a": "b"])
        #expect(pod.controller?["uid"] == "rs")
    }
}

@Suite struct EndpointRulesTests {
    private func service(_ change: JSON = [:]) -> KubernetesObject {
        var spec: JSON = [
            "selector": ["app": "web"], "ports": [["port": 80, "targetPort": "http", "protocol": "TCP"]],
        ]
        for (key, value) in change.object ?? [:] { spec[key] = value }
        return KubernetesObject(["metadata": ["name": "web", "namespace": "shop", "uid": "svc"], "spec": spec])
    }

    @Test func readyPodsAreAddressesAndTheOthersAreNot() throws {
        let pods = [
            pod("b", address: "127.64.0.2"), pod("a", address: "127.64.0.1"),
            pod("c", ready: false, address: "127.64.0.3"), pod("d", phase: "Succeeded"),
            pod("e", address: "127.64.0.4", deleted: true),
        ]
        let rules = try #require(EndpointRules(service: service(), pods: pods))
        let subset = rules.endpoints.json["subsets"]?[0]
        #expect(subset?["addresses"]?.array?.compactMap { $0["ip"]?.string } == ["127.64.0.1", "127.64.0.2"])
        #expect(subset?["notReadyAddresses"]?.array?.compactMap { $0["ip"]?.string } == ["127.64.0.3"])
        #expect(subset?["ports"] == [["port": 8080, "protocol": "TCP"]])
        let slices = rules.slices
        #expect(slices.count == 1)
        #expect(slices[0].labels["kubernetes.io/service-name"] == "web")
        let conditions = slices[0].json["endpoints"]?.array?.map { $0["conditions"] ?? [:] }
        #expect(conditions?.map { $0["ready"] } == [true, true, false, false])
        #expect(conditions?.map { $0["terminating"] } == [false, false, false, true])
        // What the proxy makes of it.
        #expect(ServiceBackends.endpoints(slices, portName: "").map(\.host) == ["127.64.0.1", "127.64.0.2"])
    }

    @Test func whatHasNoSelectorIsLeftAlone() {
        #expect(EndpointRules(service: service(["selector": [:]]), pods: []) == nil)
        #expect(EndpointRules(service: service(["type": "ExternalName"]), pods: []) == nil)
    }
}

@Suite struct DisruptionRulesTests {
    private func status(_ spec: JSON, ready: Int, of expected: Int) -> JSON {
        let budget = KubernetesObject(["metadata": ["name": "b", "generation": 2], "spec": spec])
        return rules(budget, ready: ready, of: expected).status
    }

    private func rules(
        _ budget: KubernetesObject, ready: Int, of expected: Int, now: KubernetesTime = KubernetesTime(seconds: 0)
    ) -> DisruptionRules {
        let pods = (0..<expected).map { PodView(pod("p\($0)", ready: $0 < ready)) }
        return DisruptionRules(budget: budget, pods: pods, expected: expected, now: now)
    }

    @Test func aPodThatWasEvictedCountsAsGoneUntilItIsSeenToGoOrNobodyDeletedIt() {
        let evicted = KubernetesTime(seconds: 1_767_225_600)
        let budget = KubernetesObject([
            "metadata": ["name": "b"], "spec": ["maxUnavailable": 1],
            "status": ["disruptedPods": ["p0": JSON(evicted.text), "gone": JSON(evicted.text)]],
        ])
        let before = rules(budget, ready: 3, of: 3, now: evicted.advanced(by: .seconds(30)))
        #expect(before.status["disruptionsAllowed"] == 0 && before.status["currentHealthy"] == 2)
        #expect(before.status["disruptedPods"] == ["p0": JSON(evicted.text)])
        #expect(before.nextExpiry == .seconds(90))
        let after = rules(budget, ready: 3, of: 3, now: evicted.advanced(by: .seconds(120)))
        #expect(after.status["disruptionsAllowed"] == 1 && after.status["disruptedPods"] == nil)
        #expect(after.nextExpiry == nil)
    }

    @Test(arguments: [
        ("minAvailable", JSON(2), 3, 3, 1), ("minAvailable", JSON("50%"), 3, 3, 1),
        ("maxUnavailable", JSON(1), 3, 3, 1),
        ("maxUnavailable", JSON("34%"), 2, 3, 1), ("minAvailable", JSON(2), 1, 3, 0),
        ("minAvailable", JSON(1), 0, 0, 0),
    ])
    func allowsWhatTheBudgetLeaves(key: String, value: JSON, ready: Int, expected: Int, allowed: Int) {
        var spec: JSON = [:]
        spec[key] = value
        let status = status(spec, ready: ready, of: expected)
        #expect(status["disruptionsAllowed"]?.int == allowed)
        #expect(status["currentHealthy"]?.int == ready)
        #expect(status["conditions"]?[0]?["status"] == (allowed > 0 ? "True" : "False"))
    }
}

@Suite struct DisruptionControllerTests {
    @Test func aPodConcernsTheBudgetsThatSelectItOrDidBefore() throws {
        let budgets = Store(.podDisruptionBudgets, fieldManager: "test")
        func object(_ name: String, namespace: String = "shop", _ more: JSON = [:]) -> KubernetesObject {
            var json = more
            json.set(JSON(name), at: "metadata", "name")
            json.set(JSON(namespace), at: "metadata", "namespace")
            return KubernetesObject(json)
        }
        func pod(_ app: String) -> StoredObject {
            StoredObject(object("p", ["metadata": ["labels": ["app": JSON(app)]]]), ownedDigest: 0)
        }
        func concerned(_ old: StoredObject?, _ new: StoredObject?) -> [String] {
            DisruptionController.concerned(by: StoreChange(old: old, new: new), in: budgets).map(\.description)
        }
        for app in ["web", "db", "cache"] {
            for namespace in ["shop", "other"] {
                let spec: JSON = ["spec": ["selector": ["matchLabels": ["app": JSON(app)]]]]
                _ = try budgets.upsert(object(app, namespace: namespace, spec), .firstList)
            }
        }
        #expect(concerned(nil, pod("web")) == ["shop/web"])
        #expect(concerned(pod("web"), pod("db")) == ["shop/db", "shop/web"])
        #expect(concerned(pod("cache"), nil) == ["shop/cache"])
        #expect(concerned(nil, pod("batch")).isEmpty)
    }
}

@Suite struct GarbageRulesTests {
    private func object(_ owners: [String], finalizers: [String] = [], deleted: Bool = false) -> KubernetesObject {
        var metadata: JSON = [
            "name": "x", "ownerReferences": .array(owners.map { ["uid": JSON($0)] }),
            "finalizers": .array(finalizers.map { JSON($0) }),
        ]
        if deleted { metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z" }
        return KubernetesObject(["metadata": metadata])
    }

    @Test func onlyWhatHasNoOwnerLeftIsDeleted() {
        #expect(GarbageRules.verdict(of: object(["a"]), owners: ["a": .present], hasDependents: false) == .keep)
        #expect(
            GarbageRules.verdict(of: object(["a"]), owners: ["a": .absent], hasDependents: false)
                == .delete(.background))
        #expect(
            GarbageRules.verdict(of: object(["a", "b"]), owners: ["a": .absent, "b": .present], hasDependents: false)
                == .dropReferences(uids: ["a"]))
        #expect(GarbageRules.verdict(of: object([]), owners: [:], hasDependents: false) == .keep)
    }

    @Test func aForegroundDeletionGoesDownTheTree() {
        #expect(
            GarbageRules.verdict(of: object(["a"]), owners: ["a": .waiting], hasDependents: true)
                == .delete(.foreground))
        #expect(
            GarbageRules.verdict(of: object(["a"]), owners: ["a": .waiting], hasDependents: false)
                == .delete(.background))
        let going = object(["a"], finalizers: ["foregroundDeletion"], deleted: true)
        #expect(GarbageRules.verdict(of: going, owners: ["a": .absent], hasDependents: true) == .keep)
    }
}

@Suite struct StatusChangeTests {
    @Test(
        arguments: [
            (["a": 1], ["a": 1], [:]), (["a": 1], ["a": 2], ["a": 2]), (["a": 1], [:], ["a": nil]),
            (["a": ["b": 1]], ["a": [:]], ["a": ["b": nil]]),
            (["a": ["b": 1]], ["a": ["c": 2]], ["a": ["c": 2, "b": nil]]),
            (["a": [1, 2]], ["a": [1]], ["a": [1]]), ([:], ["a": [:]], ["a": [:]]),
        ] as [(JSON, JSON, JSON)])
    func turnsOneStatusIntoTheOther(old: JSON, new: JSON, change: JSON) {
        let members = JSON.object(StatusChange.members(from: old, to: new))
        #expect(members == change)
        #expect(MergePatch.apply(members, to: old) == new)
    }

    @Test func ofAPodsConditionsOnlyThoseThatDifferAreSent() {
        let old: JSON = [
            "podIPs": [["ip": "127.64.0.1"]],
            "conditions": [
                ["type": "Ready", "status": "False", "reason": "ContainersNotReady"],
                ["type": "PodScheduled", "status": "True"],
            ],
        ]
        var new = old
        new["conditions"] = [["type": "PodScheduled", "status": "True"], ["type": "Ready", "status": "True"]]
        #expect(
            JSON.object(StatusChange.podMembers(from: old, to: new)) == [
                "conditions": [["type": "Ready", "status": "True", "reason": nil]]
            ])
        new["conditions"] = .array((old["conditions"]?.array ?? []).reversed())
        #expect(StatusChange.podMembers(from: old, to: new).isEmpty)
        new["podIPs"] = [["ip": "127.64.0.2"]]
        #expect(
            JSON.object(StatusChange.podMembers(from: old, to: new)) == [
                "podIPs": [["$patch": "replace"], ["ip": "127.64.0.2"]]
            ])
    }
}
