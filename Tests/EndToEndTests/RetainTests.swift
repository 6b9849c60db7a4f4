import Foundation
import KubernetesClient
import PostgresServer
import StructuredData
import Testing

/// `deletionPolicy: Retain` on a cluster with a garbage collector and a Strimzi.
@Suite(.loadsProcessors, .inTime) struct RetainTests {
    private static func strimzi(_ kind: String, _ plural: String) -> ResourceType {
        ResourceType(group: "kafka.strimzi.io", version: "v1", kind: kind, plural: plural)
    }
    private static let kafkas = strimzi("Kafka", "kafkas")
    private static let kept = [
        kafkas, strimzi("KafkaNodePool", "kafkanodepools"), strimzi("KafkaTopic", "kafkatopics"),
    ]

    /// Foreground deletion, as Argo CD does it: Kubernetes deletes what is owned without waiting for the operator.
    @Test(arguments: [DeleteOptions.Propagation.background, .foreground])
    func theTopicsOutliveTheAppAndTheNextOneHasThemAgain(propagation: DeleteOptions.Propagation) async throws {
        let cluster = try await TestCluster.start(forAppsIn: "keep")
        let process = try await cluster.startOperator()
        func names(_ type: ResourceType) async throws -> [String] {
            try await cluster.client.list(type, namespace: "keep", options: ListOptions()).items
                .filter { !$0.isBeingDeleted }.map { "\($0.kind) \($0.name) \($0.uid)" }.sorted()
        }
        func all() async throws -> [String] {
            var all: [String] = []
            for type in Self.kept { all += try await names(type) }
            return all
        }
        func clusterID() async throws -> JSON? {
            try await cluster.client.get(Self.kafkas, namespace: "keep", name: "app", subresource: nil).status?[
                "clusterId"]
        }
        func whenReady() async throws {
            _ = try await eventually(within: .seconds(90), "the app is ready; the operator said: \(process.output)") {
                let app = try await cluster.client.get(.todoApps, namespace: "keep", name: "app", subresource: nil)
                return app.isReady ? true : nil
            }
        }
        try await cluster.create(todoApp: "app", namespace: "keep", on: .shared())
        try await cluster.merge(["spec": ["deletionPolicy": "Retain"]], into: "app", namespace: "keep")
        try await whenReady()
        let (before, id) = (try await all(), try await clusterID())
        #expect(before.count == 1 + 2 + 4 && id != nil)
        let app = try await cluster.client.get(.todoApps, namespace: "keep", name: "app", subresource: nil)
        try await cluster.client.delete(
            .todoApps, namespace: "keep", name: "app", options: DeleteOptions(propagation: propagation))
        _ = try await eventually(within: .seconds(60), "the app and its services are gone") {
            let left = try await cluster.client.getIfPresent(.todoApps, namespace: "keep", name: "app")
            return try await names(.deployments).isEmpty && left == nil ? true : nil
        }
        #expect(try await all() == before)
        let told = try await eventually("it is told what stays; the operator said: \(process.output)") {
            let events = try await cluster.client.list(
                ResourceType(group: "events.k8s.io", version: "v1", kind: "Event", plural: "events"), namespace: "keep",
                options: ListOptions())
            return events.items.first { $0.json["reason"] == "Retained" }?.json["note"]?.string
        }
        #expect(told.contains("Kafka app;") && told.contains("app-task-events"), "\(told)")
        _ = try await cluster.client.create(
            KubernetesObject(["metadata": ["name": "app"], "spec": app.spec ?? [:]]), .todoApps, namespace: "keep")
        try await whenReady()
        #expect(try await all() == before)
        #expect(try await clusterID() == id)
        try await process.stop(SIGTERM)
        try await cluster.stop()
    }
}
