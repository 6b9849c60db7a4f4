import KubernetesSchema
import StructuredData
import Testing

@Suite struct ValidationTests {
    static let blocked =
        "<nil>: Invalid value: \"null\": some validation rules were not checked because the object was invalid; "
        + "correct the existing errors to complete validation"

    @Test(arguments: [
        (
            #"{"size": "huge"}"#,
            [#"spec.size: Unsupported value: "huge": supported values: "small", "large""#, blocked]
        ),
        (#"{"note": "x"}"#, ["spec.size: Required value", blocked]),
        (
            #"{"size": "small", "note": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#,
            ["spec.note: Too long: may not be more than 20 bytes", blocked]
        ),
        (#"{"size": "small", "replicas": 1.0, "port": 80, "note": null}"#, []),
        (
            #"{"size": "small", "replicas": "2"}"#,
            [
                #"spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string""#,
                blocked,
            ]
        ),
        (
            #"{"size": "small", "port": 1.5, "replicas": 1}"#,
            [
                #"spec.port: Invalid value: "number": spec.port in body must be of type integer,string: "number""#,
                blocked,
            ]
        ),
        (#"{"size": "small", "replicas": 1, "tags": ["a", "b", "a"]}"#, [#"spec.tags[2]: Duplicate value: "a""#]),
        (
            #"{"size": "small", "replicas": 1, "parts": [{"name": "p"}, {"name": "p", "weight": 2}]}"#,
            [#"spec.parts[1]: Duplicate value: {"name":"p"}"#]
        ),
    ])
    func saysWhatIsWrongAsKubernetesDoes(spec: String, expected: [String]) throws {
        let errors = try Gizmo.schema().validate(Gizmo.object(json(spec)), old: nil)
        #expect(errors.map(\.description) == expected)
    }

    @Test func numbersBelowTheMinimumAreRefused() throws {
        let errors = try Gizmo.schema().validate(Gizmo.object(["size": "small", "replicas": -1]), old: nil)
        #expect(
            errors.map(\.description) == [
                "spec.replicas: Invalid value: -1: spec.replicas in body should be greater than or equal to 0"
            ])
    }

    @Test func unchangedFaultsAreLetThroughOnUpdate() throws {
        let old = Gizmo.object(["size": "huge", "replicas": 1])
        let new = Gizmo.object(["size": "huge", "replicas": 2])
        #expect(try Gizmo.schema().validate(new, old: old).isEmpty)
        #expect(try !Gizmo.schema().validate(new, old: nil).isEmpty)
    }

    @Test(arguments: [
        (#"{"a": 1}"#, [String]()),
        (#"{"b": "x"}"#, []),
        (
            #"{"a": 1, "b": "x"}"#,
            [
                #"<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives"#
            ]
        ),
        (
            #"{}"#,
            [
                #"<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid"#,
                "spec.a: Required value",
            ]
        ),
    ])
    func exactlyOneAlternativeMustHold(spec: String, expected: [String]) throws {
        let schema = try StructuralSchema.compile(
            json(
                """
                {"type": "object", "properties": {"spec": {"type": "object",
                  "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
                  "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}}}
                """))
        #expect(try schema.validate(["spec": json(spec)], old: nil).map(\.description) == expected)
    }

    @Test(arguments: [
        ("date-time", "2026-01-01T00:00:00Z", true), ("date-time", "2026-02-30T00:00:00Z", false),
        ("date-time", "2026-01-01T00:00:00.5+02:00", true), ("date-time", "tomorrow", false),
        ("byte", "aGk=", true), ("byte", "aGk", false), ("ipv4", "10.0.0.1", true), ("ipv4", "10.0.0.256", false),
        ("ipv6", "fe80::1", true), ("ipv6", "10.0.0.1", false), ("cidr", "10.0.0.0/8", true),
        ("cidr", "10.0.0.0/33", false),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", true), ("uuid", "123", false), ("duration", "1h30m", true),
        ("duration", "soon", false), ("hostname", "a-b.example.com", true), ("hostname", "-a", false),
        ("uri", "https://example.com/x?y=z", true), ("uri", "not a uri", false), ("email", "a@example.com", true),
        ("email", "nobody", false), ("never-heard-of", "anything", true),
    ])
    func stringFormats(format: String, text: String, isValid: Bool) throws {
        let schema = try StructuralSchema.compile([
            "type": "object", "properties": ["x": ["type": "string", "format": .string(format)]],
        ])
        #expect(schema.validate(["x": .string(text)], old: nil).isEmpty == isValid)
    }

    @Test func patternsMatchAnywhereUnlessAnchored() throws {
        let schema = try StructuralSchema.compile(
            json(#"{"type": "object", "properties": {"x": {"type": "string", "pattern": "^[a-z]{2,3}$"}}}"#))
        #expect(schema.validate(["x": "abc"], old: nil).isEmpty)
        #expect(
            schema.validate(["x": "abcd"], old: nil).map(\.description) == [
                #"x: Invalid value: "abcd": x in body should match '^[a-z]{2,3}$'"#
            ])
    }
}
