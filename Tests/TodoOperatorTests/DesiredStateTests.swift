import Foundation
import KubernetesClient
import StructuredData
import Testing
import TodoOperator
import TodoResources

@Suite struct DesiredStateTests {
    static let minimal: JSON = [
        "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp",
        "metadata": ["name": "todo", "namespace": "team", "uid": "00000000-0000-7000-8000-000000000001"],
        "spec": ["database": ["secretRef": ["name": "todo-db"]]],
    ]
    static var everything: JSON {
        var app = minimal
        app["spec"] = [
            "image": "registry.example:5000/todo:1.2.3",
            "database": ["secretRef": ["name": "db"], "tlsMode": "Disable", "poolSize": 4],
            "services": [
                "api": ["replicas": 5, "resources": ["requests": ["cpu": "1"], "limits": ["memory": "1Gi"]]]
            ],
            "networkPolicy": "Disabled",
        ]
        return app
    }

    /// The golden files are what a reviewer sees of a change in desired state: `UPDATE_GOLDEN=1 make test` writes them.
    @Test(arguments: [
        ("minimal", minimal, DesiredStateInputs()),
        (
            "everything", everything,
            DesiredStateInputs(secretChecksum: "c0ffee", databasePorts: [6543, 5432], hasDirectURI: true)
        ),
    ])
    func childrenAreAsInTheGoldenFile(name: String, resource: JSON, inputs: DesiredStateInputs) throws {
        let app = try TodoApp(validating: resource)
        let text = YAML.write(documents: DesiredState.children(of: app, inputs: inputs))
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name).yaml")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }

    @Test func everyChildBelongsToTheAppAndIsOfAKindThatIsWatched() throws {
        let app = try TodoApp(validating: Self.minimal)
        let watched = Set(DesiredState.childTypes.map { "\($0.apiVersion) \($0.kind)" })
        for child in DesiredState.children(of: app, inputs: DesiredStateInputs()) {
            #expect(child.at("metadata", "ownerReferences")?[0]?["uid"] == "00000000-0000-7000-8000-000000000001")
            #expect(child.at("metadata", "namespace") == "team")
            let kind = "\(child["apiVersion"]?.string ?? "") \(child["kind"]?.string ?? "")"
            #expect(watched.contains(kind))
        }
    }

    @Test func thePodTemplateDependsOnTheSpecAndNotOnTheRelease() throws {
        var resource = Self.minimal
        resource.set("registry.example/todo:9", at: "spec", "image")
        let app = try TodoApp(validating: resource)
        let template = DesiredState.children(of: app, inputs: DesiredStateInputs()).last?.at("spec", "template")
        #expect(template?.text.contains(ProductVersion.current) == false)
    }

    @Test func noCharacterOfASecretIsInAnyChild() throws {
        let app = try TodoApp(validating: Self.minimal)
        let children = DesiredState.children(of: app, inputs: DesiredStateInputs(secretChecksum: "c0ffee"))
        #expect(!children.map(\.text).joined().contains("postgresql://"))
    }
}
