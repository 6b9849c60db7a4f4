@testable import APIServerKinds
import KubernetesSchema
import StructuredData
import Testing

@Suite struct OpenAPITests {
    private func document(_ registry: ResourceRegistry, _ path: String) throws -> JSON {
        try JSON(parsing: #require(registry.document(path: path, accept: "", serverAddress: "")).bytes)
    }

    @Test func `every group of the index has a document whose tag is the hash in its URL`() throws {
        let registry = try Fixture.registryWithGizmos()
        let index = try document(registry, "/openapi/v3")
        let paths = try #require(index["paths"]?.object)
        #expect(paths["apis/lab.example.test/v1"] != nil)
        for (path, entry) in paths {
            let url = try #require(entry["serverRelativeURL"]?.string)
            let hash = try #require(url.split(separator: "=").last)
            #expect(url == "/openapi/v3/\(path)?hash=\(hash)")
            let served = try #require(registry.document(path: "/openapi/v3/\(path)", accept: "", serverAddress: ""))
            #expect(served.etag == "\"\(hash)\"")
        }
    }

    @Test(arguments: ["/openapi/v3/api/v1", "/openapi/v3/apis/apps/v1", "/openapi/v3/apis/lab.example.test/v1"])
    func `a document holds every definition that it refers to`(path: String) throws {
        let document = try document(try Fixture.registryWithGizmos(), path)
        let known = Set(document.at("components", "schemas")?.object?.keys ?? [])
        #expect(!known.isEmpty)
        var missing: Set<String> = []
        func visit(_ value: JSON) {
            if let members = value.object {
                for (key, member) in members {
                    if key == "$ref", let name = member.string?.split(separator: "/").last,
                        !known.contains(String(name))
                    {
                        missing.insert(String(name))
                    }
                    visit(member)
                }
            }
            value.array?.forEach(visit)
        }
        visit(document)
        #expect(missing.isEmpty)
    }

    @Test func `a custom resource's patch offers dry run and validation, and no strategic merge`() throws {
        let document = try document(try Fixture.registryWithGizmos(), "/openapi/v3/apis/lab.example.test/v1")
        let path = "/apis/lab.example.test/v1/namespaces/{namespace}/gizmos/{name}"
        let patch = try #require(document["paths"]?[path]?["patch"])
        let parameters = patch["parameters"]?.array?.compactMap { $0["name"]?.string } ?? []
        #expect(Set(parameters).isSuperset(of: ["dryRun", "fieldValidation", "fieldManager", "force"]))
        #expect(patch["x-kubernetes-group-version-kind"]?["kind"] == "Gizmo")
        let types = patch.at("requestBody", "content")?.object?.keys ?? []
        #expect(!types.contains("application/strategic-merge-patch+json"))
        #expect(types.contains("application/apply-patch+yaml"))
        let schema = try #require(document["components"]?["schemas"]?["test.example.lab.v1.Gizmo"])
        #expect(schema.at("properties", "spec", "properties", "size", "description") == "how big it is")
        #expect(schema["x-kubernetes-group-version-kind"]?[0]?["kind"] == "Gizmo")
    }

    @Test func `built-in kinds offer all patches and what the real document names them`() throws {
        let document = try document(ResourceRegistry(), "/openapi/v3/apis/apps/v1")
        let item = try #require(document["paths"]?["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"])
        #expect(item.at("patch", "operationId") == "patchAppsV1NamespacedDeployment")
        #expect(item.at("patch", "tags") == ["apps_v1"])
        #expect(item.at("patch", "requestBody", "content")?["application/strategic-merge-patch+json"] != nil)
        let scale = try #require(document["paths"]?["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"])
        #expect(scale.at("patch", "operationId") == "patchAppsV1NamespacedDeploymentScale")
        #expect(scale.at("patch", "x-kubernetes-group-version-kind", "kind") == "Scale")
        #expect(
            document["paths"]?["/apis/apps/v1/deployments"]?.at("get", "operationId")
                == "listAppsV1DeploymentForAllNamespaces")
    }

    @Test func `the document of old clients says the same in its own words`() throws {
        let document = try document(try Fixture.registryWithGizmos(), "/openapi/v2")
        #expect(document["swagger"] == "2.0")
        let pod = try #require(document["definitions"]?["io.k8s.api.core.v1.Pod"])
        #expect(pod.at("properties", "spec", "$ref") == "#/definitions/io.k8s.api.core.v1.PodSpec")
        let port = document["definitions"]?["test.example.lab.v1.Gizmo"]?.at("properties", "spec", "properties", "port")
        #expect(port?["type"] == nil)
        let text = try #require(ResourceRegistry().document(path: "/openapi/v2", accept: "", serverAddress: "")).bytes
        #expect(!String(decoding: text, as: UTF8.self).contains("#/components/"))
    }

    @Test func `old clients get the document as protobuf`() throws {
        let registry = try Fixture.registryWithGizmos()
        let served = try #require(
            registry.document(
                path: "/openapi/v2", accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
                serverAddress: ""))
        #expect(served.contentType == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
        var fields: [Int: Int] = [:]
        var definitions: Set<String> = []
        var reader = WireReader(served.bytes[...])
        while let (number, value) = try reader.next() {
            fields[number, default: 0] += 1
            guard number == 9, case .bytes(let content) = value else { continue }
            var entries = WireReader(content)
            while let (_, entry) = try entries.next() {
                guard case .bytes(let bytes) = entry else { continue }
                var named = WireReader(bytes)
                if case (1, .bytes(let name))? = try named.next() {
                    definitions.insert(String(decoding: name, as: UTF8.self))
                }
            }
        }
        #expect(fields == [1: 1, 2: 1, 8: 1, 9: 1])
        #expect(definitions.isSuperset(of: ["io.k8s.api.core.v1.Pod", "test.example.lab.v1.Gizmo"]))
    }

    @Test func `documents follow the definitions`() throws {
        let registry = try Fixture.registryWithGizmos()
        func hash() throws -> JSON? {
            try document(registry, "/openapi/v3")["paths"]?["apis/lab.example.test/v1"]
        }
        let before = try hash()
        var crd = try Fixture.gizmos()
        crd["spec"]?["versions"]?.array?[0]["schema"] = ["openAPIV3Schema": ["type": "object"]]
        _ = registry.install(crd: crd, now: Fixture.now)
        #expect(try hash() != before)
        registry.remove(crdNamed: "gizmos.lab.example.test")
        #expect(try hash() == nil)
    }
}
