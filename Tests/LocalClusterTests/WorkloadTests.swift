import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

extension TestCluster {
    fileprivate func createJob(_ name: String, _ script: String, _ spec: JSON = [:]) async throws {
        var pod = Self.podSpec(script)
        pod["restartPolicy"] = "Never"
        var full: JSON = ["template": ["spec": pod]]
        for (key, value) in spec.object ?? [:] { full[key] = value }
        try await create(.jobs, name, ["spec": full])
    }

    fileprivate func createSet(_ type: ResourceType, _ name: String, _ spec: JSON = [:]) async throws {
        let labels: JSON = ["app": JSON(name)]
        var full: JSON = [
            "selector": ["matchLabels": labels],
            "template": ["metadata": ["labels": labels], "spec": Self.podSpec(Self.waiting)],
        ]
        for (key, value) in spec.object ?? [:] { full[key] = value }
        try await create(type, name, ["spec": full])
    }

    fileprivate func patch(_ type: ResourceType, _ name: String, _ change: JSON) async throws {
        _ = try await client.patch(type, namespace: "default", name: name, .merge(change))
    }

    fileprivate func restart(_ type: ResourceType, _ name: String) async throws {
        let annotations: JSON = ["kubectl.kubernetes.io/restartedAt": "now"]
        try await patch(type, name, ["spec": ["template": ["metadata": ["annotations": annotations]]]])
    }

    fileprivate func condition(_ type: ResourceType, _ name: String, _ condition: String) async throws -> JSON? {
        try await get(type, name)?.status?["conditions"]?.array?.first { $0["type"]?.string == condition }
    }

    /// A finished Job has counted its pods, and nothing writes to it any more.
    fileprivate func expectSettled(_ job: String, _ key: String, _ count: Int) async throws {
        let before = try await get(.jobs, job)
        #expect(before?.status?[key]?.int == count)
        #expect(before?.status?["uncountedTerminatedPods"] == [:])
        for number in 0..<50 { try await create(.configMaps, "marker-\(number)", [:]) }
        #expect(try await get(.jobs, job)?.resourceVersion == before?.resourceVersion)
    }

    fileprivate func events(about name: String) async throws -> [String] {
        try await client.list(.events, namespace: "default").items
            .filter { $0.json.at("regarding", "name")?.string == name }.compactMap { $0.json["reason"]?.string }
    }

    fileprivate func cordon(_ isCordoned: Bool) async throws {
        _ = try await client.patch(.nodes, name: "local", .merge(["spec": ["unschedulable": JSON(isCordoned)]]))
    }
}

@Suite(.timeLimit(.minutes(10))) struct WorkloadTests {
    @Test func aJobRunsToItsEnd() async throws {
        try await TestCluster.running { cluster in
            try await cluster.createJob(
                "sum", "echo index $JOB_COMPLETION_INDEX on $HOSTNAME",
                ["completions": 3, "parallelism": 2, "completionMode": "Indexed"])
            try await eventually("it is complete") {
                try await cluster.condition(.jobs, "sum", "Complete")?["status"] == "True"
            }
            let status = try await cluster.get(.jobs, "sum")?.status
            #expect(status?["succeeded"] == 3)
            #expect(status?["completedIndexes"] == "0-2")
            #expect(status?["uncountedTerminatedPods"] == [:])
            let pods = try await cluster.pods().map(\.object)
            #expect(pods.flatMap(\.finalizers) == [])
            var logs: Set<String> = []
            for pod in pods { logs.insert(try await cluster.log(pod.name)) }
            #expect(logs == ["index 0 on sum-0\n", "index 1 on sum-1\n", "index 2 on sum-2\n"])
            try await eventually("the Events are there") {
                Set(try await cluster.events(about: "sum")) == ["SuccessfulCreate", "Completed"]
            }
        }
    }

    @Test func aJobWithoutIndexesCountsItsPodsOnce() async throws {
        try await TestCluster.running { cluster in
            try await cluster.createJob("work", "true", ["completions": 3, "parallelism": 2])
            try await eventually("it is complete") {
                try await cluster.condition(.jobs, "work", "Complete")?["status"] == "True"
            }
            try await cluster.expectSettled("work", "succeeded", 3)
        }
    }

    @Test func aJobThatFailsSaysSo() async throws {
        try await TestCluster.running { cluster in
            try await cluster.createJob("bad", "exit 3", ["backoffLimit": 0])
            try await eventually("it has failed") {
                try await cluster.condition(.jobs, "bad", "Failed")?["reason"] == "BackoffLimitExceeded"
            }
            try await cluster.expectSettled("bad", "failed", 1)
            try await eventually("the Event is there") {
                try await cluster.events(about: "bad").contains("BackoffLimitExceeded")
            }
        }
    }

    @Test func aJobTakesItsPodsWithIt() async throws {
        try await TestCluster.running { cluster in
            try await cluster.createJob("long", TestCluster.waiting, ["parallelism": 2, "completions": 2])
            try await eventually("both run") { try await cluster.pods().filter(\.isReady).count == 2 }
            try await cluster.client.delete(.jobs, namespace: "default", name: "long")
            try await eventually("all is gone") { try await cluster.names(.pods).isEmpty }
        }
    }

    @Test func aSuspendedJobEndsItsPodsAndGoesOn() async throws {
        try await TestCluster.running { cluster in
            try await cluster.createJob("long", TestCluster.waiting)
            try await eventually("it runs") { try await cluster.get(.jobs, "long")?.status?["ready"] == 1 }
            try await cluster.patch(.jobs, "long", ["spec": ["suspend": true]])
            try await eventually("its pod is gone") { try await cluster.names(.pods).isEmpty }
            #expect(try await cluster.condition(.jobs, "long", "Suspended")?["status"] == "True")
            try await cluster.patch(.jobs, "long", ["spec": ["suspend": false]])
            try await eventually("it runs again") { try await cluster.get(.jobs, "long")?.status?["ready"] == 1 }
            #expect(try await cluster.get(.jobs, "long")?.status?["failed"] == nil)
        }
    }

    @Test func aCronJobStartsWhatIsDueAndCleansUp() async throws {
        try await TestCluster.running { cluster in
            var pod = TestCluster.podSpec("true")
            pod["restartPolicy"] = "Never"
            try await cluster.create(
                .cronJobs, "tick",
                [
                    "spec": [
                        "schedule": "0 0 1 1 *", "suspend": true, "successfulJobsHistoryLimit": 0,
                        "jobTemplate": ["spec": ["template": ["spec": pod]]],
                    ]
                ])
            let longAgo: JSON = ["status": ["lastScheduleTime": "2020-06-01T00:00:00Z"]]
            _ = try await cluster.client.patch(
                .cronJobs, namespace: "default", name: "tick", .merge(longAgo), subresource: "status")
            try await cluster.patch(.cronJobs, "tick", ["spec": ["suspend": false]])
            try await eventually("its Job has succeeded and is gone") {
                let cronJob = try await cluster.get(.cronJobs, "tick")
                let jobs = try await cluster.names(.jobs)
                return cronJob?.status?["lastSuccessfulTime"] != nil && cronJob?.status?["active"] == nil
                    && jobs.isEmpty
            }
            let scheduled = try await cluster.get(.cronJobs, "tick")?.status?["lastScheduleTime"]?.string
            #expect(scheduled?.hasSuffix("-01-01T00:00:00Z") == true)
            try await eventually("the Events are there") {
                let reasons = Set(try await cluster.events(about: "tick"))
                return reasons.isSuperset(of: ["SuccessfulCreate", "SawCompletedJob", "SuccessfulDelete"])
            }
        }
    }

    @Test func aStatefulSetRollsOutScalesAndRollsBackwards() async throws {
        try await TestCluster.running { cluster in
            try await cluster.createSet(.statefulSets, "db", ["replicas": 2])
            func settled(_ replicas: Int) async throws {
                try await eventually("db has \(replicas)") {
                    let set = try await cluster.get(.statefulSets, "db")
                    let status = set?.status
                    let pods = try await cluster.names(.pods)
                    return status?["observedGeneration"]?.int == set?.generation && pods.count == replicas
                        && status?["updatedReplicas"]?.int ?? 0 == replicas
                        && status?["availableReplicas"]?.int ?? 0 == replicas
                        && status?["currentRevision"] == status?["updateRevision"]
                }
            }
            try await settled(2)
            let before = try await cluster.pods()
            #expect(before.map(\.object.name) == ["db-0", "db-1"])
            #expect(before[0].created ?? .now <= before[1].created ?? .now)
            try await cluster.restart(.statefulSets, "db")
            try await settled(2)
            let after = try await cluster.pods()
            #expect(Set(after.map(\.object.uid)).isDisjoint(with: before.map(\.object.uid)))
            #expect(try await cluster.names(.controllerRevisions).count == 2)
            try await cluster.patch(.statefulSets, "db", ["spec": ["replicas": 1]])
            try await settled(1)
            #expect(try await cluster.names(.pods) == ["db-0"])
        }
    }

    /// One object with a number that overflows somewhere would end the cluster, at each start anew.
    @Test func numbersThatNobodyNeedsHarmNothing() async throws {
        try await TestCluster.running { cluster in
            let edge = JSON(Int.max)
            var once = TestCluster.podSpec("true")
            once["restartPolicy"] = "Never"
            try await cluster.create(
                .cronJobs, "edge",
                [
                    "spec": [
                        "schedule": "* * * * *", "startingDeadlineSeconds": edge,
                        "jobTemplate": ["spec": ["template": ["spec": once]]],
                    ]
                ])
            var pod = TestCluster.podSpec(TestCluster.waiting)
            pod["activeDeadlineSeconds"] = JSON(Int(Int32.max))
            pod["terminationGracePeriodSeconds"] = edge
            pod["tolerations"] = [["operator": "Exists", "effect": "NoExecute", "tolerationSeconds": edge]]
            try await cluster.create(.pods, "edge", ["spec": pod])
            try await cluster.create(
                .podDisruptionBudgets, "edge",
                ["spec": ["maxUnavailable": "9223372036854775807%", "selector": ["matchLabels": ["app": "web"]]]])
            for type in [ResourceType.statefulSets, .daemonSets] {
                await #expect(throws: APIError.self) {
                    try await cluster.createSet(type, "edge", ["revisionHistoryLimit": -1])
                }
            }
            try await cluster.rollOut("web", replicas: 1)
            let name = try #require(try await cluster.names(.replicaSets).first)
            try await cluster.patch(
                .replicaSets, name,
                ["metadata": ["annotations": ["deployment.kubernetes.io/revision": JSON("\(Int.max)")]]])
            try await cluster.restart(.deployments, "web")
            try await cluster.rolledOut("web", replicas: 1)
            try await cluster.client.delete(.pods, namespace: "default", name: "edge")
        }
    }

    /// No pod changes: the second is not made before the first is ready, which nobody schedules.
    @Test func aBudgetCountsWhatTheSetWants() async throws {
        try await TestCluster.running { cluster in
            var pods = TestCluster.podSpec(TestCluster.waiting)
            pods["schedulerName"] = "nobody"
            let template: JSON = ["metadata": ["labels": ["app": "web"]], "spec": pods]
            try await cluster.createSet(.statefulSets, "web", ["replicas": 1, "template": template])
            try await cluster.create(
                .podDisruptionBudgets, "web",
                ["spec": ["maxUnavailable": 1, "selector": ["matchLabels": ["app": "web"]]]])
            func counts(_ pods: Int) async throws {
                try await eventually("the budget counts \(pods)") {
                    try await cluster.get(.podDisruptionBudgets, "web")?.status?["expectedPods"]?.int == pods
                }
            }
            try await counts(1)
            try await cluster.patch(.statefulSets, "web", ["spec": ["replicas": 3]])
            try await counts(3)
            #expect(try await cluster.names(.pods).count == 1)
        }
    }

    @Test func aDaemonSetRunsOnTheNodeAndRolls() async throws {
        try await TestCluster.running { cluster in
            try await cluster.createSet(.daemonSets, "agent")
            func settled() async throws {
                try await eventually("agent is rolled out") {
                    let set = try await cluster.get(.daemonSets, "agent")
                    return set?.status?["observedGeneration"]?.int == set?.generation
                        && set?.status?["updatedNumberScheduled"] == 1 && set?.status?["numberAvailable"] == 1
                }
            }
            try await settled()
            let before = try await cluster.names(.pods)
            try await cluster.restart(.daemonSets, "agent")
            try await settled()
            try await eventually("the old pod is gone") {
                Set(try await cluster.names(.pods)).isDisjoint(with: before)
            }
        }
    }

    @Test func aCordonedNodeTakesNoPodsUntilItIsOpenAgain() async throws {
        try await TestCluster.running { cluster in
            try await cluster.cordon(true)
            try await eventually("it is tainted") {
                let node = try await cluster.client.get(.nodes, name: "local")
                return node.spec?["taints"]?[0]?["key"] == "node.kubernetes.io/unschedulable"
            }
            try await cluster.create(.pods, "one", ["spec": TestCluster.podSpec(TestCluster.waiting)])
            try await eventually("it says why it waits") {
                try await cluster.condition(.pods, "one", "PodScheduled")?["reason"] == "Unschedulable"
            }
            let message = try await cluster.condition(.pods, "one", "PodScheduled")?["message"]?.string
            #expect(message?.hasPrefix("0/1 nodes are available: 1 node(s) were unschedulable.") == true)
            try await eventually("the Event is there") {
                try await cluster.events(about: "one").contains("FailedScheduling")
            }
            try await cluster.cordon(false)
            try await eventually("it runs") { try await cluster.get(.pods, "one")?.status?["phase"] == "Running" }
            #expect(try await cluster.client.get(.nodes, name: "local").spec?["taints"] == nil)
        }
    }

    @Test func aPodIsReadyWhenItsReadinessGateIsOpen() async throws {
        try await TestCluster.running { cluster in
            var spec = TestCluster.podSpec(TestCluster.waiting)
            spec["readinessGates"] = [["conditionType": "example.com/open"]]
            try await cluster.create(.pods, "gated", ["spec": spec])
            let unaware = try #require(try await cluster.get(.pods, "gated"))
            try await eventually("it waits for its gate") {
                try await cluster.condition(.pods, "gated", "Ready")?["reason"] == "ReadinessGatesNotReady"
            }
            let open: JSON = ["type": "example.com/open", "status": "True"]
            _ = try await cluster.client.patch(
                .pods, namespace: "default", name: "gated", .strategic(["status": ["conditions": [open]]]),
                subresource: "status")
            try await eventually("it is ready") {
                try await cluster.condition(.pods, "gated", "Ready")?["status"] == "True"
            }
            // Nor does a writer take the condition away that has not seen it.
            var status = unaware.status ?? [:]
            status["conditions"] = [["type": "example.com/other", "status": "True"]]
            try await cluster.client.updatePodStatus(of: unaware, to: status, by: "kubelet")
            for type in ["example.com/open", "example.com/other"] {
                #expect(try await cluster.condition(.pods, "gated", type)?["status"] == "True")
            }
        }
    }

    @Test func aContainerReadsItsVolumes() async throws {
        try await TestCluster.running { cluster in
            try await cluster.create(.configMaps, "c", ["data": ["app.yaml": "answer: 42"]])
            var pod = TestCluster.podSpec(
                "cat \"$CONTAINER_SANDBOX_MOUNT_POINT/etc/app/app.yaml\"; echo; echo x > \"$TMPDIR/x\"; ls \"$TMPDIR\"",
                ["volumeMounts": [["name": "c", "mountPath": "/etc/app"], ["name": "t", "mountPath": "/tmp"]]])
            pod["volumes"] = [["name": "c", "configMap": ["name": "c"]], ["name": "t", "emptyDir": [:]]]
            pod["restartPolicy"] = "Never"
            try await cluster.create(.pods, "reader", ["spec": pod])
            try await eventually("it has ended") {
                try await cluster.get(.pods, "reader")?.status?["phase"] == "Succeeded"
            }
            #expect(try await cluster.log("reader") == "answer: 42\nx\n")
            try await eventually("it is told where the files are") {
                try await cluster.events(about: "reader").contains("VolumeNotMounted")
            }
            pod["volumes"] = [["name": "c", "hostPath": ["path": "/etc"]], ["name": "t", "emptyDir": [:]]]
            try await cluster.create(.pods, "refused", ["spec": pod])
            try await eventually("the other one is refused") {
                try await cluster.waiting("refused")?["reason"] == "CreateContainerConfigError"
            }
            #expect(try await cluster.waiting("refused")?["message"]?.string?.contains("hostPath") == true)
        }
    }

    @Test func anAutoscalerKeepsItsBoundsAndSaysWhatIsMissing() async throws {
        try await TestCluster.running { cluster in
            try await cluster.createDeployment("web", replicas: 1)
            try await cluster.create(
                .autoscalers, "web",
                [
                    "spec": [
                        "scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web"],
                        "minReplicas": 2, "maxReplicas": 3,
                    ]
                ])
            try await cluster.rolledOut("web", replicas: 2)
            #expect(try await cluster.condition(.autoscalers, "web", "AbleToScale")?["status"] == "True")
            try await cluster.create(
                .autoscalers, "none",
                [
                    "spec": [
                        "scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": "none"],
                        "maxReplicas": 3,
                    ]
                ])
            try await eventually("it misses its target") {
                try await cluster.condition(.autoscalers, "none", "AbleToScale")?["reason"] == "FailedGetScale"
            }
        }
    }
}
