import APIServerKinds
import KubernetesClient
import StructuredData
import Testing

/// Bodies that no client should send: refused or taken, never a crash.
@Suite struct HostileBodyTests {
    private static let values: [JSON] = [
        .null, true, 7, -1, 1.5, "", "x", .array([]), [1, "a", nil], [[:]], [:], ["a": ["b": [nil]]],
        ["containers": 5], ["containers": [5, nil, ["env": "x", "ports": [[:]]]]],
    ]

    @Test func `any value in any place of a body is answered`() {
        for resource in ResourceRegistry().resources {
            for key in ["metadata", "spec", "data", "rules", "spec.template", "spec.ports"] {
                for value in Self.values {
                    var body: JSON = ["metadata": ["name": "a", "namespace": "n"]]
                    setValue(value, at: key, in: &body)
                    answer(body, resource)
                }
            }
        }
    }

    @Test func `a definition of any shape is answered`() throws {
        let resource = try Fixture.resource("apiextensions.k8s.io", "customresourcedefinitions")
        let registry = ResourceRegistry()
        for key in [
            "spec", "spec.names", "spec.versions", "spec.conversion", "spec.names.shortNames", "spec.group", "status",
            "status.conditions", "spec.scope",
        ] {
            for value in Self.values {
                var crd = try Fixture.gizmos()
                setValue(value, at: key, in: &crd)
                answer(crd, resource)
                _ = registry.install(crd: crd, now: Fixture.now)
            }
        }
        for key in ["schema", "subresources", "additionalPrinterColumns", "selectableFields", "name"] {
            for value in Self.values {
                var crd = try Fixture.gizmos()
                crd["spec"]?["versions"]?.array?[0][key] = value
                answer(crd, resource)
                _ = registry.install(crd: crd, now: Fixture.now)
                _ = registry.document(path: "/openapi/v3/apis/lab.example.test/v1", accept: "", serverAddress: "")
            }
        }
    }

    private func setValue(_ value: JSON, at path: String, in body: inout JSON) {
        let steps = path.split(separator: ".").map(String.init)
        if steps.count == 1 { body.set(value, at: steps[0]) } else { body.set(value, at: steps[0], steps[1]) }
    }

    private func answer(_ body: JSON, _ resource: ServedResource) {
        guard var object = try? resource.decode(body).object else { return }
        try? resource.bind(&object, namespace: resource.type.namespaced ? "n" : nil, name: nil)
        _ = resource.prepareForCreate(&object, namespace: "n", context: Fixture.context())
        var update = body
        _ = resource.prepareForUpdate(&update, old: object, context: Fixture.context())
        _ = TablePrinter.table(resource, objects: [object, body], now: 0)
        if let paths = resource.scale {
            _ = Scale.of(body, paths: paths)
            _ = try? Scale.apply(body, to: object, paths: paths)
        }
        _ = resource.fromStorage(resource.toStorage(body))
        _ = resource.fieldValue("metadata.name", of: body)
    }
}
