import APIServer
import HTTPTypes
import StructuredData
import Testing

struct CRUDTests {
    @Test("an object goes through create, read, update and delete, with the answers of kube-apiserver")
    func lifecycle() async throws {
        let server = try await TestServer()
        let created = await server.configMap("a", ["x": "1"])
        #expect(created.code == 201)
        #expect(created.json["kind"] == "ConfigMap")
        #expect(created.json.at("metadata", "uid")?.string?.count == 36)
        #expect(created.json.at("metadata", "creationTimestamp")?.string?.hasSuffix("Z") == true)

        let read = await server.send(.get, "\(TestServer.configMaps)/a")
        #expect(read.json == created.json)

        var changed = read.json
        changed.set("2", at: "data", "x")
        let updated = await server.send(.put, "\(TestServer.configMaps)/a", changed)
        #expect(updated.code == 200)
        #expect(updated.revision != created.revision)

        let deleted = await server.send(.delete, "\(TestServer.configMaps)/a")
        #expect(deleted.json["status"] == "Success")
        #expect(deleted.json.at("details", "uid") == created.json.at("metadata", "uid"))
        let gone = await server.send(.get, "\(TestServer.configMaps)/a")
        #expect(gone.code == 404 && gone.reason == "NotFound")
        #expect(gone.message == "configmaps \"a\" not found")
        #expect(gone.json["details"] == ["name": "a", "kind": "configmaps"])
    }

    @Test("creating what is there is 409 AlreadyExists; into a missing namespace 404")
    func createConflicts() async throws {
        let server = try await TestServer()
        await server.configMap("a")
        let again = await server.configMap("a")
        #expect(again.code == 409 && again.reason == "AlreadyExists")
        #expect(again.message == "configmaps \"a\" already exists")
        let nowhere = await server.configMap("a", namespace: "nope")
        #expect(nowhere.code == 404)
        #expect(nowhere.message == "namespaces \"nope\" not found")
    }

    @Test("generateName draws names of the form that Kubernetes draws")
    func generateName() async throws {
        let server = try await TestServer()
        var names: Set<String> = []
        for _ in 0..<20 {
            let answer = await server.send(
                .post, TestServer.configMaps, ["metadata": ["generateName": "gen-"]])
            let name = answer.json.at("metadata", "name")?.string ?? ""
            #expect(name.wholeMatch(of: /gen-[bcdfghjklmnpqrstvwxz2456789]{5}/) != nil)
            names.insert(name)
        }
        #expect(names.count == 20)
    }

    @Test("a stale PUT is 409; one without a version wins where the kind allows it, and is 422 for custom resources")
    func updateVersions() async throws {
        let server = try await TestServer()
        let created = await server.configMap("a", ["x": "1"])
        await server.send(.patch, "\(TestServer.configMaps)/a", ["data": ["x": "2"]], type: TestServer.merge)
        let stale = await server.send(.put, "\(TestServer.configMaps)/a", created.json)
        #expect(stale.code == 409 && stale.reason == "Conflict")
        #expect(
            stale.message
                == "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply "
                + "your changes to the latest version and try again")
        let blind = await server.send(
            .put, "\(TestServer.configMaps)/a", ["metadata": ["name": "a"], "data": ["x": "3"]])
        #expect(blind.code == 200)
        #expect(blind.json.at("metadata", "uid") == created.json.at("metadata", "uid"))

        try await server.installGizmos()
        await server.send(.post, TestServer.gizmos, gizmo("one"))
        let custom = await server.send(.put, "\(TestServer.gizmos)/one", gizmo("one", size: "large"))
        #expect(custom.code == 422)
        #expect(
            custom.message.contains("metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"))
    }

    @Test("a write that changes nothing makes no new version")
    func noOps() async throws {
        let server = try await TestServer()
        let created = await server.configMap("a", ["x": "1"])
        let put = await server.send(.put, "\(TestServer.configMaps)/a", created.json, agent: "other/1")
        #expect(put.code == 200)
        #expect(put.revision == created.revision)
        let patch = await server.send(
            .patch, "\(TestServer.configMaps)/a", ["data": ["x": "1"]], type: TestServer.merge)
        #expect(patch.revision == created.revision)
    }

    @Test("the name in the body must be the one in the path, the namespace too")
    func addressesMustAgree() async throws {
        let server = try await TestServer()
        await server.configMap("a")
        let name = await server.send(.put, "\(TestServer.configMaps)/a", ["metadata": ["name": "b"]])
        #expect(name.code == 400)
        #expect(name.message == "the name of the object (b) does not match the name on the URL (a)")
        let namespace = await server.send(
            .post, TestServer.configMaps, ["metadata": ["name": "c", "namespace": "kube-system"]])
        #expect(namespace.code == 400)
    }

    @Test("dry runs answer as if done, and store nothing")
    func dryRun() async throws {
        let server = try await TestServer()
        let created = await server.send(
            .post, "\(TestServer.configMaps)?dryRun=All", ["metadata": ["name": "a"]])
        #expect(created.code == 201)
        #expect(await server.send(.get, "\(TestServer.configMaps)/a").code == 404)
        let real = await server.configMap("a", ["x": "1"])
        let patched = await server.send(
            .patch, "\(TestServer.configMaps)/a?dryRun=All", ["data": ["x": "2"]], type: TestServer.merge)
        #expect(patched.json.at("data", "x") == "2")
        #expect(await server.send(.delete, "\(TestServer.configMaps)/a?dryRun=All").code == 200)
        #expect(await server.send(.get, "\(TestServer.configMaps)/a").json == real.json)
        let wrong = await server.send(.delete, "\(TestServer.configMaps)/a?dryRun=Some")
        #expect(wrong.code == 422)
    }

    @Test("PATCH and DELETE of nothing are 404, unknown resources and methods have their own answers")
    func dispatch() async throws {
        let server = try await TestServer()
        let patch = await server.send(.patch, "\(TestServer.configMaps)/a", [:], type: TestServer.merge)
        #expect(patch.code == 404)
        #expect(await server.send(.delete, "\(TestServer.configMaps)/a").code == 404)
        let unknown = await server.send(.get, "/apis/apps/v1/foos")
        #expect(unknown.code == 404)
        #expect(unknown.message == "the server could not find the requested resource")
        #expect(await server.send(.post, "\(TestServer.configMaps)/a", [:]).code == 405)
        #expect(await server.send(.get, "\(TestServer.configMaps)/a/nonsense").code == 404)
        #expect(await server.send(.get, "/nowhere").code == 404)
    }

    @Test("racing patches without a version are all applied")
    func racingPatches() async throws {
        let server = try await TestServer()
        await server.configMap("a")
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<40 {
                group.addTask {
                    let answer = await server.send(
                        .patch, "\(TestServer.configMaps)/a", ["data": [("k\(index)"): "v"]], type: TestServer.merge)
                    #expect(answer.code == 200)
                }
            }
        }
        let data = await server.send(.get, "\(TestServer.configMaps)/a").json["data"]?.object
        #expect(data?.count == 40)
    }
}
