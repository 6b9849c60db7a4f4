import KubernetesSchema
import StructuredData
import Testing

@Suite struct BuiltinDefinitionsTests {
    let builtin = BuiltinDefinitions.shared

    @Test func everyResourceHasASchema() {
        #expect(builtin.resources.count >= 50)
        #expect(builtin.definitionNames.count >= 459)
        for resource in builtin.resources {
            #expect(
                builtin.schema(group: resource.group, version: resource.version, kind: resource.kind) != nil,
                "\(resource.plural)")
        }
    }

    @Test func everyDefinitionParsesAndItsReferencesResolve() throws {
        for name in builtin.definitionNames {
            _ = try JSON(parsing: #require(builtin.definitionText(name)))
            let schema = try #require(builtin.schema(definition: name))
            for property in schema.propertyNames { #expect(schema.property(property) != nil, "\(name).\(property)") }
        }
    }

    @Test func resourcesSayWhatDiscoverySays() throws {
        let deployments = try #require(builtin.resources.first { $0.group == "apps" && $0.plural == "deployments" })
        #expect(deployments.kind == "Deployment")
        #expect(deployments.namespaced)
        #expect(
            deployments.verbs == ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"])
        #expect(deployments.subresources.map(\.name) == ["scale", "status"])
        #expect(deployments.subresources.first?.group == "autoscaling")
        let namespaces = try #require(builtin.resources.first { $0.plural == "namespaces" })
        #expect(!namespaces.namespaced)
        let pods = try #require(builtin.resources.first { $0.plural == "pods" })
        #expect(pods.subresources.map(\.name).contains("log"))
    }

    @Test func closureHoldsEverythingReferredTo() {
        let closure = builtin.closure(of: ["io.k8s.api.core.v1.ConfigMap"])
        #expect(closure.contains("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"))
        #expect(closure.contains("io.k8s.apimachinery.pkg.apis.meta.v1.Time"))
        #expect(!closure.contains("io.k8s.api.core.v1.Pod"))
    }

    @Test func mergeKeysAreRead() throws {
        let pod = try #require(builtin.schema(definition: "io.k8s.api.core.v1.PodSpec"))
        let containers = try #require(pod.property("containers"))
        #expect(containers.listType == .map)
        #expect(containers.listMapKeys == ["name"])
        #expect(containers.patchMergeKey == "name")
        #expect(containers.items?.property("ports")?.listMapKeys == ["containerPort", "protocol"])
        #expect(containers.items?.property("ports")?.items?.property("protocol")?.defaultValue == "TCP")
        #expect(containers.items?.property("name")?.defaultValue == nil)
    }

    @Test(arguments: [
        (
            "events.k8s.io", "Event", #"{"note": false}"#,
            "json: cannot unmarshal bool into Go struct field Event.note of type string"
        ),
        (
            "apps", "Deployment", #"{"spec": {"replicas": "3"}}"#,
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        ),
        (
            "apps", "Deployment", #"{"spec": {"replicas": 1.5}}"#,
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"
        ),
        (
            "apps", "Deployment",
            #"{"spec": {"template": {"spec": {"containers": [{"name": "a", "env": [{"name": "A", "value": 1}]}]}}}}"#,
            "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string"
        ),
        (
            "apps", "Deployment", #"{"metadata": {"labels": {"a": true}}}"#,
            "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string"
        ),
        (
            "", "ConfigMap", #"{"data": "x"}"#,
            "json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string"
        ),
        (
            "", "Pod", #"{"spec": {"containers": {}}}"#,
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"
        ),
        ("", "Secret", #"{"data": {"a": "%"}}"#, "illegal base64 data at input byte 0"),
    ])
    func typeMismatchesAreWordedAsGoDoes(group: String, kind: String, text: String, message: String) throws {
        let schema = try #require(builtin.schema(group: group, version: "v1", kind: kind))
        #expect(try schema.firstTypeMismatch(in: json(text)) == message)
    }

    @Test func whatGoDecodesIsNoMismatch() throws {
        let schema = try #require(builtin.schema(group: "", version: "v1", kind: "Pod"))
        let pod = try json(
            """
            {"metadata": {"creationTimestamp": null, "labels": null, "generation": 1},
             "spec": {"containers": [{"resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
               "livenessProbe": {"httpGet": {"port": "http"}}}], "activeDeadlineSeconds": 5}}
            """)
        #expect(schema.firstTypeMismatch(in: pod) == nil)
    }

    @Test func unknownFieldsOfBuiltinKindsAreNamed() throws {
        let schema = try #require(builtin.schema(group: "apps", version: "v1", kind: "Deployment"))
        let object = try json(
            #"{"spec": {"replica": 1, "template": {"spec": {"containers": [{"name": "a", "imagee": "b"}]}}}, "x": 1}"#)
        #expect(schema.unknownFields(in: object) == ["x", "spec.replica", "spec.template.spec.containers[0].imagee"])
    }

    @Test func definitionsThatAreOpenKeepAnything() throws {
        let crd = try #require(
            builtin.schema(group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition"))
        let object = try json(
            """
            {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {
              "a": {"type": "array", "items": {"type": "string"}, "default": [1, {"x": 2}]}}}}}]},
             "metadata": {"managedFields": [{"fieldsV1": {"f:spec": {".": {}}}}]}}
            """)
        #expect(schema(crd, keeps: object))
    }

    @Test func schemasInsideOfSchemasAreLookedInto() throws {
        let crd = try #require(
            builtin.schema(group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition"))
        let object = try json(
            """
            {"spec": {"versions": [{"schema": {"openAPIV3Schema": {"type": "object", "properties": {
              "a": {"type": "array", "items": {"typ": "string"}}, "b": {"additionalProperties": {"x": 1}},
              "c": {"additionalProperties": true, "default": {"x": 1}}}}}}]}}
            """)
        let prefix = "spec.versions[0].schema.openAPIV3Schema.properties"
        #expect(crd.unknownFields(in: object) == ["\(prefix).a.items.typ", "\(prefix).b.additionalProperties.x"])
    }

    private func schema(_ schema: Schema, keeps object: JSON) -> Bool { schema.pruned(object) == object }
}
