import APIServer
import HTTPTypes
import StructuredData
import Testing

struct BodyTests {
    @Test("YAML bodies are read, other types are 415")
    func types() async throws {
        let server = try await TestServer()
        let yaml = await server.send(
            .post, TestServer.configMaps, bytes: Array("metadata:\n  name: a\ndata: {x: \"1\"}\n".utf8),
            type: "application/yaml")
        #expect(yaml.code == 201)
        #expect(yaml.json.at("data", "x") == "1")
        let xml = await server.send(.post, TestServer.configMaps, bytes: Array("<a/>".utf8), type: "text/xml")
        #expect(xml.code == 415 && xml.reason == "UnsupportedMediaType")
    }

    @Test(
        "what is no object is refused with 400, whatever it is",
        arguments: ["{nope", "", "[]", "null", "\"x\"", "{\"metadata\":[]}", "{\"metadata\":{\"name\":5}}"])
    func broken(_ body: String) async throws {
        let server = try await TestServer()
        let answer = await server.send(.post, TestServer.configMaps, bytes: Array(body.utf8))
        #expect(answer.code == 400, "\(answer.text)")
        #expect(answer.reason == "BadRequest")
    }

    @Test("a body of 10,000 levels, one past the limit, and hostile protobuf are refused, not fatal")
    func hostile() async throws {
        let server = try await TestServer { $0.bodyLimit = 1_000_000 }
        let deep = Array(String(repeating: "[", count: 10_000).utf8) + Array(String(repeating: "]", count: 10_000).utf8)
        #expect(await server.send(.post, TestServer.configMaps, bytes: deep).code == 400)
        let deepPatch = Array(#"{"data":"#.utf8) + deep + Array("}".utf8)
        await server.configMap("a")
        #expect(
            await server.send(.patch, "\(TestServer.configMaps)/a", bytes: deepPatch, type: TestServer.merge).code
                == 400)
        let large = Array(#"{"data":{"x":""#.utf8) + [UInt8](repeating: 65, count: 1_000_000) + Array("\"}}".utf8)
        let refused = await server.send(.post, TestServer.configMaps, bytes: large)
        #expect(refused.code == 413 && refused.reason == "RequestEntityTooLarge")
        for count in 0..<100 {
            let bytes = Array("k8s\0".utf8) + (0..<count).map { _ in UInt8.random(in: 0...255) }
            let answer = await server.send(
                .post, TestServer.configMaps, bytes: bytes, type: "application/vnd.kubernetes.protobuf")
            #expect([400, 415, 422].contains(answer.code))
        }
    }

    @Test("paths and queries of any shape are answered")
    func hostileTargets() async throws {
        let server = try await TestServer()
        for target in [
            "", "/", "//", "/api", "/api/", "/api/v1", "/api/v1/", "/apis//", "/api/v1/namespaces//configmaps",
            "/api/v1/namespaces/%zz/configmaps/%", "/api/v1/namespaces/default/configmaps/a/b/c/d",
            "/api/v1/configmaps?limit=-1", "/api/v1/configmaps?limit=x", "/api/v1/configmaps?continue=%00",
            "/api/v1/configmaps?labelSelector=%ff%fe", "/openapi/v3/nope", "/api/v1/namespaces/default/pods/p/log",
        ] {
            let answer = await server.send(.get, target)
            #expect((200..<500).contains(answer.code), "\(target): \(answer.code)")
        }
    }

    @Test("validation failures are 422 with a cause per field")
    func invalid() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        let answer = await server.send(.post, TestServer.gizmos, gizmo("one", size: "huge"))
        #expect(answer.code == 422 && answer.reason == "Invalid")
        #expect(
            answer.message
                == "Gizmo.lab.example.test \"one\" is invalid: spec.size: Unsupported value: \"huge\": supported "
                + "values: \"small\", \"large\"")
        #expect(answer.json.at("details", "causes")?[0]?["field"] == "spec.size")
        #expect(answer.json.at("details", "causes")?[0]?["reason"] == "FieldValueNotSupported")
        let name = await server.send(.post, TestServer.configMaps, ["metadata": ["name": "Not_Valid"]])
        #expect(name.code == 422)
        #expect(name.json.at("details", "causes")?[0]?["field"] == "metadata.name")
    }
}
