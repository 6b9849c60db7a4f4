import Concurrency
import Dapr
import Foundation
import StructuredData
import Testing

@testable import DaprSidecar

/// More than a sidecar takes in one request.
@Suite(.timeLimit(.minutes(10))) struct LargePublishTests {
    private static func running(
        maxBodyBytes: Int? = nil, _ body: (Replica) async throws -> Void
    ) async throws {
        let host = try EmbeddedHost()
        defer { host.remove() }
        host.host.update(try ConformanceSidecar.objects())
        let app = ConformanceApp(token: nil)
        var pod = EmbeddedHost.pod("conformance", appPort: try await ConformanceSidecar.serve(app))
        if let maxBodyBytes { pod.maxBodyBytes = maxBodyBytes }
        try await body(try await Replica.start(host, app, pod))
        try await host.host.close()
    }

    private static func event(_ marker: String, key: String, size: Int) -> OutgoingEvent {
        let text = JSON.string(String(repeating: "x", count: size))
        return OutgoingEvent(ConformanceSidecar.event(marker, ["text": text]), partitionKey: key)
    }

    @Test func tenMegabytesArriveWholeAndInOrderForEachKey() async throws {
        try await Self.running { replica in
            let markers = (0..<500).map { "\($0)" }
            let events = markers.map { Self.event($0, key: "key-\((Int($0) ?? 0) % 5)", size: 20_000) }
            #expect(try await replica.sidecar.client.publish(events, to: "bulk", of: ConformanceApp.pubsub) == [])
            for marker in markers {
                let arrivals = try await replica.sidecar.arrivals(of: marker)
                #expect(arrivals.count == 1)
            }
            let order = replica.app.order.withLock { $0 }.compactMap { Int($0) }
            for key in 0..<5 {
                let own = order.filter { $0 % 5 == key }
                #expect(own == own.sorted() && own.count == 100)
            }
        }
    }

    @Test func aSidecarThatTakesLessIsGivenLess() async throws {
        try await Self.running(maxBodyBytes: 50_000) { replica in
            let markers = (0..<40).map { "\($0)" }
            let events = markers.map { Self.event($0, key: "k", size: 10_000) }
            #expect(try await replica.sidecar.client.publish(events, to: "single", of: ConformanceApp.pubsub) == [])
            for marker in markers { _ = try await replica.sidecar.arrivals(of: marker) }
            #expect(replica.app.order.withLock { $0 } == markers)
        }
    }

    @Test func anEventThatIsTooLargeHoldsUpOnlyThoseOfItsKey() async throws {
        try await Self.running(maxBodyBytes: 50_000) { replica in
            let events = (0..<12).map { index in
                Self.event("\(index)", key: "key-\(index % 3)", size: index == 4 ? 60_000 : 5_000)
            }
            let rejected = try await replica.sidecar.client.publish(events, to: "single", of: ConformanceApp.pubsub)
            #expect(rejected.map(\.index) == [4, 7, 10])
            #expect(rejected[0].reason.contains("413"), "\(rejected)")
            for index in events.indices where !rejected.contains(where: { $0.index == index }) {
                _ = try await replica.sidecar.arrivals(of: "\(index)")
            }
            #expect(!replica.has("4") && !replica.has("10"))
        }
    }
}
