import APIServer
import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

/// What controllers do while a cache does not show yet what is there.
@Suite(.timeLimit(.minutes(10))) struct LaggingCacheTests {
    private static let labels: JSON = ["app": "web"]

    /// Runs a cluster whose caches of the type learn of a change two seconds late.
    private static func lagging(_ plural: String, _ body: (TestCluster) async throws -> Void) async throws {
        try await TestCluster.running(
            faults: { $0.add(.slowWatch(.seconds(2)), for: .init(verbs: ["watch"], resource: plural)) }, body)
    }

    /// A pod that no scheduler takes, so that nobody but the test writes its status.
    private static var podSpec: JSON {
        var spec = TestCluster.podSpec("")
        spec["schedulerName"] = "nobody"
        return spec
    }

    private static func createReplicaSet(_ cluster: TestCluster) async throws {
        try await cluster.create(
            .replicaSets, "web",
            [
                "spec": [
                    "replicas": 1, "selector": ["matchLabels": labels],
                    "template": ["metadata": ["labels": labels], "spec": podSpec],
                ]
            ])
    }

    @Test func aStatusThatIsToBeAsItWasIsWrittenAgain() async throws {
        try await Self.lagging("replicasets") { cluster in
            try await Self.createReplicaSet(cluster)
            try await eventually("the pod is there") { try await cluster.names(.pods).count == 1 }
            let pod = try #require(try await cluster.names(.pods).first)
            func setReady(_ isReady: Bool) async throws {
                let condition: JSON = [
                    "type": "Ready", "status": isReady ? "True" : "False",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                ]
                _ = try await cluster.client.patch(
                    .pods, namespace: "default", name: pod, .merge(["status": ["conditions": [condition]]]),
                    subresource: "status")
                try await eventually("the ReplicaSet says so") {
                    try await cluster.get(.replicaSets, "web")?.status?["readyReplicas"]?.int == (isReady ? 1 : nil)
                }
            }
            try await setReady(true)
            try await setReady(false)
        }
    }

    /// Nothing tells a ReplicaSet that a pod which it could have adopted went.
    @Test func aPodThatWentBeforeItWasAdoptedIsReplaced() async throws {
        try await Self.lagging("pods") { cluster in
            try await cluster.create(
                .podDisruptionBudgets, "web", ["spec": ["minAvailable": 0, "selector": ["matchLabels": Self.labels]]])
            let metadata: JSON = ["name": "one", "namespace": "default", "labels": Self.labels]
            let pod: JSON = ["metadata": metadata, "spec": Self.podSpec]
            _ = try await cluster.client.create(KubernetesObject(pod), .pods)
            try await eventually("the cache has the pod") {
                try await cluster.get(.podDisruptionBudgets, "web")?.status?["expectedPods"] == 1
            }
            try await cluster.client.delete(.pods, namespace: "default", name: "one")
            try await Self.createReplicaSet(cluster)
            try await eventually("there is another one") { try await cluster.names(.pods).count == 1 }
        }
    }
}
