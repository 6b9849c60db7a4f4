import KubernetesSchema
import StructuredData
import Testing

@Suite struct ServerSideApplyTests {
    static let version = "lab.example.test/v1"

    static func apply(
        _ config: JSON, to live: JSON?, by manager: String, force: Bool = false, schema: Schema,
        version: String = version,
        resetFields: [[String]] = [], time: String = "2026-01-01T00:00:00Z"
    ) throws -> JSON {
        try ServerSideApply.apply(
            config: config, live: live, manager: manager, force: force, subresource: nil, apiVersion: version,
            schema: schema, resetFields: resetFields, time: time)
    }

    static func fields(_ object: JSON, of manager: String) -> JSON? {
        object["metadata"]?["managedFields"]?.array?.first { $0["manager"] == .string(manager) }?["fieldsV1"]
    }

    /// The conformance cases ssa-create to ssa-managers.
    @Test func answersAsARealServerDid() throws {
        let schema = try Gizmo.schema()
        let first = try Self.apply(
            Gizmo.object(json(#"{"size":"small","replicas":2,"parts":[{"name":"a","weight":1}],"tags":["x"]}"#)),
            to: nil, by: "m1", schema: schema)
        #expect(first["spec"]?["replicas"] == 2)

        // `y` is a boolean in YAML 1.1, and the element of a set of strings may not be one.
        let mistyped = #expect(throws: ApplyError.self) {
            try Self.apply(
                Gizmo.object(json(#"{"size":"small","tags":[true]}"#), name: "ssa"), to: first, by: "m2", schema: schema
            )
        }
        #expect(
            mistyped
                == .invalid(
                    "failed to create typed patch object (/ssa; lab.example.test/v1, Kind=Gizmo): "
                        + ".spec.tags[=true]: expected string, got &value.valueUnstructured{Value:true}"))

        let config = Gizmo.object(["size": "small", "replicas": 4])
        let conflict = #expect(throws: ApplyError.self) {
            try Self.apply(config, to: first, by: "m2", schema: schema)
        }
        #expect(conflict == .conflicts([ApplyConflict(manager: "\"m1\"", field: ".spec.replicas")]))
        #expect(conflict?.message == "Apply failed with 1 conflict: conflict with \"m1\": .spec.replicas")

        let forced = try Self.apply(config, to: first, by: "m2", force: true, schema: schema)
        #expect(
            forced["spec"]
                == (try json(#"{"size":"small","replicas":4,"parts":[{"name":"a","weight":1}],"tags":["x"]}"#)))
        #expect(
            try Self.fields(forced, of: "m1")
                == json(
                    #"""
                    {"f:spec": {"f:parts": {"k:{\"name\":\"a\"}": {".": {}, "f:name": {}, "f:weight": {}}},
                      "f:size": {}, "f:tags": {"v:\"x\"": {}}}}
                    """#))
        #expect(try Self.fields(forced, of: "m2") == json(#"{"f:spec": {"f:replicas": {}, "f:size": {}}}"#))
    }

    @Test func anIdenticalApplyGivesTheObjectItself() throws {
        let schema = try Gizmo.schema()
        let config = Gizmo.object(try json(#"{"size":"small","parts":[{"name":"a"}],"free":{"x":{"y":[1]}}}"#))
        let first = try Self.apply(config, to: nil, by: "m1", schema: schema)
        let again = try Self.apply(config, to: first, by: "m1", schema: schema, time: "2027-01-01T00:00:00Z")
        #expect(again == first)
        let defaulted = schema.defaulted(first)
        #expect(
            try Self.apply(config, to: defaulted, by: "m1", schema: schema, time: "2027-01-01T00:00:00Z") == defaulted)
    }

    @Test func whatIsNoLongerAppliedGoes() throws {
        let schema = try Gizmo.schema()
        let first = try Self.apply(
            Gizmo.object(json(#"{"size":"small","note":"n","parts":[{"name":"a"},{"name":"b"}],"tags":["x","y"]}"#)),
            to: nil, by: "m1", schema: schema)
        let second = try Self.apply(
            Gizmo.object(json(#"{"size":"small","parts":[{"name":"b"}],"tags":["y"]}"#)), to: first, by: "m1",
            schema: schema, time: "2026-01-02T00:00:00Z")
        #expect(second["spec"] == (try json(#"{"size":"small","parts":[{"name":"b"}],"tags":["y"]}"#)))
        #expect(second["metadata"]?["managedFields"]?[0]?["time"] == "2026-01-02T00:00:00Z")
    }

    @Test func whatOthersOwnStays() throws {
        let schema = try Gizmo.schema()
        let first = try Self.apply(
            Gizmo.object(json(#"{"size":"small","note":"n"}"#)), to: nil, by: "m1", schema: schema)
        let shared = try Self.apply(Gizmo.object(["note": "n"]), to: first, by: "m2", schema: schema)
        let dropped = try Self.apply(Gizmo.object(["size": "small"]), to: shared, by: "m1", schema: schema)
        #expect(dropped["spec"]?["note"] == "n")
        let gone = try Self.apply(Gizmo.object(["replicas": 1]), to: dropped, by: "m2", schema: schema)
        #expect(gone["spec"] == ["size": "small", "replicas": 1])
    }

    @Test func elementsOfAListKeepTheirOrder() throws {
        let schema = try Gizmo.schema()
        let first = try Self.apply(
            Gizmo.object(json(#"{"parts":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#)), to: nil, by: "m1",
            schema: schema)
        let second = try Self.apply(
            Gizmo.object(json(#"{"parts":[{"name":"d"},{"name":"c"},{"name":"a"}]}"#)), to: first, by: "m2",
            schema: schema)
        #expect(second["spec"]?["parts"]?.array?.compactMap { $0["name"]?.string } == ["b", "d", "c", "a"])
    }

    @Test func keysThatAreAbsentHaveTheirDefault() throws {
        let schema = try StrategicMergePatchTests.deployment()
        let config = try json(
            """
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"template":{"spec":{"containers":[
              {"name":"c","ports":[{"containerPort":1},{"containerPort":2}]}]}}}}
            """)
        let object = try Self.apply(config, to: nil, by: "m1", schema: schema, version: "apps/v1")
        let ports = Self.fields(object, of: "m1")?.at("f:spec", "f:template", "f:spec", "f:containers")?[
            "k:{\"name\":\"c\"}"]?[
                "f:ports"]
        #expect(
            try ports
                == json(
                    #"""
                    {"k:{\"containerPort\":1,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}},
                     "k:{\"containerPort\":2,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}
                    """#))
    }

    @Test func unknownFieldsAndWrongVersionsAreRefused() throws {
        let schema = try Gizmo.schema()
        #expect(
            throws: ApplyError.invalid(
                "failed to create typed patch object (/one; lab.example.test/v1, Kind=Gizmo): "
                    + ".spec.wat: field not declared in schema")
        ) { try Self.apply(Gizmo.object(["wat": 1]), to: nil, by: "m", schema: schema) }
        #expect(
            throws: ApplyError.badRequest(
                "Incorrect version specified in apply patch. Specified patch version: v9, expected: \(Self.version)")
        ) { try Self.apply(["apiVersion": "v9", "kind": "Gizmo"], to: nil, by: "m", schema: schema) }
        var managed = Gizmo.object([:])
        managed.set([], at: "metadata", "managedFields")
        #expect(throws: ApplyError.badRequest("metadata.managedFields must be nil")) {
            try Self.apply(managed, to: nil, by: "m", schema: schema)
        }
    }

    @Test func whatWasThereBeforeTheFirstApplyHasAnOwner() throws {
        let schema = try Gizmo.schema()
        let live = Gizmo.object(["size": "small", "replicas": 3])
        let applied = try Self.apply(Gizmo.object(["note": "n"]), to: live, by: "m1", schema: schema)
        let expected = try json(#"{"f:spec": {".": {}, "f:replicas": {}, "f:size": {}}}"#)
        #expect(Self.fields(applied, of: "before-first-apply") == expected)
        let conflict = #expect(throws: ApplyError.self) {
            try Self.apply(Gizmo.object(["replicas": 1]), to: live, by: "m1", schema: schema)
        }
        #expect(
            conflict?.message
                == "Apply failed with 1 conflict: conflict with \"before-first-apply\" using \(Self.version): .spec.replicas"
        )
    }

    @Test func kubectlTakesOverWhatItAppliedOnTheClient() throws {
        let schema = try Gizmo.schema()
        var live = Gizmo.object(["size": "small", "replicas": 3])
        live.set(
            .string(Gizmo.object(["size": "small", "replicas": 3]).text), at: "metadata", "annotations",
            "kubectl.kubernetes.io/last-applied-configuration")
        let created = ManagedFields.recordUpdate(
            old: nil, new: live, manager: "kubectl-client-side-apply", subresource: nil, apiVersion: Self.version,
            schema: schema, time: "2026-01-01T00:00:00Z")
        #expect(throws: ApplyError.self) {
            try Self.apply(Gizmo.object(["replicas": 1]), to: created, by: "other", schema: schema)
        }
        let applied = try Self.apply(Gizmo.object(["replicas": 1]), to: created, by: "kubectl", schema: schema)
        #expect(applied["spec"]?["replicas"] == 1)
        #expect(
            applied.at("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")?.string?
                .contains("\"replicas\":1") == true)
    }

    @Test func resetFieldsAreNeverOwned() throws {
        let schema = try Gizmo.schema()
        var config = Gizmo.object(["size": "small"])
        config.set(1, at: "status", "replicas")
        let object = try Self.apply(config, to: nil, by: "m", schema: schema, resetFields: [["status"]])
        #expect(try Self.fields(object, of: "m") == json(#"{"f:spec": {"f:size": {}}}"#))
    }
}
