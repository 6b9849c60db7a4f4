import KubernetesSchema
import StructuredData
import Testing

@Suite struct PruningTests {
    @Test func unknownFieldsAreNamedAsKubernetesDoes() throws {
        let schema = try Gizmo.schema()
        let object = Gizmo.object(
            try json(#"{"size": "small", "wat": 1, "free": {"x": {"y": 1}}, "parts": [{"name": "a", "x": 1}]}"#))
        #expect(schema.unknownFields(in: object) == ["spec.parts[0].x", "spec.wat"])
        let pruned = schema.pruned(object)
        #expect(pruned["spec"] == (try json(#"{"size": "small", "free": {"x": {"y": 1}}, "parts": [{"name": "a"}]}"#)))
        #expect(schema.pruned(pruned) == pruned)
        #expect(schema.unknownFields(in: pruned).isEmpty)
    }

    @Test func unknownMetadataIsNamed() throws {
        var object = Gizmo.object(["size": "small"])
        object.set("x", at: "metadata", "colour")
        object.set(["a": "b"], at: "metadata", "labels")
        #expect(try Gizmo.schema().unknownFields(in: object) == ["metadata.colour"])
    }

    @Test func defaultsAreFilledInWhereTheirParentIs() throws {
        let schema = try Gizmo.schema()
        let defaulted = schema.defaulted(Gizmo.object(try json(#"{"size": "small", "parts": [{"name": "p"}]}"#)))
        #expect(
            defaulted["spec"] == (try json(#"{"size": "small", "replicas": 1, "parts": [{"name": "p", "weight": 5}]}"#))
        )
        #expect(schema.defaulted(defaulted) == defaulted)
        #expect(schema.defaulted(["kind": "Gizmo"]) == ["kind": "Gizmo"])
    }

    @Test func nullsBecomeDefaultsOrGoUnlessAllowed() throws {
        let schema = try Gizmo.schema()
        let defaulted = schema.defaulted(
            Gizmo.object(try json(#"{"size": "small", "replicas": null, "note": null, "frozen": null}"#)))
        #expect(defaulted["spec"] == (try json(#"{"size": "small", "replicas": 1, "note": null}"#)))
    }

    @Test func embeddedResourcesKeepTheirHead() throws {
        let schema = try StructuralSchema.compile(
            json(
                """
                {"type": "object", "properties": {"template": {"type": "object", "x-kubernetes-embedded-resource": true,
                  "properties": {"spec": {"type": "object"}}}}}
                """))
        let object = try json(
            #"{"template": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "b": 1}, "spec": {"c": 1}, "d": 2}}"#
        )
        #expect(
            schema.pruned(object)
                == (try json(
                    #"{"template": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "spec": {}}}"#)))
    }
}
