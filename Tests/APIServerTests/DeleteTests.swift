import APIServer
import APIServerKinds
import HTTPTypes
import StructuredData
import Testing

struct DeleteTests {
    @Test("an object with finalizers stays, marked, until the last one is taken off")
    func finalizers() async throws {
        let server = try await TestServer()
        await server.send(
            .post, TestServer.configMaps,
            ["metadata": ["name": "a", "finalizers": ["example.test/one", "example.test/two"]]])
        let target = "\(TestServer.configMaps)/a"
        let deleted = await server.send(.delete, target)
        #expect(deleted.code == 200)
        #expect(deleted.json["kind"] == "ConfigMap")
        #expect(deleted.json.at("metadata", "deletionTimestamp")?.string != nil)
        #expect(deleted.json.at("metadata", "deletionGracePeriodSeconds") == 0)
        let again = await server.send(.delete, target)
        #expect(again.revision == deleted.revision)

        let added = await server.send(
            .patch, target, ["metadata": ["finalizers": ["example.test/one", "example.test/new"]]],
            type: TestServer.merge)
        #expect(added.code == 422)
        let fewer = await server.send(
            .patch, target, ["metadata": ["finalizers": ["example.test/one"]]], type: TestServer.merge)
        #expect(fewer.code == 200)
        #expect(await server.send(.get, target).code == 200)
        let last = await server.send(.patch, target, ["metadata": ["finalizers": nil]], type: TestServer.merge)
        #expect(last.code == 200)
        #expect(await server.send(.get, target).code == 404)
    }

    @Test("propagation policies become the finalizers that the garbage collector works on")
    func propagation() async throws {
        let server = try await TestServer()
        for (policy, finalizer) in [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")] {
            await server.configMap("a")
            let deleted = await server.send(
                .delete, "\(TestServer.configMaps)/a", ["propagationPolicy": .string(policy)])
            #expect(deleted.json.at("metadata", "finalizers") == [.string(finalizer)])
            await server.send(
                .patch, "\(TestServer.configMaps)/a", ["metadata": ["finalizers": nil]], type: TestServer.merge)
        }
        await server.configMap("a")
        let background = await server.send(.delete, "\(TestServer.configMaps)/a?propagationPolicy=Background")
        #expect(background.json["status"] == "Success")
        await server.configMap("a")
        let unknown = await server.send(.delete, "\(TestServer.configMaps)/a", ["propagationPolicy": "Sometimes"])
        #expect(unknown.code == 422)
    }

    @Test("preconditions on uid and version guard a delete")
    func preconditions() async throws {
        let server = try await TestServer()
        let created = await server.configMap("a")
        let target = "\(TestServer.configMaps)/a"
        let uid = await server.send(.delete, target, ["preconditions": ["uid": "other"]])
        #expect(uid.code == 409)
        #expect(uid.message.contains("the UID in the precondition (other) does not match the UID in record"))
        let revision = await server.send(.delete, target, ["preconditions": ["resourceVersion": "1"]])
        #expect(revision.code == 409)
        let right = await server.send(
            .delete, target,
            [
                "preconditions": [
                    "uid": created.json.at("metadata", "uid") ?? "", "resourceVersion": .string(created.revision),
                ]
            ])
        #expect(right.code == 200)
    }

    @Test("a collection is deleted by selector, and only it")
    func deleteCollection() async throws {
        let server = try await TestServer()
        for name in ["a", "b", "c"] { await server.configMap(name, labels: ["keep": name == "b" ? "yes" : "no"]) }
        let deleted = await server.send(.delete, "\(TestServer.configMaps)?labelSelector=keep%3Dno")
        #expect(deleted.names == ["a", "c"])
        #expect(await server.send(.get, TestServer.configMaps).names == ["b"])
    }

    @Test("a pod on a node keeps its grace period, which can only be shortened; others go at once")
    func gracefulPods() async throws {
        let server = try await TestServer()
        let pods = "/api/v1/namespaces/default/pods"
        let pod: JSON = [
            "metadata": ["name": "p"], "spec": ["containers": [["name": "c", "image": "i"]], "nodeName": "n"],
        ]
        #expect(await server.send(.post, pods, pod).code == 201)
        let deleted = await server.send(.delete, "\(pods)/p")
        #expect(deleted.json.at("metadata", "deletionGracePeriodSeconds") == 30)
        let longer = await server.send(.delete, "\(pods)/p", ["gracePeriodSeconds": 60])
        #expect(longer.revision == deleted.revision)
        let shorter = await server.send(.delete, "\(pods)/p", ["gracePeriodSeconds": 5])
        #expect(shorter.json.at("metadata", "deletionGracePeriodSeconds") == 5)
        await server.send(.delete, "\(pods)/p", ["gracePeriodSeconds": 0])
        #expect(await server.send(.get, "\(pods)/p").code == 404)

        var waiting = pod
        waiting.set(nil, at: "spec", "nodeName")
        await server.send(.post, pods, waiting)
        await server.send(.delete, "\(pods)/p")
        #expect(await server.send(.get, "\(pods)/p").code == 404)
    }

    @Test("a namespace takes nothing new once it is being deleted, and goes when finalized")
    func namespaces() async throws {
        let server = try await TestServer()
        let text: JSON = #""deletionTimestamp":"2026-01-01T00:00:00Z""#
        await server.send(
            .post, "/api/v1/namespaces", ["metadata": ["name": "n", "annotations": ["last": text]]])
        #expect(await server.configMap("a", namespace: "n").code == 201)
        let deleted = await server.send(.delete, "/api/v1/namespaces/n")
        #expect(deleted.json.at("status", "phase") == "Terminating")
        let late = await server.configMap("b", namespace: "n")
        #expect(late.code == 403 && late.reason == "Forbidden")
        #expect(
            late.message
                == "configmaps \"b\" is forbidden: unable to create new content in namespace n because it is being "
                + "terminated")
        #expect(late.json.at("details", "causes")?[0]?["reason"] == "NamespaceTerminating")
        var namespace = await server.send(.get, "/api/v1/namespaces/n").json
        namespace.set([], at: "spec", "finalizers")
        #expect(await server.send(.put, "/api/v1/namespaces/n/finalize", namespace).code == 200)
        #expect(await server.send(.get, "/api/v1/namespaces/n").code == 404)
        #expect(await server.send(.delete, "/api/v1/namespaces/default").code == 403)
    }

    @Test("deleting a definition deletes its instances first, then the resource is gone")
    func definitions() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        await server.send(.post, TestServer.gizmos, gizmo("one"))
        var held = gizmo("two")
        held.set(["example.test/hold"], at: "metadata", "finalizers")
        await server.send(.post, TestServer.gizmos, held)
        let watch = try #require(await server.watch("\(TestServer.gizmos)?watch=1&timeoutSeconds=30"))
        _ = try await watch.summaries(2)
        let definitions = try #require(await server.watch("\(TestServer.definitions)?watch=1&timeoutSeconds=30"))

        let deleted = await server.send(.delete, "\(TestServer.definitions)/gizmos.lab.example.test")
        #expect(
            deleted.json.at("metadata", "finalizers") == ["customresourcecleanup.apiextensions.k8s.io"])
        #expect(await server.send(.post, TestServer.gizmos, gizmo("late")).code == 405)
        #expect(Set(try await watch.summaries(2)) == ["DELETED one", "MODIFIED two"])
        await server.send(
            .patch, "\(TestServer.gizmos)/two", ["metadata": ["finalizers": nil]], type: TestServer.merge)
        while let event = try await definitions.next(), event["type"] != "DELETED" {}
        // A watch hears of it just before the server stops serving the resource.
        while server.api.registry.generation(ofDefinitionNamed: "gizmos.lab.example.test") != nil { await Task.yield() }
        #expect(await server.send(.get, TestServer.gizmos).code == 404)
    }
}
