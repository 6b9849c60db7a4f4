import Dapr
import Foundation
import HTTPTransport
import HTTPTypes
import StructuredData
import Testing

@testable import DaprSidecar

/// What a sidecar shows to everybody: health and metadata, at the pod's address (contract section 2).
@Suite(.timeLimit(.minutes(10))) struct OpenDoorTests {
    /// As pods have them: one of their own in 127.0.0.0/8.
    private static let address = "127.77.\(UInt8.random(in: 1...254)).\(UInt8.random(in: 1...254))"
    private static let transport = CurlTransport(configuration: .init(proxy: .none))

    private static func ask(_ method: HTTPRequest.Method, _ path: String) async throws -> (status: Int, body: [UInt8]) {
        let url = "http://\(address):\(SidecarPod.publicPort)\(path)"
        let response = try await transport.send(ClientRequest(method: method, url: url, totalTimeout: .seconds(60)))
        return (response.status.code, try await response.body.collect(upTo: 1 << 20))
    }

    @Test func healthAndMetadataAreShownWithoutATokenAndNothingElse() async throws {
        let host = try EmbeddedHost()
        defer { host.remove() }
        host.host.update(try ConformanceSidecar.objects())
        var pod = SidecarPod(
            uid: UUID().uuidString, name: "pod", namespace: "default", appID: "conformance", appPort: nil,
            address: Self.address)
        pod.apiToken = "a token"
        pod.openPort = SidecarPod.publicPort
        let port = try await host.host.start(pod)
        let metadata = try await eventually("the component is loaded") {
            let (status, body) = try await Self.ask(.get, "/v1.0/metadata")
            #expect(status == 200)
            let metadata = try JSON(parsing: body)
            let isLoaded = metadata["components"]?.array?.contains { $0["name"] == "conformance-pubsub" } == true
            return isLoaded ? metadata : nil
        }
        #expect(metadata["id"] == "conformance")
        #expect(try await Self.ask(.get, "/v1.0/healthz").status == 204)
        for (method, path) in [
            (HTTPRequest.Method.post, "/v1.0/publish/conformance-pubsub/single"), (.post, "/v1.0/shutdown"),
            (.get, "/v1.0/secrets/kubernetes/login"), (.post, "/v1.0/metadata"),
        ] {
            #expect(try await Self.ask(method, path).status == 404, "\(method) \(path)")
        }
        // The app's own door goes on asking for it.
        let app = DaprClient(.init(endpoint: "http://127.0.0.1:\(port)"))
        await #expect(throws: DaprError.self) { _ = try await app.metadata() }
        await host.host.stop(uid: pod.uid)
        await #expect(throws: HTTPTransportError.self) { _ = try await Self.ask(.get, "/v1.0/metadata") }
        try await host.host.close()
    }
}
