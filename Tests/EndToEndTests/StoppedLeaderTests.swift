import ChildProcess
import Foundation
import KubernetesClient
import PostgresServer
import StructuredData
import Testing

/// A leader that is stopped past its lease, as by a paused virtual machine, writes nothing when it goes on.
@Suite(.inTime) struct StoppedLeaderTests {
    static let namespace = "leaders"
    /// Where an operator writes.
    static let types: [ResourceType] = [
        .todoApps, .deployments, .services, .serviceAccounts, .podDisruptionBudgets, .networkPolicies, .secrets,
        .events, .leases,
    ]

    @Test func itEndsWithoutAWriteAndTheOtherOneGoesOn() async throws {
        let cluster = try await TestCluster.start(forAppsIn: Self.namespace)
        let client = cluster.client
        let first = try await cluster.startCandidate(in: Self.namespace)
        let firstHolder = try await cluster.leader(in: Self.namespace) { !$0.isEmpty }
        let second = try await cluster.startCandidate(in: Self.namespace)
        _ = try await second.line(matching: /(another process leads)/)

        try await cluster.create(todoApp: "app", namespace: Self.namespace, on: .shared())
        try await Self.ready(client, replicas: 1)

        // With an edit on its way to it, so that there is something it would write.
        try await cluster.merge(
            ["spec": ["services": ["api": ["replicas": 2]]]], into: "app", namespace: Self.namespace)
        first.signal(SIGSTOP)
        let secondHolder = try await cluster.leader(in: Self.namespace, within: .seconds(90)) {
            $0 != firstHolder && !$0.isEmpty
        }
        try await cluster.merge(
            ["spec": ["services": ["api": ["replicas": 1]], "networkPolicy": "Disabled"]], into: "app",
            namespace: Self.namespace)
        try await Self.ready(client, replicas: 1)
        try await Self.quiet(client)

        let (before, elapsed) = try await LoadGate.shared.alone {
            let before = try await Self.versions(client)
            let start = ContinuousClock.now
            first.signal(SIGCONT)
            let exit = try await first.exit()
            #expect(exit == .exited(1), "\(first.output)")
            return (before, ContinuousClock.now - start)
        }
        print("a leader that was stopped past its lease ended \(elapsed.inSeconds) after it went on")
        #expect(elapsed < .seconds(1), "\(first.output)")
        #expect(first.output.contains("leadership lost"), "\(first.output)")
        for (type, version) in before {
            for object in try await Self.changes(client, type, since: version) {
                // The other one renews its Lease, and counts what it has reported in its own Events.
                let writer = object.spec?["holderIdentity"] ?? object.json["reportingInstance"]
                #expect(writer?.string == secondHolder, "written: \(object.json.text)")
            }
        }

        // The second one leads for good.
        try await cluster.merge(["spec": ["networkPolicy": "Enabled"]], into: "app", namespace: Self.namespace)
        _ = try await eventually("the second operator works") {
            try await client.getIfPresent(.networkPolicies, namespace: Self.namespace, name: "app-api")
        }
        #expect(try await second.stop(SIGTERM) == .exited(0), "\(second.output)")
        try await cluster.stop()
    }

    private static func ready(_ client: KubernetesClient, replicas: Int) async throws {
        _ = try await eventually(within: .seconds(120), "the TodoApp is ready with \(replicas) replicas") {
            let app = try await client.get(.todoApps, namespace: namespace, name: "app")
            let deployment = try await client.getIfPresent(.deployments, namespace: namespace, name: "app-api")
            return app.isReady && deployment?.spec?["replicas"]?.int == replicas ? true : nil
        }
    }

    /// The resource version of each list now: everything later is a change.
    private static func versions(_ client: KubernetesClient) async throws -> [(ResourceType, String)] {
        var versions: [(ResourceType, String)] = []
        for type in types {
            let list = try await client.list(type, namespace: namespace, options: ListOptions())
            versions.append((type, list.resourceVersion))
        }
        return versions
    }

    /// What was written since, as a watch from that version tells.
    private static func changes(
        _ client: KubernetesClient, _ type: ResourceType, since version: String
    ) async throws -> [KubernetesObject] {
        var changed: [KubernetesObject] = []
        let options = WatchOptions(resourceVersion: version, timeoutSeconds: 1)
        for try await event in try await client.watch(type, namespace: namespace, options: options) {
            switch event {
            case .added(let object), .modified(let object), .deleted(let object): changed.append(object)
            case .bookmark: break
            case .error, .undecodable: Issue.record("\(event)")
            }
        }
        return changed
    }

    /// Returns when a second went by without a write but to the Lease: pods that end change the status of others.
    private static func quiet(_ client: KubernetesClient) async throws {
        _ = try await eventually(within: .seconds(60), "nobody writes") {
            for (type, version) in try await versions(client) where type != .leases {
                guard try await changes(client, type, since: version).isEmpty else { return Bool?.none }
            }
            return true
        }
    }
}
