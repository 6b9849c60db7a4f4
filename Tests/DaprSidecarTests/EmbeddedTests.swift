import Concurrency
import Dapr
import Foundation
import HTTPTransport
import HTTPTypes
import KubernetesClient
import StructuredData
import Testing
import TopicLog

@testable import DaprSidecar

/// An app with an embedded sidecar.
struct Replica: Sendable {
    let app: ConformanceApp
    let pod: SidecarPod
    let sidecar: ConformanceSidecar

    static func start(_ host: EmbeddedHost, app id: String = "conformance") async throws -> Replica {
        let app = ConformanceApp(token: nil)
        let pod = EmbeddedHost.pod(id, appPort: try await ConformanceSidecar.serve(app))
        return try await start(host, app, pod)
    }

    static func start(_ host: EmbeddedHost, _ app: ConformanceApp, _ pod: SidecarPod) async throws -> Replica {
        let port = try await host.host.start(pod)
        let client = DaprClient(.init(endpoint: "http://127.0.0.1:\(port)"))
        let replica = Replica(
            app: app, pod: pod, sidecar: ConformanceSidecar(app: app, client: client, isEmbedded: true))
        _ = try await eventually("subscriptions are served") {
            try await client.metadata().subscriptions.count >= 7 ? true : nil
        }
        return replica
    }

    func publish(_ markers: [String], to topic: String = "single", key: (Int) -> String) async throws {
        let events = markers.enumerated().map { index, marker in
            OutgoingEvent(ConformanceSidecar.event(marker), partitionKey: key(index))
        }
        #expect(try await sidecar.client.publish(events, to: topic, of: ConformanceApp.pubsub) == [])
    }

    func has(_ marker: String) -> Bool { !app.arrivals(of: marker).isEmpty }
}

/// What is the embedded sidecar's own: groups, hand-over, restarts, changes of objects.
@Suite(.timeLimit(.minutes(10))) struct EmbeddedTests {
    /// The conformance suite's objects, with values of the pub/sub component changed.
    private static func resources(_ values: [String: String] = [:]) throws -> DaprResources {
        var resources = try ConformanceSidecar.objects()
        var metadata = resources.components[0].json.at("spec", "metadata")?.array ?? []
        metadata.removeAll {
            $0["name"]?.string == "publishingScopes" || values.keys.contains($0["name"]?.string ?? "")
        }
        metadata += values.map { ["name": .string($0.key), "value": .string($0.value)] }
        resources.components[0].json.set(.array(metadata), at: "spec", "metadata")
        return resources
    }

    private static func running(
        _ resources: DaprResources? = nil, _ body: (EmbeddedHost) async throws -> Void
    ) async throws {
        let host = try EmbeddedHost()
        defer { host.remove() }
        host.host.update(try resources ?? Self.resources())
        try await body(host)
        try await host.host.close()
    }

    private func markers(_ count: Int) -> [String] {
        let run = UUID().uuidString
        return (0..<count).map { "\(run)-\($0)" }
    }

    @Test func theEventsOfARequestAreStepsOfOneTrace() async throws {
        try await Self.running { host in
            let replica = try await Replica.start(host)
            let markers = markers(3)
            try await replica.publish(Array(markers.prefix(2))) { "\($0)" }
            try await replica.publish([markers[2]]) { _ in "2" }
            var steps: [[Substring]] = []
            for marker in markers {
                let parent = try await replica.sidecar.arrivals(of: marker)[0].event["traceparent"]?.string ?? ""
                #expect(parent.wholeMatch(of: /00-[0-9a-f]{32}-[0-9a-f]{16}-00/) != nil, "\(parent)")
                steps.append(parent.split(separator: "-"))
            }
            #expect(steps[0][1] == steps[1][1] && steps[1][1] != steps[2][1])
            #expect(Set(steps.map { $0[2] }).count == 3)
        }
    }

    @Test func replicasOfAnAppShareItsEventsByKey() async throws {
        try await Self.running { host in
            let replicas = [try await Replica.start(host), try await Replica.start(host)]
            // The second one has its share when the first one has let go of it.
            _ = try await eventually("each key is of one replica, and each replica has some") {
                let markers = markers(200)
                try await replicas[0].publish(markers) { "key-\($0 % 50)" }
                _ = try await eventually("all have arrived") {
                    markers.allSatisfy { marker in replicas.contains { $0.has(marker) } } ? true : nil
                }
                let counts = replicas.map { replica in markers.count { replica.has($0) } }
                #expect(counts.reduce(0, +) == 200)
                let owners = (0..<50).map { key in
                    Set((0..<4).map { round in replicas.firstIndex { $0.has(markers[key + 50 * round]) } })
                }
                return counts.allSatisfy { $0 > 20 } && owners.allSatisfy { $0.count == 1 } ? true : nil
            }
        }
    }

    @Test func aReplicaThatLeavesHandsItsEventsOver() async throws {
        try await Self.running { host in
            let (stays, goes) = (try await Replica.start(host), try await Replica.start(host))
            await host.host.drain(uid: goes.pod.uid)
            let first = markers(100)
            // Its app may still publish.
            try await goes.publish(first) { "key-\($0)" }
            for marker in first { _ = try await stays.sidecar.arrivals(of: marker) }
            await host.host.stop(uid: goes.pod.uid)
            #expect(!first.contains { goes.has($0) })
            #expect(await !goes.sidecar.client.isOutboundHealthy())
        }
    }

    @Test func everyReplicaSeesEverythingWhereTheComponentAsksForIt() async throws {
        try await Self.running(try Self.resources(["consumerID": "{podName}", "initialOffset": "newest"])) { host in
            let first = try await Replica.start(host)
            let before = markers(20)
            try await first.publish(before) { "key-\($0)" }
            for marker in before { _ = try await first.sidecar.arrivals(of: marker) }
            let second = try await Replica.start(host)
            let after = markers(20)
            try await first.publish(after) { "key-\($0)" }
            for marker in after {
                #expect(try await first.sidecar.arrivals(of: marker).count == 1)
                #expect(try await second.sidecar.arrivals(of: marker).count == 1)
            }
            #expect(!before.contains { second.has($0) })
        }
    }

    @Test func afterARestartOnlyWhatWasNotTakenIsDelivered() async throws {
        let host = try EmbeddedHost()
        defer { host.remove() }
        host.host.update(try Self.resources())
        let replica = try await Replica.start(host)
        let taken = markers(50)
        try await replica.publish(taken) { "key-\($0)" }
        for marker in taken { _ = try await replica.sidecar.arrivals(of: marker) }
        await host.host.drain(uid: replica.pod.uid)
        // The drain is carried out when nothing is subscribed any more.
        _ = try await eventually("nothing is delivered") {
            try await replica.sidecar.client.metadata().subscriptions.isEmpty ? true : nil
        }
        let waiting = markers(50)
        try await replica.publish(waiting) { "key-\($0)" }
        try await host.host.close()

        let again = try EmbeddedHost(folder: host.folder)
        again.host.update(try Self.resources())
        let late = try await Replica.start(again)
        for marker in waiting { #expect(try await late.sidecar.arrivals(of: marker).count == 1) }
        #expect(!taken.contains { late.has($0) })
        try await again.host.close()
    }

    @Test func anotherBrokerHasOtherTopics() async throws {
        var resources = try Self.resources()
        var other = resources.components[0]
        other.json.set("elsewhere", at: "metadata", "name")
        other.json.set([["name": "brokers", "value": "other:9092"]], at: "spec", "metadata")
        resources.components.append(other)
        try await Self.running(resources) { host in
            let replica = try await Replica.start(host)
            let markers = markers(2)
            let event = OutgoingEvent(ConformanceSidecar.event(markers[0]), partitionKey: "k")
            try await replica.sidecar.client.publish(event, to: "single", of: "elsewhere")
            try await replica.publish([markers[1]]) { _ in "k" }
            _ = try await replica.sidecar.arrivals(of: markers[1])
            #expect(!replica.has(markers[0]))
        }
    }

    @Test func changedObjectsCountAtOnce() async throws {
        var resources = try Self.resources()
        let subscriptions = resources.subscriptions
        resources.subscriptions = []
        let empty = resources
        let host = try EmbeddedHost()
        defer { host.remove() }
        host.host.update(try Self.resources())
        let replica = try await Replica.start(host)
        host.host.update(empty)
        _ = try await eventually("the subscription is gone") {
            let topics = try await replica.sidecar.client.metadata().subscriptions.map(\.topic)
            return topics.contains("declared") ? nil : true
        }
        let marker = markers(1)[0]
        try await replica.publish([marker], to: "declared") { _ in "k" }
        resources.subscriptions = subscriptions
        host.host.update(resources)
        // The group goes on where it was.
        _ = try await replica.sidecar.arrivals(of: marker)
        try await host.host.close()
    }

    @Test func anEventThatIsRefusedForEverHoldsUpOnlyItsPartition() async throws {
        var resources = try Self.resources()
        resources.resiliencies = []
        try await Self.running(resources) { host in
            let replica = try await Replica.start(host)
            let markers = markers(40)
            let script = Array(repeating: "RETRY", count: 1000)
            let stuck = ConformanceSidecar.event("stuck \(markers[0])", script: script)
            // Without a dead letter topic.
            try await replica.sidecar.publish(stuck, key: "k", to: "routes")
            try await replica.publish(markers, to: "routes") { $0 == 0 ? "k" : "key-\($0)" }
            _ = try await replica.sidecar.arrivals(of: "stuck \(markers[0])")
            _ = try await eventually("the others have arrived") {
                markers.count { replica.has($0) } >= 25 ? true : nil
            }
            #expect(!replica.has(markers[0]))
        }
    }

    @Test func anAppIsBroughtEventsOnlyWhileItIsHealthy() async throws {
        try await Self.running { host in
            let app = ConformanceApp(token: nil)
            app.isHealthy.withLock { $0 = false }
            var pod = EmbeddedHost.pod("conformance", appPort: try await ConformanceSidecar.serve(app))
            var health = AppHealthCheck()
            health.interval = .milliseconds(20)
            health.timeout = .seconds(5)
            health.threshold = 2
            pod.health = health
            let client = DaprClient(.init(endpoint: "http://127.0.0.1:\(try await host.host.start(pod))"))
            _ = try await eventually("the app has answered") { await client.isHealthy() ? true : nil }
            #expect(try await client.metadata().subscriptions == [])
            app.isHealthy.withLock { $0 = true }
            _ = try await eventually("it is subscribed") {
                try await client.metadata().subscriptions.count >= 7 ? true : nil
            }
            app.isHealthy.withLock { $0 = false }
            _ = try await eventually("it is not any more") {
                try await client.metadata().subscriptions.isEmpty ? true : nil
            }
        }
    }

    @Test func aBodyBeyondTheLimitIsRefused() async throws {
        try await Self.running { host in
            var pod = EmbeddedHost.pod("conformance", appPort: nil)
            pod.maxBodyBytes = 1000
            let client = DaprClient(.init(endpoint: "http://127.0.0.1:\(try await host.host.start(pod))"))
            try await client.waitUntilReady()
            let event = OutgoingEvent(body: [UInt8](repeating: 97, count: 2000), contentType: "text/plain")
            do throws(DaprError) {
                try await client.publish(event, to: "single", of: ConformanceApp.pubsub)
                Issue.record("it was taken")
            } catch {
                guard case .refused(413, _, _) = error else { throw error }
            }
        }
    }

    @Test func aSidecarThatIsStartedTwiceIsOne() async throws {
        try await Self.running { host in
            let pod = EmbeddedHost.pod("conformance", appPort: nil)
            async let one = host.host.start(pod)
            async let two = host.host.start(pod)
            let ports = try await (one, two)
            #expect(ports.0 == ports.1)
        }
    }
}
