import APIServer
import HTTPTypes
import StructuredData
import Testing

struct RecoveryTests {
    @Test("objects, custom resources, tokens and addresses are there again after a restart")
    func restart() async throws {
        let folder = TemporaryFolder()
        var revision = ""
        var token: JSON = ""
        var address: JSON?
        do {
            let server = try await TestServer { $0.dataFolder = folder.path }
            try await server.installGizmos()
            await server.send(.post, TestServer.gizmos, gizmo("one"))
            let service = await server.send(
                .post, "/api/v1/namespaces/default/services",
                ["metadata": ["name": "s"], "spec": ["ports": [["port": 80]]]])
            address = service.json.at("spec", "clusterIP")
            let issued = await server.send(
                .post, "/api/v1/namespaces/default/serviceaccounts/default/token", [:])
            token = issued.json.at("status", "token") ?? ""
            revision = await server.send(.get, TestServer.gizmos).revision
            await server.api.stop()
        }
        let copy = try folder.copyTree()
        let server = try await TestServer { $0.dataFolder = copy.path }
        #expect(await server.send(.get, TestServer.gizmos).names == ["one"])
        let review = await server.send(
            .post, "/apis/authentication.k8s.io/v1/tokenreviews", ["spec": ["token": token]])
        #expect(review.json.at("status", "authenticated") == true)
        let clash = await server.send(
            .post, "/api/v1/namespaces/default/services",
            [
                "metadata": ["name": "t"],
                "spec": ["clusterIP": address ?? "", "ports": [["port": 80]]],
            ])
        #expect(clash.code == 422)
        let watch = try #require(await server.watch("\(TestServer.gizmos)?watch=1&resourceVersion=\(revision)"))
        #expect(try await watch.next()?.at("object", "code") == 410)
    }
}
