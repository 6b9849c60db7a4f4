import APIServer
import HTTPTypes
import StructuredData
import Testing

struct ListTests {
    private func filled(_ count: Int, _ configure: (inout APIServer.Configuration) -> Void = { _ in }) async throws
        -> TestServer
    {
        let server = try await TestServer(configure)
        for index in 0..<count { await server.configMap("c\(100 + index)", labels: ["n": .string("\(index % 2)")]) }
        return server
    }

    @Test("pages show one revision, whatever is written between them")
    func consistentPages() async throws {
        let server = try await filled(10)
        let first = await server.send(.get, "\(TestServer.configMaps)?limit=4")
        #expect(first.names == ["c100", "c101", "c102", "c103"])
        #expect(first.json.at("metadata", "remainingItemCount") == 6)
        await server.configMap("c105a")
        await server.send(.delete, "\(TestServer.configMaps)/c106")
        await server.send(.patch, "\(TestServer.configMaps)/c107", ["data": ["late": "1"]], type: TestServer.merge)
        var seen = first.names
        var page = first
        while let token = page.json.at("metadata", "continue")?.string {
            page = await server.send(.get, "\(TestServer.configMaps)?limit=4&continue=\(token)")
            #expect(page.revision == first.revision)
            #expect(page.json["items"]?.array?.allSatisfy { $0.at("data", "late") == nil } == true)
            seen += page.names
        }
        #expect(seen == (100..<110).map { "c\($0)" })
        #expect(page.json.at("metadata", "remainingItemCount") == nil)
    }

    @Test("remainingItemCount is left out with a selector")
    func remainingCount() async throws {
        let server = try await filled(6)
        let page = await server.send(.get, "\(TestServer.configMaps)?limit=1&labelSelector=n%3D0")
        #expect(page.json.at("metadata", "continue") != nil)
        #expect(page.json.at("metadata", "remainingItemCount") == nil)
    }

    @Test("a token whose revision is forgotten is 410, with one that goes on at the present")
    func expiredToken() async throws {
        let server = try await filled(6)
        let first = await server.send(.get, "\(TestServer.configMaps)?limit=2")
        server.api.forgetHistory()
        await server.configMap("c109")
        server.api.forgetHistory()
        let token = first.json.at("metadata", "continue")?.string ?? ""
        let expired = await server.send(.get, "\(TestServer.configMaps)?limit=2&continue=\(token)")
        #expect(expired.code == 410 && expired.reason == "Expired")
        let next = expired.json.at("metadata", "continue")?.string ?? ""
        let rest = await server.send(.get, "\(TestServer.configMaps)?continue=\(next)")
        #expect(rest.names == ["c102", "c103", "c104", "c105", "c109"])
        #expect(await server.send(.get, "\(TestServer.configMaps)?continue=nonsense").code == 400)
    }

    @Test("resourceVersion and its match decide which state a list shows")
    func revisions() async throws {
        let server = try await filled(2)
        let before = await server.send(.get, TestServer.configMaps)
        await server.configMap("late")
        let list = TestServer.configMaps
        let exact = await server.send(
            .get, "\(list)?resourceVersion=\(before.revision)&resourceVersionMatch=Exact")
        #expect(exact.names == before.names)
        #expect(exact.revision == before.revision)
        let newer = await server.send(
            .get, "\(list)?resourceVersion=\(before.revision)&resourceVersionMatch=NotOlderThan")
        #expect(newer.names.contains("late"))
        #expect(await server.send(.get, "\(list)?resourceVersion=0").names.contains("late"))
        let future = await server.send(.get, "\(list)?resourceVersion=99999999")
        #expect(future.code == 504 && future.reason == "Timeout")
        #expect(future.json.at("details", "causes")?[0]?["reason"] == "ResourceVersionTooLarge")
        for query in [
            "resourceVersionMatch=Exact", "resourceVersion=0&resourceVersionMatch=Exact",
            "resourceVersion=1&resourceVersionMatch=Maybe", "sendInitialEvents=true",
        ] {
            #expect(await server.send(.get, "\(list)?\(query)").code == 422, "\(query)")
        }
        #expect(await server.send(.get, "\(list)?resourceVersion=abc").code == 400)
    }

    @Test("label and field selectors choose; a bad or unknown one is 400")
    func selectors() async throws {
        let server = try await filled(4)
        let list = TestServer.configMaps
        #expect(await server.send(.get, "\(list)?labelSelector=n%20in%20(0)").names == ["c100", "c102"])
        #expect(await server.send(.get, "\(list)?labelSelector=!n").names.isEmpty)
        #expect(await server.send(.get, "\(list)?fieldSelector=metadata.name%3Dc101").names == ["c101"])
        #expect(
            await server.send(.get, "/api/v1/configmaps?fieldSelector=metadata.namespace!%3Ddefault").names.isEmpty)
        #expect(await server.send(.get, "\(list)?labelSelector=%3D%3D").code == 400)
        #expect(await server.send(.get, "\(list)?fieldSelector=spec.nope%3D1").code == 400)
    }

    @Test("a long list, sent in chunks, is one whole document")
    func longLists() async throws {
        let server = try await TestServer()
        let text = String(repeating: "x", count: 20_000)
        for index in 0..<40 { await server.configMap("c\(100 + index)", ["t": .string(text)]) }
        let list = await server.send(.get, TestServer.configMaps)
        #expect(list.names.count == 40)
        #expect(list.json["kind"] == "ConfigMapList")
        #expect(list.json["items"]?.array?.allSatisfy { $0.at("data", "t")?.string == text } == true)
    }

    @Test("lists come as tables, as metadata only, or as YAML when asked")
    func forms() async throws {
        let server = try await filled(2)
        let table = await server.send(.get, TestServer.configMaps, accept: TestServer.table)
        #expect(table.json["kind"] == "Table")
        #expect(table.json["rows"]?.array?.compactMap { $0["cells"]?[0] } == ["c100", "c101"])
        let partial = await server.send(
            .get, TestServer.configMaps,
            accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json")
        #expect(partial.json["kind"] == "PartialObjectMetadataList")
        #expect(partial.json["items"]?[0]?["data"] == nil)
        let yaml = await server.send(.get, "\(TestServer.configMaps)/c100", accept: "application/yaml")
        #expect(yaml.text.contains("kind: ConfigMap\n"))
        let none = await server.send(.get, TestServer.configMaps, accept: "image/png")
        #expect(none.code == 406)
    }
}
