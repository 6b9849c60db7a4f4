import KubernetesSchema
import StructuredData
import Testing

@Suite struct StrategicMergePatchTests {
    static func deployment() throws -> Schema {
        try #require(BuiltinDefinitions.shared.schema(group: "apps", version: "v1", kind: "Deployment"))
    }

    static func pod(_ text: String) throws -> JSON { try ["spec": ["template": ["spec": json(text)]]] }

    /// original, patch and result, each of a pod's spec
    @Test(arguments: [
        (  // lists of maps merge by key
            #"{"containers":[{"name":"web","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]}]}"#,
            #"{"containers":[{"name":"web","env":[{"name":"B","value":"22"},{"name":"C","value":"3"}]}]}"#,
            #"{"containers":[{"name":"web","env":[{"name":"A","value":"1"},{"name":"B","value":"22"},{"name":"C","value":"3"}]}]}"#
        ),
        (  // lists without a merge key are replaced
            #"{"containers":[{"name":"web","args":["a","b"]}]}"#, #"{"containers":[{"name":"web","args":["c"]}]}"#,
            #"{"containers":[{"name":"web","args":["c"]}]}"#
        ),
        (  // an element is deleted
            #"{"containers":[{"name":"a"},{"name":"b"}]}"#, #"{"containers":[{"name":"a","$patch":"delete"}]}"#,
            #"{"containers":[{"name":"b"}]}"#
        ),
        (  // a list is replaced
            #"{"containers":[{"name":"a","image":"x"},{"name":"b"}]}"#,
            #"{"containers":[{"$patch":"replace"},{"name":"c","image":null}]}"#, #"{"containers":[{"name":"c"}]}"#
        ),
        (  // a map is replaced
            #"{"nodeSelector":{"a":"1"}}"#, #"{"nodeSelector":{"$patch":"replace","b":"2"}}"#,
            #"{"nodeSelector":{"b":"2"}}"#
        ),
        (  // null removes, also what is not there
            #"{"hostname":"x","subdomain":"y"}"#,
            #"{"hostname":null,"priority":null,"securityContext":{"runAsUser":null}}"#,
            #"{"subdomain":"y","securityContext":{}}"#
        ),
        (  // the order of elements is stated
            #"{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#,
            #"{"$setElementOrder/containers":[{"name":"c"},{"name":"a"}],"containers":[{"name":"a","image":"x"}]}"#,
            #"{"containers":[{"name":"b"},{"name":"c"},{"name":"a","image":"x"}]}"#
        ),
        (  // keys of a union that are not retained go
            #"{"volumes":[{"name":"v","emptyDir":{}}]}"#,
            #"{"volumes":[{"name":"v","$retainKeys":["name","configMap"],"configMap":{"name":"c"}}]}"#,
            #"{"volumes":[{"name":"v","configMap":{"name":"c"}}]}"#
        ),
        (  // the merge key of ports is one key only
            #"{"containers":[{"name":"a","ports":[{"containerPort":80,"name":"x"}]}]}"#,
            #"{"containers":[{"name":"a","ports":[{"containerPort":80,"name":"y"},{"containerPort":81}]}]}"#,
            #"{"containers":[{"name":"a","ports":[{"containerPort":80,"name":"y"},{"containerPort":81}]}]}"#
        ),
    ])
    func mergesByTheSchema(original: String, patch: String, expected: String) throws {
        let result = try StrategicMergePatch.apply(
            Self.pod(patch), to: Self.pod(original), schema: Self.deployment())
        #expect(try result == Self.pod(expected))
    }

    @Test func primitiveListsMergeAsSets() throws {
        let schema = try Self.deployment()
        let original = try json(#"{"metadata":{"finalizers":["a","b","c"]}}"#)
        let added = try json(#"{"metadata":{"finalizers":["d"]}}"#)
        #expect(
            try StrategicMergePatch.apply(added, to: original, schema: schema)
                == json(#"{"metadata":{"finalizers":["d","a","b","c"]}}"#))
        let removed = try json(#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["b"]}}"#)
        #expect(
            try StrategicMergePatch.apply(removed, to: original, schema: schema)
                == json(#"{"metadata":{"finalizers":["a","c"]}}"#))
        let ordered = try json(
            #"{"metadata":{"$setElementOrder/finalizers":["c","a"],"$deleteFromPrimitiveList/finalizers":["b"]}}"#)
        #expect(
            try StrategicMergePatch.apply(ordered, to: original, schema: schema)
                == json(#"{"metadata":{"finalizers":["c","a"]}}"#))
    }

    @Test(arguments: [
        (#"{"$patch":"explode"}"#, "unknown patch type [explode] in map [{}]"),
        (
            #"{"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}"#,
            #"map: {"image":"x"} does not contain declared merge key: name"#
        ),
        (#"{"spec":{"strategy":{"$retainKeys":["type"],"rollingUpdate":{}}}}"#, "invalid patch format of retainKeys"),
        ("[1]", "cannot unmarshal the patch into an object"),
    ])
    func saysWhatIsWrongWithAPatch(patch: String, message: String) throws {
        let schema = try Self.deployment()
        let error = #expect(throws: StrategicMergePatchError.self) {
            try StrategicMergePatch.apply(json(patch), to: [:], schema: schema)
        }
        #expect(error?.message == message)
    }

    @Test func anEmptyPatchChangesNothing() throws {
        let schema = try Self.deployment()
        let object = try json(
            #"{"metadata":{"name":"a"},"spec":{"replicas":1,"template":{"spec":{"containers":[{"name":"a"}]}}}}"#)
        #expect(try StrategicMergePatch.apply([:], to: object, schema: schema) == object)
        #expect(try StrategicMergePatch.apply(object, to: object, schema: schema) == object)
    }
}
