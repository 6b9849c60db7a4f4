@testable import APIServerKinds
import Concurrency
import KubernetesSchema
import StructuredData
import Testing

@Suite struct CustomResourceDefinitionTests {
    private let strategy = DefinitionStrategy()

    @Test func `a definition gets the names and conversion that it leaves out`() throws {
        var crd = try Fixture.gizmos()
        crd.set(["plural": "gizmos", "kind": "Gizmo"], at: "spec", "names")
        crd.set(nil, at: "spec", "conversion")
        strategy.applyDefaults(&crd)
        #expect(crd.at("spec", "names", "singular") == "gizmo")
        #expect(crd.at("spec", "names", "listKind") == "GizmoList")
        #expect(crd.at("spec", "conversion", "strategy") == "None")
    }

    @Test func `an accepted definition is established, and serves its versions`() throws {
        let registry = ResourceRegistry()
        let crd = registry.install(crd: try Fixture.gizmos(), now: Fixture.now)
        let conditions = crd.at("status", "conditions")?.array ?? []
        #expect(conditions.map { $0["type"]?.string } == ["NamesAccepted", "Established"])
        #expect(conditions.map { $0["status"]?.string } == ["True", "True"])
        #expect(crd.at("status", "acceptedNames", "kind") == "Gizmo")
        #expect(crd.at("status", "storedVersions") == ["v1"])
        let resource = try #require(registry.resource(group: "lab.example.test", version: "v1", kind: "Gizmo"))
        #expect(resource.hasStatus)
        #expect(resource.scale?.specReplicas == ["spec", "replicas"])
        let served = registry.served
        #expect(registry.install(crd: crd, now: "2027-01-01T00:00:00Z") == crd, "nothing to write the second time")
        #expect(registry.served === served, "and nothing to read anew")
        registry.remove(crdNamed: "gizmos.lab.example.test")
        #expect(registry.resource(group: "lab.example.test", version: "v1", kind: "Gizmo") == nil)
    }

    @Test func `whoever asks is told of each definition that comes or goes, and of no status`() throws {
        let registry = ResourceRegistry()
        let told = Lock(0)
        registry.onChange { told.withLock { $0 += 1 } }
        let crd = registry.install(crd: try Fixture.gizmos(), now: Fixture.now)
        #expect(told.withLock { $0 } == 1)
        _ = registry.install(crd: crd, now: Fixture.now)
        #expect(told.withLock { $0 } == 1)
        for _ in 0..<2 { registry.remove(crdNamed: "gizmos.lab.example.test") }
        #expect(told.withLock { $0 } == 2)
    }

    @Test func `names that another definition of the group has are not accepted`() throws {
        let registry = try Fixture.registryWithGizmos()
        var other = try Fixture.gizmos()
        other.set("others.lab.example.test", at: "metadata", "name")
        other.set(
            ["plural": "others", "singular": "other", "kind": "Gizmo", "listKind": "OtherList"], at: "spec", "names")
        let refused = registry.install(crd: other, now: Fixture.now)
        let conditions = refused.at("status", "conditions")?.array ?? []
        #expect(conditions.map { $0["status"]?.string } == ["False", "False"])
        #expect(conditions.first?["reason"] == "KindConflict")
        #expect(conditions.first?["message"] == "\"Gizmo\" is already in use")
        #expect(registry.resource(group: "lab.example.test", version: "v1", plural: "others") == nil)
        registry.remove(crdNamed: "gizmos.lab.example.test")
        let accepted = registry.install(crd: refused, now: Fixture.now)
        #expect(accepted.at("status", "conditions")?[1]?["status"] == "True")
    }

    @Test func `versions of one definition show the same objects`() throws {
        var crd = try Fixture.gizmos()
        var second = try #require(crd.at("spec", "versions")?[0])
        second["name"] = "v1beta1"
        second["storage"] = false
        let first = try #require(crd.at("spec", "versions")?[0])
        crd.set(.array([second, first]), at: "spec", "versions")
        let registry = ResourceRegistry()
        _ = registry.install(crd: crd, now: Fixture.now)
        let old = try #require(registry.resource(group: "lab.example.test", version: "v1beta1", plural: "gizmos"))
        let new = try #require(registry.resource(group: "lab.example.test", version: "v1", plural: "gizmos"))
        #expect(old.storageKey == new.storageKey)
        #expect(old.needsConversion)
        #expect(!new.needsConversion)
        let stored = old.toStorage(["apiVersion": "lab.example.test/v1beta1", "kind": "Gizmo"])
        #expect(stored["apiVersion"] == "lab.example.test/v1")
        #expect(old.fromStorage(stored)["apiVersion"] == "lab.example.test/v1beta1")
        let groups = try #require(registry.document(path: "/apis/lab.example.test", accept: "", serverAddress: ""))
        let group = try JSON(parsing: groups.bytes)
        #expect(group.at("preferredVersion", "version") == "v1")
    }

    private static let faults: [(path: String, value: JSON, line: String?)] = [
        (
            "metadata.name", "x.lab.example.test",
            "metadata.name: Invalid value: \"x.lab.example.test\": must be spec.names.plural+\".\"+spec.group"
        ),
        (
            "spec.scope", "Everywhere",
            "spec.scope: Unsupported value: \"Everywhere\": supported values: \"Cluster\", \"Namespaced\""
        ),
        ("spec.names.kind", "gizmoKind", nil),
        ("spec.group", "lab", "spec.group: Invalid value: \"lab\": should be a domain with at least one dot"),
        ("spec.versions", .array([]), "spec.versions: Required value: must have at least one version"),
        (
            "spec.conversion.strategy", "Magic",
            "spec.conversion.strategy: Unsupported value: \"Magic\": supported values: \"None\", \"Webhook\""
        ),
    ]

    @Test(arguments: faults)
    func `a definition with a fault is refused by name of the field`(path: String, value: JSON, line: String?) throws {
        var crd = try Fixture.gizmos()
        crd.setValue(value, at: path.split(separator: ".").map(String.init)[...])
        let lines = strategy.validate(crd, old: nil, subresource: nil).map(\.line)
        guard let line else {
            #expect(lines.isEmpty, "\(lines)")
            return
        }
        #expect(lines.contains(line), "\(lines)")
    }

    @Test func `versions are checked one by one`() throws {
        var crd = try Fixture.gizmos()
        crd["spec"]?["versions"]?.array?[0] = [
            "name": "v1", "served": true, "storage": false,
            "subresources": ["scale": ["specReplicasPath": ".status.x"]],
            "additionalPrinterColumns": [["name": "A", "type": "text", "jsonPath": "spec.a"]],
        ]
        let lines = strategy.validate(crd, old: nil, subresource: nil).map(\.line)
        for part in [
            "spec.versions: Invalid value: [\"v1\"]: must have exactly one version marked as storage version",
            "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required",
            "spec.versions[0].subresources.scale.specReplicasPath: Invalid value: \".status.x\": should be a json path under .spec",
            "spec.versions[0].subresources.scale.statusReplicasPath: Required value",
            "spec.versions[0].additionalPrinterColumns[0].jsonPath: Invalid value: \"spec.a\": must be a simple json path starting with .",
        ] { #expect(lines.contains(part), "\(part)\nnot in\n\(lines)") }
        #expect(lines.contains { $0.hasPrefix("spec.versions[0].additionalPrinterColumns[0].type: Invalid value") })
    }

    @Test func `a schema that is not structural is refused`() throws {
        var crd = try Fixture.gizmos()
        crd["spec"]?["versions"]?.array?[0]["schema"] = ["openAPIV3Schema": ["properties": ["a": ["type": "strin"]]]]
        #expect(!strategy.validate(crd, old: nil, subresource: nil).isEmpty)
    }

    @Test func `a rule that does not compile is refused`() throws {
        var crd = try Fixture.gizmos()
        crd["spec"]?["versions"]?.array?[0]["schema"] = [
            "openAPIV3Schema": ["type": "object", "x-kubernetes-validations": [["rule": "self.nope("]]]
        ]
        #expect(!strategy.validate(crd, old: nil, subresource: nil).isEmpty)
    }

    @Test func `an established definition keeps its group, scope and kind`() throws {
        let old = ResourceRegistry().install(crd: try Fixture.gizmos(), now: Fixture.now)
        var new = old
        new.set("Cluster", at: "spec", "scope")
        new.set("Thing", at: "spec", "names", "kind")
        let lines = strategy.validate(new, old: old, subresource: nil).map(\.line)
        #expect(lines.contains("spec.scope: Invalid value: \"Cluster\": field is immutable"))
        #expect(lines.contains("spec.names.kind: Invalid value: \"Thing\": field is immutable"))
    }

    @Test func `of versions that need a webhook only the stored one is served`() throws {
        var crd = try Fixture.gizmos()
        crd.set(
            ["strategy": "Webhook", "webhook": ["conversionReviewVersions": ["v1"]]], at: "spec", "conversion")
        #expect(strategy.warnings(crd, old: nil).isEmpty)
        var second = try #require(crd.at("spec", "versions")?[0])
        second["name"] = "v2"
        second["storage"] = false
        let first = try #require(crd.at("spec", "versions")?[0])
        crd.set(.array([first, second]), at: "spec", "versions")
        #expect(strategy.validate(crd, old: nil, subresource: nil).isEmpty)
        #expect(strategy.warnings(crd, old: nil).count == 1)
        let registry = ResourceRegistry()
        _ = registry.install(crd: crd, now: Fixture.now)
        #expect(registry.resource(group: "lab.example.test", version: "v1", plural: "gizmos") != nil)
        #expect(registry.resource(group: "lab.example.test", version: "v2", plural: "gizmos") == nil)
    }

    @Test func `a group of Kubernetes needs an approval`() throws {
        var crd = try Fixture.gizmos()
        crd.set("lab.k8s.io", at: "spec", "group")
        crd.set("gizmos.lab.k8s.io", at: "metadata", "name")
        #expect(
            strategy.validate(crd, old: nil, subresource: nil).map(\.field)
                == ["metadata.annotations[api-approved.kubernetes.io]"])
        crd.set("https://example.test/1", at: "metadata", "annotations", "api-approved.kubernetes.io")
        #expect(strategy.validate(crd, old: nil, subresource: nil).isEmpty)
    }

    @Test func `newer versions come first`() {
        let sorted = ["v1", "v1alpha1", "foo", "v2", "v1beta2", "v11", "v1beta1", "v2alpha1"]
            .sorted(by: VersionOrder.isNewer)
        #expect(sorted == ["v11", "v2", "v1", "v1beta2", "v1beta1", "v2alpha1", "v1alpha1", "foo"])
    }
}
