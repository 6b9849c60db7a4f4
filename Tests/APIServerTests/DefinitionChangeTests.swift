import APIServer
import APIServerKinds
import HTTPTypes
import StructuredData
import Testing

struct DefinitionChangeTests {
    private static let definition = "\(TestServer.definitions)/gizmos.lab.example.test"
    private static let newGizmos = "/apis/lab.example.test/v2/namespaces/default/gizmos"

    /// The version of the gizmos under another name, with a field more that has a default.
    private static func version(_ name: String, isStored: Bool) throws -> JSON {
        var version = try #require(TestServer.gizmoDefinition.at("spec", "versions")?[0])
        version["name"] = .string(name)
        version["storage"] = .bool(isStored)
        version.set(
            ["type": "string", "default": "grey"], at: "schema", "openAPIV3Schema", "properties", "spec", "properties",
            "color")
        return version
    }

    private static func change(_ server: TestServer, versions: [JSON]) async throws {
        let answer = await server.send(
            .patch, definition, ["spec": ["versions": .array(versions)]], type: TestServer.merge)
        try #require(answer.code == 200, "\(answer.text)")
    }

    @Test("objects of an earlier storage version are shown in the version asked for, and can be changed")
    func storageVersion() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        await server.send(.post, TestServer.gizmos, gizmo("one"))
        try await Self.change(
            server,
            versions: [try Self.version("v1", isStored: false), try Self.version("v2", isStored: true)])

        #expect(await server.send(.get, "\(Self.newGizmos)/one").json["apiVersion"] == "lab.example.test/v2")
        let list = await server.send(.get, Self.newGizmos)
        #expect(list.json["items"]?[0]?["apiVersion"] == "lab.example.test/v2")
        let changed = await server.send(
            .patch, "\(Self.newGizmos)/one", ["spec": ["size": "large"]], type: TestServer.merge)
        #expect(changed.code == 200, "\(changed.text)")
        let old = await server.send(.get, "\(TestServer.gizmos)/one").json
        #expect(old["apiVersion"] == "lab.example.test/v1" && old.at("spec", "size") == "large")
    }

    @Test("objects stored before a schema changed have its defaults and no field that it lost")
    func schema() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        let metadata = await server.send(.post, TestServer.gizmos, gizmo("one")).json["metadata"]
        var version = try Self.version("v1", isStored: true)
        version.set(nil, at: "schema", "openAPIV3Schema", "properties", "spec", "properties", "replicas")
        version["subresources"] = nil
        try await Self.change(server, versions: [version])

        let expected: JSON = ["size": "small", "color": "grey"]
        let shown = await server.send(.get, "\(TestServer.gizmos)/one").json
        #expect(shown["spec"] == expected && shown["metadata"] == metadata)
        #expect(await server.send(.get, TestServer.gizmos).json["items"]?[0]?["spec"] == expected)
        let watch = try #require(await server.watch("\(TestServer.gizmos)?watch=1&timeoutSeconds=5"))
        #expect(try await watch.next()?.at("object", "spec") == expected)
    }

    @Test("every answer about a deprecated version warns of it")
    func deprecation() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        #expect(await server.send(.get, TestServer.gizmos).warnings.isEmpty)
        var old = try Self.version("v1", isStored: true)
        old["deprecated"] = true
        try await Self.change(server, versions: [old])
        let text = "299 - \"lab.example.test/v1 Gizmo is deprecated\""
        #expect(await server.send(.get, TestServer.gizmos).warnings == [text])
        #expect(await server.send(.post, TestServer.gizmos, gizmo("one")).warnings == [text])
        old["storage"] = false
        try await Self.change(server, versions: [old, try Self.version("v2", isStored: true)])
        #expect(
            await server.send(.get, TestServer.gizmos).warnings
                == ["299 - \"lab.example.test/v1 Gizmo is deprecated; use lab.example.test/v2 Gizmo\""])
        let endpoints = await server.send(.get, "/api/v1/namespaces/default/endpoints")
        #expect(
            endpoints.warnings
                == ["299 - \"v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\""])
    }

    /// A definition that wants the kind of the gizmos for itself, and comes before them in the alphabet.
    private static var rival: JSON {
        var rival = TestServer.gizmoDefinition
        rival.set("apes.lab.example.test", at: "metadata", "name")
        rival.set("apes", at: "spec", "names", "plural")
        rival.set("ape", at: "spec", "names", "singular")
        return rival
    }

    @Test("a restart gives no name to a definition that did not have it; who waits gets it when it is free")
    func names() async throws {
        let folder = TemporaryFolder()
        do {
            let server = try await TestServer { $0.dataFolder = folder.path }
            try await server.installGizmos()
            await server.send(.post, TestServer.gizmos, gizmo("one"))
            let watch = try #require(await server.watch("\(TestServer.definitions)?watch=1&timeoutSeconds=30"))
            while let event = try await watch.next(), !Self.isEstablished(event) {}
            await server.send(.post, TestServer.definitions, Self.rival)
            await server.api.stop()
        }
        let copy = try folder.copyTree()
        let server = try await TestServer { $0.dataFolder = copy.path }
        #expect(await server.send(.get, TestServer.gizmos).names == ["one"])
        let apes = "/apis/lab.example.test/v1/namespaces/default/apes"
        #expect(await server.send(.get, apes).code == 404)

        let watch = try #require(await server.watch("\(TestServer.definitions)?watch=1&timeoutSeconds=30"))
        await server.send(.delete, Self.definition)
        let name: JSON = "apes.lab.example.test"
        while let event = try await watch.next(),
            event.at("object", "metadata", "name") != name || !Self.isEstablished(event)
        {}
        #expect(await server.send(.get, apes).code == 200)
    }

    private static func isEstablished(_ event: JSON) -> Bool {
        event.at("object", "status", "conditions")?.array?.contains {
            $0["type"] == "Established" && $0["status"] == "True"
        } ?? false
    }

    @Test("the instances of a definition that serves nothing are deleted with it")
    func unserved() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        await server.send(.post, TestServer.gizmos, gizmo("one"))
        var version = try Self.version("v1", isStored: true)
        version["served"] = false
        try await Self.change(server, versions: [version])
        let watch = try #require(await server.watch("\(TestServer.definitions)?watch=1&timeoutSeconds=30"))
        await server.send(.delete, Self.definition)
        while let event = try await watch.next(), event["type"] != "DELETED" {}
        while server.api.registry.generation(ofDefinitionNamed: "gizmos.lab.example.test") != nil { await Task.yield() }
        try await server.installGizmos()
        let gizmos = await server.send(.get, TestServer.gizmos)
        #expect(gizmos.code == 200 && gizmos.names.isEmpty)
    }

    @Test("who watches instances and begins anew when that ends finds them no longer served")
    func watchesOfWhatGoes() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        await server.send(.post, TestServer.gizmos, gizmo("one"))
        let watch = try #require(await server.watch("\(TestServer.gizmos)?watch=1&timeoutSeconds=30"))
        #expect(try await watch.summaries(1) == ["ADDED one"])
        await server.send(.delete, Self.definition)
        #expect(try await watch.summaries(2) == ["DELETED one"])
        #expect(await server.send(.get, TestServer.gizmos).code == 404)
    }

    @Test("a definition goes although an instance was held, and comes again")
    func heldInstance() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        var held = gizmo("one")
        held.set(["example.test/hold"], at: "metadata", "finalizers")
        await server.send(.post, TestServer.gizmos, held)
        let watch = try #require(await server.watch("\(TestServer.definitions)?watch=1&timeoutSeconds=30"))
        await server.send(.delete, Self.definition)
        let refused = await server.send(.post, TestServer.gizmos, gizmo("two"))
        #expect(refused.code == 405)
        await server.send(
            .patch, "\(TestServer.gizmos)/one", ["metadata": ["finalizers": nil]], type: TestServer.merge)
        while let event = try await watch.next(), event["type"] != "DELETED" {}
        try await server.installGizmos()
        #expect(await server.send(.get, TestServer.gizmos).names.isEmpty)
    }

    @Test("a changed definition ends the watches of its instances; a written status does not")
    func watches() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        let watch = try #require(await server.watch("\(TestServer.gizmos)?watch=1&timeoutSeconds=30"))
        await server.send(
            .patch, Self.definition, ["metadata": ["labels": ["a": "b"]]], type: TestServer.merge)
        await server.send(.post, TestServer.gizmos, gizmo("one"))
        #expect(try await watch.summaries(1) == ["ADDED one"])
        try await Self.change(server, versions: [try Self.version("v1", isStored: true)])
        #expect(try await watch.next() == nil)
    }
}
