import KubernetesSchema
import StructuredData
import Testing

@Suite struct ManagedFieldsTests {
    let schema: Schema

    init() throws { schema = try Gizmo.schema() }

    func update(
        _ old: JSON?, _ new: JSON, by manager: String = "kubectl-edit", subresource: String? = nil,
        time: String = "2026-01-01T00:00:00Z"
    ) -> JSON {
        ManagedFields.recordUpdate(
            old: old, new: new, manager: manager, subresource: subresource, apiVersion: ServerSideApplyTests.version,
            schema: schema, time: time)
    }

    @Test func aCreationOwnsAllButWhatTheServerSets() throws {
        var object = Gizmo.object(
            try json(#"{"size":"small","parts":[{"name":"a","weight":1}],"tags":["x"],"free":{"a":{"b":1}}}"#))
        object.set(["app": "a"], at: "metadata", "labels")
        object.set("u", at: "metadata", "uid")
        object.set(1, at: "metadata", "generation")
        let created = update(nil, object, by: "kubectl-create")
        let entry = try #require(created["metadata"]?["managedFields"]?[0])
        #expect(
            try entry
                == json(
                    #"""
                    {"manager": "kubectl-create", "operation": "Update", "apiVersion": "lab.example.test/v1",
                     "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {
                      "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                      "f:spec": {".": {}, "f:free": {".": {}, "f:a": {".": {}, "f:b": {}}},
                        "f:parts": {".": {}, "k:{\"name\":\"a\"}": {".": {}, "f:name": {}, "f:weight": {}}},
                        "f:size": {}, "f:tags": {".": {}, "v:\"x\"": {}}}}}
                    """#))
    }

    @Test func anUpdateMovesWhatItChanges() throws {
        let created = update(nil, Gizmo.object(["size": "small", "replicas": 1]), by: "a")
        var edited = created
        edited.set(2, at: "spec", "replicas")
        let updated = update(created, edited, by: "b", time: "2026-01-02T00:00:00Z")
        #expect(ServerSideApplyTests.fields(updated, of: "a") == (try json(#"{"f:spec": {".": {}, "f:size": {}}}"#)))
        #expect(ServerSideApplyTests.fields(updated, of: "b") == (try json(#"{"f:spec": {"f:replicas": {}}}"#)))
        let times = updated["metadata"]?["managedFields"]?.array?.compactMap { $0["time"]?.string }
        #expect(times == ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"])
    }

    @Test func anUpdateThatChangesNothingLeavesTheTimes() {
        let created = update(nil, Gizmo.object(["size": "small"]), by: "a")
        #expect(update(created, created, by: "a", time: "2027-01-01T00:00:00Z") == created)
        var bare = created
        bare.set(nil, at: "metadata", "managedFields")
        #expect(update(created, bare, by: "b", time: "2027-01-01T00:00:00Z") == created)
    }

    @Test func removedFieldsAreOwnedByNobody() throws {
        let created = update(nil, Gizmo.object(["size": "small", "note": "n"]), by: "a")
        var edited = created
        edited.set(nil, at: "spec", "note")
        let updated = update(created, edited, by: "b")
        #expect(updated["metadata"]?["managedFields"]?.array?.count == 1)
        #expect(ServerSideApplyTests.fields(updated, of: "a") == (try json(#"{"f:spec": {".": {}, "f:size": {}}}"#)))
    }

    @Test func anEmptyListResetsThem() {
        let created = update(nil, Gizmo.object(["size": "small"]), by: "a")
        var edited = created
        edited.set([], at: "metadata", "managedFields")
        let reset = update(created, edited)
        #expect(reset["metadata"]?["managedFields"] == nil)
        var later = reset
        later.set("large", at: "spec", "size")
        #expect(update(reset, later)["metadata"]?["managedFields"] == nil)
    }

    @Test func writersOfStatusCannotSendThem() {
        let created = update(nil, Gizmo.object(["size": "small"]), by: "a")
        var edited = created
        edited.set([], at: "metadata", "managedFields")
        edited.set(1, at: "status", "replicas")
        let updated = update(created, edited, by: "c", subresource: "status")
        let entries = updated["metadata"]?["managedFields"]?.array ?? []
        #expect(entries.map { $0["manager"]?.string } == ["a", "c"])
        #expect(entries.last?["subresource"] == "status")
    }

    @Test func malformedEntriesAreNotBelieved() {
        let created = update(nil, Gizmo.object(["size": "small"]), by: "a")
        for bad: JSON in [
            [["manager": "x"]], [1], "x",
            [["operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": ["x": 1]]],
        ] {
            var edited = created
            edited.set(bad, at: "metadata", "managedFields")
            #expect(update(created, edited) == created)
        }
    }

    @Test func manyUpdatersAreMergedIntoOne() throws {
        var object = update(nil, Gizmo.object(["size": "small", "free": [:]]), by: "creator")
        for number in 0..<25 {
            var edited = object
            edited.set(.string("v\(number)"), at: "spec", "free", "k\(number)")
            object = update(object, edited, by: "m\(number)", time: "2026-01-01T00:00:\(10 + number)Z")
        }
        let entries = object["metadata"]?["managedFields"]?.array ?? []
        #expect(entries.count == 10)
        #expect(entries.contains { $0["manager"] == "ancient-changes" })
        let owned = entries.reduce(0) { $0 + ($1.at("fieldsV1", "f:spec", "f:free")?.object?.count ?? 0) }
        #expect(owned >= 25)
    }
}
