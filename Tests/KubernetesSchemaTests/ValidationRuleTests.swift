import KubernetesSchema
import StructuredData
import Testing

@Suite struct ValidationRuleTests {
    static func schema(_ spec: String) throws -> Schema {
        try StructuralSchema.compile(
            json(#"{"type": "object", "properties": {"spec": \#(spec)}}"#))
    }

    static func errors(_ schema: Schema, _ spec: JSON, old: JSON? = nil) -> [String] {
        schema.validate(["spec": spec], old: old.map { ["spec": $0] }).map(\.description)
    }

    /// The conformance cases cr-cel and cr-create.
    @Test func gizmosAreChecked() throws {
        let schema = try Gizmo.schema()
        #expect(
            schema.validate(Gizmo.object(["size": "small", "replicas": 11]), old: nil).map(\.description)
                == ["spec: Invalid value: \"object\": replicas must not exceed 10"])
        #expect(
            schema.validate(Gizmo.object(["size": "small", "replicas": 1, "note": "small"]), old: nil).map(
                \.description)
                == ["spec: Invalid value: \"object\": note repeats size"])
        #expect(
            schema.validate(Gizmo.object(["size": "small"]), old: nil).map(\.description)
                == [
                    "spec: Invalid value: \"object\": no such key: replicas evaluating rule: replicas must not exceed 10"
                ])
    }

    @Test func transitionRulesCompareWithTheOldValue() throws {
        let schema = try Gizmo.schema()
        let old = Gizmo.object(["size": "small", "replicas": 1, "frozen": "a"])
        let new = Gizmo.object(["size": "small", "replicas": 1, "frozen": "b"])
        #expect(schema.validate(new, old: nil).isEmpty)
        #expect(
            schema.validate(new, old: old).map(\.description)
                == ["spec.frozen: Invalid value: \"string\": frozen is immutable"])
        #expect(schema.validate(old, old: old).isEmpty)
        #expect(schema.validate(new, old: Gizmo.object(["size": "small", "replicas": 1])).isEmpty)
    }

    @Test func elementsOfMapListsAreComparedByKey() throws {
        let schema = try Self.schema(
            """
            {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {
              "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "size": {"type": "integer",
                "x-kubernetes-validations": [{"rule": "self >= oldSelf", "message": "may only grow"}]}}}}
            """)
        let old: JSON = [["name": "a", "size": 5], ["name": "b", "size": 1]]
        #expect(
            Self.errors(
                schema, [["name": "b", "size": 2], ["name": "a", "size": 4], ["name": "c", "size": 0]], old: old)
                == ["spec[1].size: Invalid value: \"integer\": may only grow"])
    }

    @Test func failuresAreReportedWhereAndHowTheRuleSays() throws {
        let schema = try Self.schema(
            """
            {"type": "object", "properties": {"min": {"type": "integer"}, "max": {"type": "integer"}},
              "x-kubernetes-validations": [
                {"rule": "self.min <= self.max", "fieldPath": ".max", "reason": "FieldValueForbidden",
                 "messageExpression": "'max %d is below min %d'.format([self.max, self.min])", "message": "unused"},
                {"rule": "self.min >= 0"}]}
            """)
        #expect(
            Self.errors(schema, ["min": -1, "max": -2])
                == [
                    "spec.max: Forbidden: max -2 is below min -1",
                    "spec: Invalid value: \"object\": failed rule: self.min >= 0",
                ])
    }

    @Test func oldSelfMayBeOptional() throws {
        let schema = try Self.schema(
            """
            {"type": "string", "x-kubernetes-validations": [
              {"rule": "oldSelf.hasValue() || self == 'new'", "optionalOldSelf": true, "message": "must begin as new"}]}
            """)
        #expect(Self.errors(schema, "other") == ["spec: Invalid value: \"string\": must begin as new"])
        #expect(Self.errors(schema, "new") == [])
        #expect(Self.errors(schema, "other", old: "new") == [])
    }

    @Test func unchangedFailuresAreLetThrough() throws {
        let schema = try Self.schema(
            """
            {"type": "object", "properties": {"a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 0"}]},
              "b": {"type": "integer"}}}
            """)
        #expect(Self.errors(schema, ["a": 0, "b": 2], old: ["a": 0, "b": 1]) == [])
        #expect(Self.errors(schema, ["a": -1], old: ["a": 0]).count == 1)
    }

    @Test func rulesAreNotRunOnNulls() throws {
        let schema = try Self.schema(
            #"{"type": "string", "nullable": true, "x-kubernetes-validations": [{"rule": "self != ''"}]}"#)
        #expect(Self.errors(schema, nil) == [])
    }

    @Test func budgetsEndDearRules() throws {
        let schema = try Self.schema(
            """
            {"type": "array", "items": {"type": "integer"}, "x-kubernetes-validations": [
              {"rule": "self.all(x, self.all(y, self.all(z, x + y + z >= 0)))"}]}
            """)
        let errors = Self.errors(schema, .array((0..<300).map { JSON($0) }))
        #expect(errors.count == 1)
        #expect(errors.first?.contains("call cost exceeds limit") == true)
    }

    @Test func rootRulesSeeTheName() throws {
        let schema = try StructuralSchema.compile(
            json(#"{"type": "object", "x-kubernetes-validations": [{"rule": "self.metadata.name.startsWith('a')"}]}"#))
        #expect(schema.validate(["metadata": ["name": "abc"]], old: nil).isEmpty)
        #expect(schema.validate(["metadata": ["name": "xyz"]], old: nil).count == 1)
        #expect(throws: StructuralSchemaErrors.self) {
            try StructuralSchema.compile(
                json(#"{"type": "object", "x-kubernetes-validations": [{"rule": "has(self.metadata.labels)"}]}"#))
        }
    }
}
