import APIServer
import ControllerRuntime
import KubernetesClient
import Logging
import StructuredData
import Testing

@testable import LocalCluster

struct EventExpiryTests {
    private static let events = ResourceType(group: "", version: "v1", kind: "Event", plural: "events")

    @Test("an event goes an hour after it was last told, not after it was first told")
    func expiry() async throws {
        let time = ManualTime()
        var configuration = APIServer.Configuration()
        configuration.now = { time.wallClock }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let api = try await APIServer(configuration: configuration, logger: logger)
        let client = LocalCluster.client(of: api, as: .admin)
        for name in ["once", "again"] {
            let event: JSON = [
                "metadata": ["name": JSON(name), "namespace": "default"], "reason": "Test", "type": "Normal",
                "involvedObject": ["kind": "Pod", "name": "p", "namespace": "default"],
            ]
            _ = try await client.create(KubernetesObject(event), Self.events)
        }
        time.advance(by: .seconds(1_800))
        _ = try await client.patch(
            Self.events, namespace: "default", name: "again",
            .merge(["count": 2, "lastTimestamp": JSON(time.wallClock.text)]))

        let expiry = EventExpiry(access: ClusterAccess(client: client, time: time, logger: logger))
        func names() async throws -> [String] { try await client.list(Self.events).items.map(\.name) }
        time.advance(by: .seconds(1_799))
        try await expiry.deleteExpired()
        #expect(try await names() == ["again", "once"])
        time.advance(by: .seconds(2))
        try await expiry.deleteExpired()
        #expect(try await names() == ["again"])
        time.advance(by: .seconds(1_800))
        try await expiry.deleteExpired()
        #expect(try await names().isEmpty)
    }
}
