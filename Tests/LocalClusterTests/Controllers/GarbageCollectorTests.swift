import APIServer
import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

@Suite(.timeLimit(.minutes(10))) struct GarbageCollectorTests {
    private static let collector = "system:kube-controller-manager"

    private static func reference(to owner: String, _ cluster: TestCluster, blocks: Bool = false) async throws -> JSON {
        let object = try #require(try await cluster.get(.configMaps, owner))
        return [
            "apiVersion": "v1", "kind": "ConfigMap", "name": JSON(owner), "uid": JSON(object.uid),
            "blockOwnerDeletion": JSON(blocks),
        ]
    }

    private static func create(
        _ type: ResourceType, _ name: String, ownedBy owners: [JSON], _ cluster: TestCluster
    ) async throws {
        let metadata: JSON = ["name": JSON(name), "namespace": "default", "ownerReferences": .array(owners)]
        _ = try await cluster.client.create(KubernetesObject(["metadata": metadata]), type)
    }

    @Test func anOwnerGoesThatWaitedForWhatStaysWithAnother() async throws {
        try await TestCluster.running { cluster in
            let faults = cluster.cluster.server.faults
            let looks = faults.add(.delay(.zero), for: .init(verbs: ["get"], resource: "configmaps", name: "child"))
            for owner in ["a", "b"] { try await cluster.create(.configMaps, owner, [:]) }
            let owners = [
                try await Self.reference(to: "a", cluster, blocks: true), try await Self.reference(to: "b", cluster),
            ]
            try await Self.create(.configMaps, "child", ownedBy: owners, cluster)
            try await eventually("the collector knows the child") { faults.hits(of: looks) >= 1 }
            try await cluster.client.delete(
                .configMaps, namespace: "default", name: "a", options: DeleteOptions(propagation: .foreground))
            try await eventually("the owner is gone") { try await cluster.get(.configMaps, "a") == nil }
            let left = try await cluster.get(.configMaps, "child")
            #expect(left?.ownerReferences.compactMap { $0["name"]?.string } == ["b"])
        }
    }

    @Test func anOrphanOfATypeThatCannotBeListedNowIsNotForgotten() async throws {
        try await TestCluster.running { cluster in
            let faults = cluster.cluster.server.faults
            let lists = faults.add(
                .status(500), for: .init(verbs: ["list"], resource: "gizmos", user: Self.collector))
            _ = try await cluster.client.create(
                KubernetesObject(LocalClusterTests.gizmos), .customResourceDefinitions)
            try await eventually("the collector cannot list gizmos") { faults.hits(of: lists) >= 1 }
            try await cluster.create(.configMaps, "owner", [:])
            let owner = try await Self.reference(to: "owner", cluster)
            try await Self.create(LocalClusterTests.gizmo, "g", ownedBy: [owner], cluster)
            let looks = faults.add(
                .delay(.zero),
                for: .init(verbs: ["get"], resource: "configmaps", name: "owner", user: Self.collector))
            try await cluster.client.delete(
                .configMaps, namespace: "default", name: "owner", options: DeleteOptions(propagation: .orphan))
            try await eventually("the collector waits with the owner") { faults.hits(of: looks) >= 2 }
            faults.remove(lists)
            try await eventually("the gizmo has no owner") {
                try await cluster.get(LocalClusterTests.gizmo, "g")?.ownerReferences.isEmpty == true
            }
            try await eventually("the owner is gone") { try await cluster.get(.configMaps, "owner") == nil }
        }
    }
}
