import APIServerKinds
import StructuredData
import Testing

@Suite struct DiscoveryTests {
    private func document(_ registry: ResourceRegistry, _ path: String, accept: String = "") throws -> JSON {
        let document = try #require(registry.document(path: path, accept: accept, serverAddress: "127.0.0.1:6443"))
        return try JSON(parsing: document.bytes)
    }

    @Test func `a custom resource is listed as kube-apiserver lists it`() throws {
        let registry = try Fixture.registryWithGizmos()
        let golden = try JSON(
            parsing: """
                {"apiVersion":"v1","groupVersion":"lab.example.test/v1","kind":"APIResourceList","resources":[
                 {"categories":["lab"],"kind":"Gizmo","name":"gizmos","namespaced":true,"shortNames":["gz"],
                  "singularName":"gizmo","storageVersionHash":"B7fK0tXabX4=",
                  "verbs":["delete","deletecollection","get","list","patch","create","update","watch"]},
                 {"kind":"Gizmo","name":"gizmos/status","namespaced":true,"singularName":"",
                  "verbs":["get","patch","update"]},
                 {"group":"autoscaling","kind":"Scale","name":"gizmos/scale","namespaced":true,"singularName":"",
                  "verbs":["get","patch","update"],"version":"v1"}]}
                """)
        #expect(try document(registry, "/apis/lab.example.test/v1") == golden)
    }

    @Test func `the root lists the paths`() throws {
        let paths = try document(try Fixture.registryWithGizmos(), "/")["paths"]?.array?.compactMap(\.string) ?? []
        #expect(paths == paths.sorted())
        for path in ["/api/v1", "/apis/apps", "/apis/lab.example.test/v1", "/openapi/v3", "/version"] {
            #expect(paths.contains(path), "\(path)")
        }
    }

    @Test(arguments: [
        ("/api/v1", "pods", "xPOwRZ+Yhw8="), ("/api/v1", "configmaps", "qFsyl6wFWjQ="),
        ("/apis/apps/v1", "deployments", "8aSe+NMegvE="), ("/apis/events.k8s.io/v1", "events", "r2yiGXH7wu8="),
    ])
    func `storage version hashes are those of kube-apiserver`(path: String, name: String, hash: String) throws {
        let resources = try document(ResourceRegistry(), path)["resources"]?.array ?? []
        let resource = try #require(resources.first { $0["name"]?.string == name })
        #expect(resource["storageVersionHash"]?.string == hash)
    }

    @Test func `the resources of apps come in the order of kubectl api-resources`() throws {
        let resources = try document(ResourceRegistry(), "/apis/apps/v1")["resources"]?.array ?? []
        let names = resources.compactMap { $0["name"]?.string }.filter { !$0.contains("/") }
        #expect(names == ["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"])
    }

    @Test(arguments: [
        ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json", "v2"),
        ("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json", "v2beta1"),
        ("application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json", nil),
        ("application/json", nil), ("", nil), ("*/*", nil),
    ])
    func `discovery is aggregated when the client prefers it`(accept: String, version: String?) throws {
        let registry = try Fixture.registryWithGizmos()
        let served = try #require(registry.document(path: "/apis", accept: accept, serverAddress: ""))
        let json = try JSON(parsing: served.bytes)
        guard let version else {
            #expect(json["kind"] == "APIGroupList")
            return
        }
        #expect(json["apiVersion"] == .string("apidiscovery.k8s.io/\(version)"))
        #expect(
            served.contentType == "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList")
        let group = try #require(json["items"]?.array?.last)
        #expect(group.at("metadata", "name") == "lab.example.test")
        let resource = try #require(group["versions"]?[0]?["resources"]?[0])
        #expect(resource["scope"] == "Namespaced")
        #expect(resource["subresources"]?[1]?.at("responseKind", "kind") == "Scale")
    }

    @Test func `what is not served has no document`() {
        let registry = ResourceRegistry()
        for path in ["/apis/nope.example.test/v1", "/apis/apps/v9", "/api/v2", "/openapi/v3/apis/nope/v1", "/healthz"] {
            #expect(registry.document(path: path, accept: "", serverAddress: "") == nil, "\(path)")
        }
    }

    @Test func `the version names a release`() throws {
        let version = try document(ResourceRegistry(), "/version")
        #expect(version["major"] == "1")
        #expect(version["gitVersion"]?.string?.hasPrefix("v1.36") == true)
        #expect(version["platform"]?.string?.hasPrefix("linux/") == true)
    }
}
