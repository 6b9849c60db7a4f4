import Foundation
import KubernetesClient
import PostgresServer
import StructuredData
import Testing

/// The number of pods of a service that is scaled by load, where the cluster's own controllers and a person with kubectl
/// have a hand in it too.
@Suite(.needsKubectl, .loadsProcessors, .inTime) struct ScalingTests {
    private static let deployments = ResourceType(
        group: "apps", version: "v1", kind: "Deployment", plural: "deployments")

    @Test func theAutoscalerKeepsItsBoundsAndTheOperatorLetsIt() async throws {
        let cluster = try await TestCluster.start(forAppsIn: "team")
        let kubectl = try Kubectl(
            path: try #require(Kubectl.installed.last), kubeconfig: cluster.kubeconfig, namespace: "team")
        let process = try await cluster.startOperator()
        try await cluster.create(todoApp: "app", namespace: "team", on: .shared())
        _ = try await eventually(within: .seconds(90), "the app is ready; the operator said: \(process.output)") {
            try await cluster.client.get(.todoApps, namespace: "team", name: "app", subresource: nil).isReady
                ? true : nil
        }
        try await kubectl.expect(
            "patch", "todoapp", "app", "--type=merge", "-p",
            #"{"spec":{"services":{"api":{"replicas":2,"autoscaling":{"maxReplicas":3,"targetCPUUtilizationPercentage":70}}}}}"#
        )
        func settles(at count: Int) async throws {
            _ = try await eventually(within: .seconds(40), "\(count) pods that are ready") {
                let api = try await cluster.client.get(
                    Self.deployments, namespace: "team", name: "app-api", subresource: nil)
                return api.spec?["replicas"]?.int == count && api.status?["readyReplicas"]?.int == count ? true : nil
            }
        }
        try await settles(at: 2)
        // More than the most: the autoscaler takes the rest away, and the operator tells of what is left.
        try await kubectl.expect("scale", "deployment/app-api", "--replicas=5")
        try await settles(at: 3)
        _ = try await eventually("the status has it, and what the cluster lacks") {
            let status = try await cluster.client.get(.todoApps, namespace: "team", name: "app", subresource: nil)
                .status
            let api = status?["services"]?.array?.first { $0["name"] == "api" }
            let scaling = status?["conditions"]?.array?.first { $0["type"] == "AutoscalingReady" }
            return api?["desired"] == 3 && scaling?["message"]?.string?.contains("metrics-server") == true ? true : nil
        }
        // Without pods the autoscaler would rest for good.
        try await kubectl.expect("scale", "deployment/app-api", "--replicas=0")
        try await settles(at: 2)
        try await process.stop(SIGTERM)
        try await cluster.stop()
    }
}
