import KubernetesSchema
import StructuredData
import Testing

@testable import APIServerKinds

/// Refusals in the words of kube-apiserver.
struct RefusalTests {
    private func errors(_ plural: String, _ object: JSON, group: String = "") throws -> [String] {
        let resource = try Fixture.resource(group, plural)
        var object = try resource.decode(object).object
        return resource.prepareForCreate(&object, namespace: "default", context: Fixture.context()).map(\.description)
    }

    @Test("a finalizer of a built-in kind is a standard one or names its domain")
    func finalizers() throws {
        let object: JSON = ["metadata": ["name": "a", "finalizers": ["orphan", "mine"]]]
        #expect(
            try errors("configmaps", object) == [
                #"metadata.finalizers[1]: Invalid value: "mine": name is neither a standard finalizer name nor is "#
                    + "it fully qualified"
            ])
        #expect(try errors("configmaps", ["metadata": ["name": "a", "finalizers": ["example.com/mine"]]]).isEmpty)
        let both: JSON = ["metadata": ["name": "a", "finalizers": ["orphan", "foregroundDeletion"]]]
        #expect(try errors("configmaps", both).first?.hasSuffix("cannot be both set") == true)
    }

    @Test("a finalizer of a custom resource without a domain is only warned about")
    func customFinalizers() throws {
        let registry = try Fixture.registryWithGizmos()
        let gizmos = try #require(registry.resource(group: "lab.example.test", version: "v1", plural: "gizmos"))
        var object: JSON = [
            "apiVersion": "lab.example.test/v1", "kind": "Gizmo", "spec": ["size": "small"],
            "metadata": ["name": "a", "finalizers": ["mine"]],
        ]
        #expect(gizmos.prepareForCreate(&object, namespace: "default", context: Fixture.context()).isEmpty)
        #expect(gizmos.warnings(object, old: nil).count == 1)
    }

    @Test("a priority class keeps its value, below those of the system and not under their names")
    func priorityClasses() throws {
        let group = "scheduling.k8s.io"
        func faults(_ name: JSON, _ value: JSON) throws -> [String] {
            try errors("priorityclasses", ["metadata": ["name": name], "value": value], group: group)
        }
        #expect(try faults("a", 1_000_000_000).isEmpty)
        #expect(
            try faults("a", 1_000_000_001) == [
                "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"
            ])
        let reserved = try faults("system-a", 1)
        #expect(reserved.first?.hasSuffix("system-a is not a known system priority class") == true)
        let resource = try Fixture.resource(group, "priorityclasses")
        let old = try resource.decode(["metadata": ["name": "a"], "value": 1]).object
        var new = old
        new["value"] = 2
        let changed = resource.prepareForUpdate(&new, old: old, context: Fixture.context()).map(\.description)
        #expect(changed == ["value: Forbidden: may not be changed in an update."])
    }

    @Test("what is kept without effect is warned of: nobody is to rely on a policy that is not looked at")
    func withoutEffect() throws {
        for (plural, kind) in [
            ("validatingadmissionpolicies", "ValidatingAdmissionPolicy"),
            ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
        ] {
            let resource = try Fixture.resource("admissionregistration.k8s.io", plural)
            let object = try resource.decode(["metadata": ["name": "a"]]).object
            let warnings = resource.warnings(object, old: nil)
            #expect(warnings.count == 1 && warnings[0].hasPrefix("\(kind) has no effect"))
        }
    }

    @Test("a ConfigMap or Secret of more than 1 MiB is refused")
    func size() throws {
        let text = String(repeating: "x", count: 1_048_577)
        #expect(
            try errors("configmaps", ["metadata": ["name": "a"], "data": ["k": .string(text)]]) == [
                "[]: Too long: may not be more than 1048576 bytes"
            ])
        #expect(
            try errors("secrets", ["metadata": ["name": "a"], "stringData": ["k": .string(text)]]) == [
                "data: Too long: may not be more than 1048576 bytes"
            ])
    }

    @Test("another cluster IP is one error, and no address is taken for it")
    func clusterIP() throws {
        let services = try Fixture.resource("", "services")
        var old: JSON = ["metadata": ["name": "a"], "spec": ["ports": [["port": 80]]]]
        old = try services.decode(old).object
        #expect(services.prepareForCreate(&old, namespace: "default", context: Fixture.context()).isEmpty)
        var new = old
        new.set("10.96.0.99", at: "spec", "clusterIP")
        let errors = services.prepareForUpdate(&new, old: old, context: Fixture.context())
        #expect(
            errors.map(\.description) == [
                #"spec.clusterIPs[0]: Invalid value: ["10.96.0.99"]: may not change once set"#
            ])
    }
}
