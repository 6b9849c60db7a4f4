import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

@Suite(.timeLimit(.minutes(10))) struct StrimziStandInTests {
    /// A Kafka with both roles, Ready.
    private static func kafka(_ cluster: TestCluster) async throws {
        try await cluster.create(.kafkas, "k", ["spec": ["kafka": ["version": "4.0.0"]]])
        let pool: JSON = ["spec": ["roles": ["broker", "controller"], "replicas": 1]]
        try await createNamed(cluster, .kafkaNodePools, "pool", pool)
        try await eventually("the Kafka is ready") {
            let kafka = try await cluster.client.get(.kafkas, namespace: "default", name: "k", subresource: nil)
            return kafka.status?["clusterId"] != nil
        }
    }

    private static func createNamed(
        _ cluster: TestCluster, _ type: ResourceType, _ name: String, _ members: JSON
    ) async throws {
        var object = members
        object["metadata"] = [
            "name": .string(name), "namespace": "default", "labels": ["strimzi.io/cluster": "k"],
        ]
        _ = try await cluster.client.create(KubernetesObject(object), type)
    }

    private static func owner(of secret: String, _ cluster: TestCluster) async throws -> String? {
        try await cluster.client.getIfPresent(.secrets, namespace: "default", name: secret)?.controller?["uid"]?.string
    }

    /// The garbage collector takes the login of a user that was deleted a little later.
    @Test func aUserMadeAgainAtOnceHasALoginOfItsOwn() async throws {
        try await TestCluster.running(runsStandIns: true) { cluster in
            try await Self.kafka(cluster)
            let former: JSON = [
                "apiVersion": "kafka.strimzi.io/v1", "kind": "KafkaUser", "name": "u", "uid": "of-before",
                "controller": true,
            ]
            let metadata: JSON = [
                "name": "u", "namespace": "default", "finalizers": ["example.com/late"], "ownerReferences": [former],
                "labels": ["app.kubernetes.io/managed-by": "strimzi-cluster-operator"],
            ]
            _ = try await cluster.client.create(KubernetesObject(["metadata": metadata]), .secrets)
            try await Self.createNamed(cluster, .kafkaUsers, "u", ["spec": [:]])
            try await eventually("the login of before is going") {
                try await cluster.client.get(.secrets, namespace: "default", name: "u", subresource: nil).isBeingDeleted
            }
            _ = try await cluster.client.patch(
                .secrets, namespace: "default", name: "u", .merge(["metadata": ["finalizers": .null]]),
                subresource: nil, options: WriteOptions())
            try await eventually("the user is ready, with a login of its own") {
                let user = try await cluster.client.get(.kafkaUsers, namespace: "default", name: "u", subresource: nil)
                let owner = try await Self.owner(of: "u", cluster)
                return user.status?["conditions"]?[0]?["status"] == "True" && owner == user.uid
            }
        }
    }

    @Test func aSecretThatIsDeletedIsMadeAgain() async throws {
        try await TestCluster.running(runsStandIns: true) { cluster in
            try await Self.kafka(cluster)
            try await Self.createNamed(cluster, .kafkaUsers, "u", ["spec": [:]])
            for secret in ["u", "k-cluster-ca-cert"] {
                try await eventually("there is \(secret)") { try await Self.owner(of: secret, cluster) != nil }
                try await cluster.client.delete(.secrets, namespace: "default", name: secret, options: .init())
                try await eventually("there is \(secret) again") { try await Self.owner(of: secret, cluster) != nil }
            }
        }
    }
}
