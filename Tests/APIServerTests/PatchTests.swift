import APIServer
import HTTPTypes
import StructuredData
import Testing

struct PatchTests {
    private static let deployment: JSON = [
        "metadata": ["name": "web"],
        "spec": [
            "replicas": 1, "selector": ["matchLabels": ["app": "web"]],
            "template": [
                "metadata": ["labels": ["app": "web"]],
                "spec": [
                    "containers": [
                        [
                            "name": "web", "image": "a:1",
                            "env": [["name": "A", "value": "1"], ["name": "B", "value": "2"]],
                        ]
                    ]
                ],
            ],
        ],
    ]
    private static let deployments = "/apis/apps/v1/namespaces/default/deployments"

    @Test("merge, JSON and strategic patches each follow their own rules")
    func formats() async throws {
        let server = try await TestServer()
        await server.configMap("a", ["x": "1", "y": "2"])
        let merge = await server.send(
            .patch, "\(TestServer.configMaps)/a", ["data": ["x": nil, "z": "3"]], type: TestServer.merge)
        #expect(merge.json["data"] == ["y": "2", "z": "3"])
        let json = await server.send(
            .patch, "\(TestServer.configMaps)/a",
            [["op": "test", "path": "/data/y", "value": "2"], ["op": "remove", "path": "/data/y"]],
            type: TestServer.jsonPatch)
        #expect(json.json["data"] == ["z": "3"])
        let failed = await server.send(
            .patch, "\(TestServer.configMaps)/a", [["op": "test", "path": "/data/z", "value": "no"]],
            type: TestServer.jsonPatch)
        #expect(failed.code == 422)

        await server.send(.post, Self.deployments, Self.deployment)
        let strategic = await server.send(
            .patch, "\(Self.deployments)/web",
            [
                "spec": [
                    "template": [
                        "spec": ["containers": [["name": "web", "env": [["name": "B", "value": "22"]]]]]
                    ]
                ]
            ], type: TestServer.strategic)
        let containers = strategic.json.at("spec", "template", "spec", "containers")
        #expect(containers?.array?.count == 1)
        #expect(containers?[0]?["image"] == "a:1")
        let env = Set(containers?[0]?["env"]?.array ?? [])
        #expect(env == [["name": "A", "value": "1"], ["name": "B", "value": "22"]])
        #expect(strategic.json.at("metadata", "generation") == 2)
    }

    @Test("a format that the resource does not have is 415, a broken body 400, a stale version 409")
    func refusals() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        await server.send(.post, TestServer.gizmos, gizmo("one"))
        let strategic = await server.send(.patch, "\(TestServer.gizmos)/one", [:], type: TestServer.strategic)
        #expect(strategic.code == 415 && strategic.reason == "UnsupportedMediaType")
        let broken = await server.send(
            .patch, "\(TestServer.gizmos)/one", bytes: Array("{".utf8), type: TestServer.merge)
        #expect(broken.code == 400)
        let stale = await server.send(
            .patch, "\(TestServer.gizmos)/one", ["metadata": ["resourceVersion": "1"]], type: TestServer.merge)
        #expect(stale.code == 409)
        let uid = await server.send(
            .patch, "\(TestServer.gizmos)/one", ["metadata": ["uid": "x"]], type: TestServer.merge)
        #expect(uid.code == 409)
    }

    @Test("apply creates, merges per owner, refuses another's field unless forced, and says whose it is")
    func serverSideApply() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        var wanted = gizmo("one")
        wanted.set(2, at: "spec", "replicas")
        let target = "\(TestServer.gizmos)/one"
        let created = await server.send(.patch, "\(target)?fieldManager=m1", wanted, type: TestServer.apply)
        #expect(created.code == 201)
        let same = await server.send(.patch, "\(target)?fieldManager=m1", wanted, type: TestServer.apply)
        #expect(same.code == 200)
        #expect(same.revision == created.revision)

        wanted.set(4, at: "spec", "replicas")
        let conflict = await server.send(.patch, "\(target)?fieldManager=m2", wanted, type: TestServer.apply)
        #expect(conflict.code == 409 && conflict.reason == "Conflict")
        #expect(conflict.message == "Apply failed with 1 conflict: conflict with \"m1\": .spec.replicas")
        #expect(
            conflict.json.at("details", "causes")
                == [
                    [
                        "message": "conflict with \"m1\"", "reason": "FieldManagerConflict",
                        "field": ".spec.replicas",
                    ]
                ])
        let forced = await server.send(
            .patch, "\(target)?fieldManager=m2&force=true", wanted, type: TestServer.apply)
        #expect(forced.json.at("spec", "replicas") == 4)
        let managers = forced.json.at("metadata", "managedFields")?.array?.compactMap { $0["manager"]?.string }
        #expect(Set(managers ?? []) == ["m1", "m2"])
    }

    @Test(
        "an apply that names a version needs the object to be at it, changes nothing else, and makes what is not there")
    func applyOfAVersion() async throws {
        let server = try await TestServer()
        let target = "/api/v1/namespaces/default/configmaps/a?fieldManager=m&force=true"
        func apply(_ revision: String) async -> TestServer.Answer {
            let metadata: JSON = ["name": "a", "resourceVersion": .string(revision)]
            return await server.send(
                .patch, target, ["apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata],
                type: TestServer.apply)
        }
        let made = await apply("1")
        #expect(made.code == 201 && made.revision != "1")
        // Not even where there is nothing to change.
        let refused = await apply("1")
        #expect(refused.code == 409 && refused.reason == "Conflict")
        let same = await apply(made.revision)
        #expect(same.code == 200 && same.revision == made.revision)
    }

    @Test("apply needs a field manager; other patches may not be forced")
    func applyOptions() async throws {
        let server = try await TestServer()
        let nobody = await server.send(
            .patch, "\(TestServer.configMaps)/a",
            ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"]], type: TestServer.apply)
        #expect(nobody.code == 422)
        #expect(nobody.message.contains("fieldManager: Required value: is required for apply patch"))
        await server.configMap("a")
        let forced = await server.send(
            .patch, "\(TestServer.configMaps)/a?force=true", [:], type: TestServer.merge)
        #expect(forced.code == 422)
    }

    @Test("managedFields name who changed what, by parameter or user agent")
    func managedFields() async throws {
        let server = try await TestServer()
        await server.send(
            .post, TestServer.configMaps, ["metadata": ["name": "a"], "data": ["x": "1"]], agent: "kubectl/v1.33")
        let patched = await server.send(
            .patch, "\(TestServer.configMaps)/a?fieldManager=me", ["data": ["y": "2"]], type: TestServer.merge)
        let entries = patched.json.at("metadata", "managedFields")?.array ?? []
        #expect(entries.map { $0["manager"] } == ["kubectl", "me"])
        #expect(entries.last?.at("fieldsV1", "f:data") == ["f:y": [:]])
        #expect(entries.allSatisfy { $0["operation"] == "Update" })

        let service = await server.send(
            .post, "/api/v1/namespaces/default/services",
            ["metadata": ["name": "s"], "spec": ["ports": [["port": 80]]]])
        let owned = service.json.at("metadata", "managedFields")?[0]?.at("fieldsV1", "f:spec")
        #expect(service.json.at("spec", "clusterIP") != nil)
        #expect(owned?["f:ports"] != nil)
        #expect(owned?["f:clusterIP"] == nil, "what the server adds is nobody's")
    }

    @Test("status and scale are written apart from the object, and only there")
    func subresources() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        await server.send(.post, TestServer.gizmos, gizmo("one"))
        let target = "\(TestServer.gizmos)/one"
        let ignored = await server.send(.patch, target, ["status": ["replicas": 7]], type: TestServer.merge)
        #expect(ignored.json["status"] == nil)
        let status = await server.send(
            .patch, "\(target)/status", ["spec": ["size": "large"], "status": ["replicas": 7]], type: TestServer.merge)
        #expect(status.json.at("status", "replicas") == 7)
        #expect(status.json.at("spec", "size") == "small")
        #expect(status.json.at("metadata", "generation") == 1)

        let scale = await server.send(.get, "\(target)/scale")
        #expect(scale.json["kind"] == "Scale")
        #expect(scale.json.at("spec", "replicas") == 1)
        #expect(scale.json.at("status", "replicas") == 7)
        let scaled = await server.send(
            .patch, "\(target)/scale", ["spec": ["replicas": 3]], type: TestServer.merge)
        #expect(scaled.json.at("spec", "replicas") == 3)
        let object = await server.send(.get, target)
        #expect(object.json.at("spec", "replicas") == 3)
        #expect(object.json.at("metadata", "generation") == 2)
        let stale = await server.send(.put, "\(target)/scale", scale.json)
        #expect(stale.code == 409)
    }

    @Test("an applied scale owns the replicas, and takes them from nobody unless forced")
    func appliedScale() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        let target = "\(TestServer.gizmos)/one"
        var owned = gizmo("one")
        owned.set(2, at: "spec", "replicas")
        await server.send(.patch, "\(target)?fieldManager=owner", owned, type: TestServer.apply)
        let scale: JSON = ["apiVersion": "autoscaling/v1", "kind": "Scale", "spec": ["replicas": 5]]
        let apply = "\(target)/scale?fieldManager=scaler"
        let refused = await server.send(.patch, apply, scale, type: TestServer.apply)
        #expect(refused.code == 409)
        #expect(refused.message == "Apply failed with 1 conflict: conflict with \"owner\": .spec.replicas")
        let forced = await server.send(.patch, "\(apply)&force=true", scale, type: TestServer.apply)
        #expect(forced.json["kind"] == "Scale" && forced.json.at("spec", "replicas") == 5)
        let entries = await server.send(.get, target).json.at("metadata", "managedFields")?.array ?? []
        let entry = try #require(entries.first { $0["manager"] == "scaler" })
        #expect(entry["operation"] == "Apply" && entry["subresource"] == "scale")
        #expect(entry.at("fieldsV1", "f:spec", "f:replicas") == [:])
        let other = await server.send(.patch, apply, gizmo("one"), type: TestServer.apply)
        #expect(other.code == 400)
    }

    @Test("unknown and duplicate fields are refused, warned of or dropped, as asked")
    func fieldValidation() async throws {
        let server = try await TestServer()
        try await server.installGizmos()
        var odd = gizmo("one")
        odd.set(1, at: "spec", "wat")
        let strict = await server.send(.post, "\(TestServer.gizmos)?fieldValidation=Strict", odd)
        #expect(strict.code == 400 && strict.reason == "BadRequest")
        #expect(strict.message.contains("strict decoding error: unknown field \"spec.wat\""))
        let warned = await server.send(.post, TestServer.gizmos, odd)
        #expect(warned.code == 201)
        #expect(warned.warnings == ["299 - \"unknown field \\\"spec.wat\\\"\""])
        #expect(warned.json.at("spec", "wat") == nil)
        let ignored = await server.send(
            .patch, "\(TestServer.gizmos)/one?fieldValidation=Ignore", ["spec": ["wat": 2]], type: TestServer.merge)
        #expect(ignored.code == 200)
        #expect(ignored.warnings.isEmpty)
        let patched = await server.send(
            .patch, "\(TestServer.gizmos)/one?fieldValidation=Strict", ["spec": ["wat": 2]], type: TestServer.merge)
        #expect(patched.code == 422)

        let twice = Array(#"{"metadata":{"name":"d"},"data":{"a":"1","a":"2"}}"#.utf8)
        let duplicate = await server.send(.post, "\(TestServer.configMaps)?fieldValidation=Strict", bytes: twice)
        #expect(duplicate.code == 400)
        #expect(duplicate.message.contains("duplicate field \"data.a\""))
        let accepted = await server.send(.post, TestServer.configMaps, bytes: twice)
        #expect(accepted.json.at("data", "a") == "2")
        #expect(accepted.warnings == ["299 - \"duplicate field \\\"data.a\\\"\""])
    }
}
