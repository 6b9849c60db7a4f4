import Dapr
import Foundation
import Testing

@testable import DaprSidecar

@Suite(.timeLimit(.minutes(10))) struct UpdateTests {
    @Test func ofManyUpdatesWhileASidecarStartsTheLastHolds() async throws {
        let host = try EmbeddedHost()
        defer { host.remove() }
        let objects = try ConformanceSidecar.objects()
        let pod = EmbeddedHost.pod("conformance", appPort: nil)
        async let starting = host.host.start(pod)
        for _ in 0..<200 {
            host.host.update(DaprResources())
            host.host.update(objects)
            await Task.yield()
        }
        let port = try await starting
        let client = DaprClient(.init(endpoint: "http://127.0.0.1:\(port)"))
        _ = try await eventually("the component is loaded") {
            try await client.metadata().components.contains { $0.name == "conformance-pubsub" } ? true : nil
        }
        try await host.host.close()
    }
}
