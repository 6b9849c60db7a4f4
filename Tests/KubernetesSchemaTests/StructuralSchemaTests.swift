import KubernetesSchema
import StructuredData
import Testing

@Suite struct StructuralSchemaTests {
    static func problems(_ text: String) throws -> [String] {
        do {
            _ = try StructuralSchema.compile(json(text), field: "schema")
            return []
        } catch let error as StructuralSchemaErrors {
            return error.errors.map(\.description)
        }
    }

    @Test(arguments: [
        (
            #"{"type": "array", "items": {"type": "string"}}"#,
            [#"schema.type: Invalid value: "array": must be object at the root"#]
        ),
        (#"{}"#, ["schema.type: Required value: must not be empty at the root"]),
        (
            #"{"type": "object", "properties": {"a": {}}}"#,
            ["schema.properties[a].type: Required value: must not be empty for specified object fields"]
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "array"}}}"#,
            ["schema.properties[a].items: Required value: must be specified"]
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": {"type": "string"}}}}"#,
            [
                "schema.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"
            ]
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "object", "anyOf": [{"properties": {"b": {"minimum": 1}}}]}}}"#,
            [
                "schema.properties[a].properties[b]: Required value: because it is defined in schema.properties[a].anyOf[0].properties[b]"
            ]
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "integer", "anyOf": [{"type": "integer"}]}}}"#,
            ["schema.properties[a].anyOf[0].type: Forbidden: must be empty to be structural"]
        ),
        (
            ##"{"type": "object", "properties": {"a": {"$ref": "#/x", "type": "string"}}}"##,
            ["schema.properties[a].$ref: Forbidden: $ref is not supported"]
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}"#,
            [
                #"schema.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): `(`"#
            ]
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}}"#,
            [
                #"schema.properties[a].default: Invalid value: "string": schema.properties[a].default in body must be of type integer: "string""#
            ]
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object", "properties": {"k": {"type": "string"}}}}}}"#,
            [
                "schema.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map"
            ]
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": {"type": "object", "properties": {"k": {"type": "string"}}}}}}"#,
            [
                "schema.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            ]
        ),
        (
            #"{"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}"#,
            [
                "schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified"
            ]
        ),
        (
            #"{"type": "object", "properties": {"a": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}}}"#,
            []
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "string", "x-kubernetes-validations": [{"rule": "self.frob()"}]}}}"#,
            [
                #"schema.properties[a].x-kubernetes-validations[0].rule: Invalid value: {"FieldPath":"","Message":"","MessageExpression":"","OptionalOldSelf":null,"Reason":null,"Rule":"self.frob()"}: compilation failed: ERROR: <input>:1:6: undeclared reference to 'frob' (in container '')"#
                    + "\n | self.frob()\n | .....^"
            ]
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "string", "x-kubernetes-validations": [{"rule": "self"}]}}}"#,
            [
                #"schema.properties[a].x-kubernetes-validations[0].rule: Invalid value: {"FieldPath":"","Message":"","MessageExpression":"","OptionalOldSelf":null,"Reason":null,"Rule":"self"}: cel expression must evaluate to a bool"#
            ]
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}}}}"#,
            [
                #"schema.properties[a].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[a]"#
            ]
        ),
    ])
    func namesEveryProblem(schema: String, expected: [String]) throws {
        #expect(try Self.problems(schema) == expected)
    }

    @Test(arguments: ["[]", "1", #"{"type": "object", "properties": {"a": 1}}"#, #"{"type": 5}"#])
    func garbageIsAnErrorNotACrash(text: String) throws {
        #expect(try !Self.problems(text).isEmpty)
    }

    @Test func deepSchemasAreErrorsNotCrashes() throws {
        var schema: JSON = ["type": "string"]
        for _ in 0..<400 { schema = ["type": "object", "properties": ["a": schema]] }
        #expect(throws: StructuralSchemaErrors.self) { try StructuralSchema.compile(schema) }
    }
}
