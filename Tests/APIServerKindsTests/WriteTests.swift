@testable import APIServerKinds
import KubernetesSchema
import StructuredData
import Testing

@Suite struct WriteTests {
    private func created(
        _ resource: ServedResource, _ text: String, namespace: String? = "conf"
    ) throws -> (object: JSON, errors: [String]) {
        var object = try resource.decode(JSON(parsing: text)).object
        try resource.bind(&object, namespace: namespace, name: nil)
        let errors = resource.prepareForCreate(&object, namespace: namespace, context: Fixture.context())
        return (object, errors.map(\.line))
    }

    private func updated(
        _ resource: ServedResource, _ old: JSON, subresource: String? = nil, _ change: (inout JSON) -> Void
    ) throws -> (object: JSON, errors: [String]) {
        var object = old
        change(&object)
        object = try resource.decode(object).object
        let errors = resource.prepareForUpdate(
            &object, old: old, subresource: subresource, context: Fixture.context())
        return (object, errors.map(\.line))
    }

    @Test func `a new object gets what only the server sets`() throws {
        let resource = try Fixture.resource("", "configmaps")
        let (object, errors) = try created(
            resource,
            """
            {"metadata":{"generateName":"a-","uid":"mine","creationTimestamp":"2020-01-01T00:00:00Z","generation":9,
             "deletionTimestamp":"2020-01-01T00:00:00Z"},"data":{"x":"1"}}
            """)
        #expect(errors.isEmpty)
        #expect(object["kind"] == "ConfigMap")
        let metadata = try #require(object["metadata"])
        #expect(metadata["name"] == "a-x7k2p")
        #expect(metadata["namespace"] == "conf")
        #expect(metadata["uid"]?.string?.hasPrefix("6a9d") == true)
        #expect(metadata["creationTimestamp"] == .string(Fixture.now))
        #expect(metadata["deletionTimestamp"] == nil)
        #expect(metadata["generation"] == nil)
    }

    @Test func `unknown fields are reported by path and dropped`() throws {
        let pods = try Fixture.resource("apps", "deployments")
        let body = try pods.decode([
            "metadata": ["name": "a", "nope": 1], "spec": ["wat": 1, "template": ["spec": ["containers": [["x": 1]]]]],
        ])
        #expect(
            Set(body.unknownFields) == ["metadata.nope", "spec.wat", "spec.template.spec.containers[0].x"])
        #expect(body.object.at("spec", "wat") == nil)
        let gizmo = try Fixture.gizmoResource().decode([
            "metadata": ["name": "a", "nope": 1], "spec": ["size": "small", "wat": 1, "free": ["any": 1]],
        ])
        #expect(Set(gizmo.unknownFields) == ["spec.wat", "metadata.nope"])
        #expect(gizmo.object.at("spec", "free", "any") == 1)
        #expect(gizmo.object.at("spec", "replicas") == 1)
    }

    @Test func `a body of another kind or with wrong types is refused`() throws {
        let events = try Fixture.resource("events.k8s.io", "events")
        let message =
            "Event in version \"v1\" cannot be handled as a Event: json: cannot unmarshal bool into Go struct "
            + "field Event.note of type string"
        #expect(throws: BodyError(message: message)) {
            try events.decode([
                "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": ["name": "e"], "note": false,
            ])
        }
        #expect(throws: BodyError.self) { try events.decode(["apiVersion": "v1", "kind": "Event"]) }
        #expect(throws: BodyError.self) { try events.decode(["kind": "Pod"]) }
        #expect(throws: BodyError.self) { try events.decode([]) }
    }

    @Test func `the body must agree with the URL`() throws {
        let resource = try Fixture.resource("", "configmaps")
        var object: JSON = ["metadata": ["name": "a", "namespace": "other"]]
        #expect(throws: BodyError.self) { try resource.bind(&object, namespace: "conf", name: nil) }
        object = ["metadata": ["name": "a"]]
        #expect(throws: BodyError(message: "the name of the object (a) does not match the name on the URL (b)")) {
            try resource.bind(&object, namespace: "conf", name: "b")
        }
        object = [:]
        try resource.bind(&object, namespace: "conf", name: "b")
        #expect(object["metadata"] == ["namespace": "conf", "name": "b"])
    }

    @Test(arguments: [
        (#"{"metadata":{}}"#, "metadata.name: Required value: name or generateName is required"),
        (#"{"metadata":{"name":"A"}}"#, "metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must"),
        (#"{"metadata":{"name":"a","labels":{"x":"-"}}}"#, "metadata.labels: Invalid value: \"-\": a valid label must"),
        (
            #"{"metadata":{"name":"a","annotations":{"a b":"-"}}}"#,
            "metadata.annotations: Invalid value: \"a b\": name part"
        ),
        (
            #"{"metadata":{"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":""}]}}"#,
            "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty"
        ),
    ])
    func `metadata is checked as everywhere in Kubernetes`(text: String, start: String) throws {
        let (_, errors) = try created(Fixture.resource("", "configmaps"), text)
        #expect(errors.count == 1)
        #expect(errors.first?.hasPrefix(start) == true, "\(errors)")
    }

    @Test func `names follow the rule of their kind`() throws {
        #expect(
            try created(Fixture.resource("rbac.authorization.k8s.io", "roles"), #"{"metadata":{"name":"A:b"}}"#).errors
                .isEmpty)
        #expect(
            try !created(Fixture.resource("", "namespaces"), #"{"metadata":{"name":"a.b"}}"#, namespace: nil).errors
                .isEmpty)
        #expect(
            try !created(Fixture.resource("", "services"), #"{"metadata":{"name":"1a"},"spec":{"ports":[{"port":1}]}}"#)
                .errors.isEmpty)
    }

    @Test func `an update keeps identity and status, and counts changes of the spec`() throws {
        let resource = try Fixture.gizmoResource()
        var (old, errors) = try created(
            resource, #"{"metadata":{"name":"one"},"spec":{"size":"small"},"status":{"replicas":5}}"#)
        #expect(errors.isEmpty)
        #expect(old["status"] == nil)
        #expect(old.at("metadata", "generation") == 1)
        old["status"] = ["replicas": 7]
        let same = try updated(resource, old) {
            $0.set(["a": "b"], at: "metadata", "labels")
            $0.set(9, at: "status", "replicas")
            $0.set(nil, at: "metadata", "uid")
            $0.set("2020-01-01T00:00:00Z", at: "metadata", "creationTimestamp")
        }
        #expect(same.errors.isEmpty)
        #expect(same.object.at("metadata", "generation") == 1)
        #expect(same.object.at("status", "replicas") == 7)
        #expect(same.object.at("metadata", "uid") == old.at("metadata", "uid"))
        #expect(same.object.at("metadata", "creationTimestamp") == .string(Fixture.now))
        let changed = try updated(resource, old) { $0.set("large", at: "spec", "size") }
        #expect(changed.object.at("metadata", "generation") == 2)
    }

    @Test func `a status that nobody wrote is the default of its kind`() throws {
        var definition = try Fixture.gizmos()
        var version = try #require(definition.at("spec", "versions")?[0])
        var status = try #require(version.at("schema", "openAPIV3Schema", "properties", "status"))
        status["default"] = ["replicas": -1]
        version.set(status, at: "schema", "openAPIV3Schema", "properties", "status")
        definition.set([version], at: "spec", "versions")
        let registry = ResourceRegistry()
        _ = registry.install(crd: definition, now: Fixture.now)
        let resource = try #require(registry.resource(group: "lab.example.test", version: "v1", plural: "gizmos"))
        let (object, errors) = try created(
            resource, #"{"metadata":{"name":"one"},"spec":{"size":"small"},"status":{"replicas":5}}"#)
        #expect(errors.isEmpty)
        #expect(object["status"] == ["replicas": -1])
    }

    @Test func `a status update leaves spec and metadata alone`() throws {
        let resource = try Fixture.gizmoResource()
        let (old, _) = try created(resource, #"{"metadata":{"name":"one"},"spec":{"size":"small"}}"#)
        let new = try updated(resource, old, subresource: "status") {
            $0.set("large", at: "spec", "size")
            $0.set(["a": "b"], at: "metadata", "labels")
            $0["status"] = ["replicas": 7]
        }
        #expect(new.errors.isEmpty)
        #expect(new.object.at("spec", "size") == "small")
        #expect(new.object.at("metadata", "labels") == nil)
        #expect(new.object.at("status", "replicas") == 7)
        #expect(new.object.at("metadata", "generation") == 1)
    }

    @Test func `an object that is going away takes no new finalizer, and may lose one`() throws {
        let resource = try Fixture.resource("", "configmaps")
        let (made, _) = try created(resource, #"{"metadata":{"name":"a","finalizers":["example.test/a"]}}"#)
        var old = made
        old.set(.string(Fixture.now), at: "metadata", "deletionTimestamp")
        let more = try updated(resource, old) {
            $0.set(["example.test/a", "example.test/b"], at: "metadata", "finalizers")
        }
        #expect(
            more.errors == [
                "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found "
                    + "new finalizers []string{\"example.test/b\"}"
            ])
        let fewer = try updated(resource, old) {
            $0.set(nil, at: "metadata", "finalizers")
            $0.set(nil, at: "metadata", "deletionTimestamp")
        }
        #expect(fewer.errors.isEmpty)
        #expect(fewer.object.at("metadata", "deletionTimestamp") == .string(Fixture.now))
    }

    @Test func `custom resources are validated against their schema`() throws {
        let resource = try Fixture.gizmoResource()
        let (_, errors) = try created(resource, #"{"metadata":{"name":"bad"},"spec":{"size":"huge"}}"#)
        #expect(
            errors.contains(#"spec.size: Unsupported value: "huge": supported values: "small", "large""#), "\(errors)")
    }

    @Test func `times are stored as Go writes them`() throws {
        let (lease, errors) = try created(
            Fixture.resource("coordination.k8s.io", "leases"),
            #"{"metadata":{"name":"l"},"spec":{"renewTime":"2026-01-01T02:00:00+02:00","acquireTime":"2026-01-01T00:00:00.5Z"}}"#
        )
        #expect(errors.isEmpty)
        #expect(lease.at("spec", "renewTime") == "2026-01-01T00:00:00.000000Z")
        #expect(lease.at("spec", "acquireTime") == "2026-01-01T00:00:00.500000Z")
    }

    @Test func `quantities are stored in their canonical form, empty lists not at all`() throws {
        let resource = try Fixture.resource("", "resourcequotas")
        let (object, _) = try created(
            resource, #"{"metadata":{"name":"q"},"spec":{"hard":{"cpu":"1000m","memory":"1024Mi"},"scopes":[]}}"#)
        #expect(object.at("spec", "hard") == ["cpu": "1", "memory": "1Gi"])
        #expect(object.at("spec", "scopes") == nil)
    }
}

@Suite struct ScaleTests {
    @Test func `a scale shows and sets the replicas of its object`() throws {
        let deployments = try Fixture.resource("apps", "deployments")
        let paths = try #require(deployments.scale)
        let object: JSON = [
            "metadata": ["name": "web", "namespace": "n", "uid": "u", "resourceVersion": "7"],
            "spec": ["replicas": 2, "selector": ["matchLabels": ["a": "b"]]], "status": ["replicas": 1],
        ]
        let scale = Scale.of(object, paths: paths)
        #expect(scale["kind"] == "Scale")
        #expect(scale.at("spec", "replicas") == 2)
        #expect(scale.at("status", "selector") == "a=b")
        #expect(scale.at("metadata", "resourceVersion") == "7")
        let changed = try Scale.apply(["spec": ["replicas": 5]], to: object, paths: paths)
        #expect(changed.at("spec", "replicas") == 5)
        #expect(try Scale.apply(["spec": [:]], to: object, paths: paths).at("spec", "replicas") == 0)
        #expect(throws: FieldErrors.self) { try Scale.apply(["spec": ["replicas": -1]], to: object, paths: paths) }
        #expect(throws: FieldErrors.self) { try Scale.apply(["spec": ["replicas": "x"]], to: object, paths: paths) }
        #expect(throws: FieldErrors.self) {
            try Scale.apply(["metadata": ["name": "other"], "spec": ["replicas": 1]], to: object, paths: paths)
        }
    }
}
