import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// Neighbours that are late, silent, or of an older release: a condition names it, everything else goes on, and it heals
/// by itself.
@Suite(.timeLimit(.minutes(10))) struct NeighbourTests {
    private static func older(_ type: ResourceType, _ version: String) -> ResourceType {
        ResourceType(group: type.group, version: version, kind: type.kind, plural: type.plural)
    }

    @Test func aStrimziThatNeverAnswersIsNamedWithTheTimeSinceWhen() async throws {
        let cluster = try await OperatorHarness(neighbours: KafkaTests.neighbours)
        try await cluster.whileRunning {
            try await ScriptedStrimzi(cluster: cluster).install()
            let condition = try await cluster.whenReason(.waitingForStrimzi, of: .kafkaReady)
            let kafka = try await cluster.find(DesiredState.kafkaType, "todo")
            let made = try #require(kafka?.at("metadata", "creationTimestamp")?.string)
            #expect(
                condition["message"]?.string
                    == "Kafka todo: Strimzi has not taken it up since \(made); see whether its operator runs and watches this namespace"
            )
            try await cluster.whenReason(.migrated, of: .databaseReady)
            #expect(try await cluster.condition(.stalled) == nil, "it may still come")
        }
    }

    @Test func aStrimziWhoseKindsAreOfAnOlderVersionIsNamedWithTheOneNeeded() async throws {
        let old = DesiredState.kafkaTypes.map { Self.older($0, "v1beta2") }
        let cluster = try await OperatorHarness(neighbours: old + DesiredState.daprTypes)
        try await cluster.whileRunning {
            try await ScriptedStrimzi(cluster: cluster).install()
            let condition = try await cluster.whenReason(.strimziNotInstalled, of: .kafkaReady)
            #expect(
                condition["message"]?.string?.hasPrefix(
                    "the cluster has Kafka of kafka.strimzi.io only in version v1beta2, and v1 is needed; install Strimzi 1.0"
                ) == true)
            try await cluster.whenReason(.migrated, of: .databaseReady)
            for type in DesiredState.kafkaTypes { try await cluster.serve(type) }
            _ = try await eventually("the Kafka", within: .seconds(60)) {
                try await cluster.find(DesiredState.kafkaType, "todo")
            }
        }
    }

    @Test func aDaprWhoseSubscriptionsAreOfAnOlderVersionIsNamedWithTheOneNeeded() async throws {
        let present = DesiredState.daprTypes.map { $0.kind == "Subscription" ? Self.older($0, "v1alpha1") : $0 }
        let cluster = try await OperatorHarness(neighbours: present)
        try await cluster.whileRunning {
            try await cluster.install()
            try await cluster.bringUpPods()
            let condition = try await cluster.whenReason(.daprNotInstalled)
            #expect(
                condition["message"]?.string?.contains(
                    "has Subscription of dapr.io only in version v1alpha1, and v2alpha1 is needed; install Dapr 1.17")
                    == true)
            try await cluster.whenReason(.rolledOut, of: .servicesReady)
            for type in DesiredState.daprTypes where type.kind == "Subscription" { try await cluster.serve(type) }
            _ = try await eventually("ready by itself", within: .seconds(60)) {
                try await cluster.condition(.ready)?["status"] == "True" ? true : nil
            }
        }
    }
}

extension OperatorHarness {
    /// The neighbour is upgraded: its kind has this version, too.
    fileprivate func serve(_ type: ResourceType) async throws {
        let name = "\(type.plural).\(type.group)"
        let live = try #require(
            try await person.getIfPresent(CRDCheck.definitionType, namespace: nil, name: name)?.json)
        var old = try #require(live.at("spec", "versions")?[0])
        old["storage"] = false
        let new = try #require(Self.definition(of: type).at("spec", "versions")?[0])
        _ = try await person.patch(
            CRDCheck.definitionType, namespace: nil, name: name, .merge(["spec": ["versions": [new, old]]]),
            subresource: nil, options: WriteOptions())
    }
}
