import Foundation
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

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
            "workers": ["placement": "Dedicated", "replicas": 3],
            "web": ["url": "https://todo.example.com"],
            "notifications": [
                "email": ["host": "smtp.example.com", "from": "todo@example.com", "secretRef": ["name": "smtp"]],
                "webhooks": ["allowedNetworks": ["10.1.0.0/16", "fd00::/8"]],
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
            DesiredStateInputs(
                secrets: [SecretKey("db", "uri"): "eA=="], databasePorts: [6543, 5432], hasDirectURI: true)
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

    /// The whole cluster has sidecars, and a forged event would have an account's audit log erased.
    @Test func noOtherAppCallsAServiceThroughItsSidecar() throws {
        let app = try TodoApp(validating: Self.minimal)
        let children = DesiredState.children(of: app, inputs: DesiredStateInputs())
        let configuration = try #require(children.first { $0["kind"] == "Configuration" })
        #expect(configuration.at("spec", "accessControl") == ["defaultAction": "deny"])
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

    /// daprd loads a store of Secrets of its own accord, and ends where it finds no token to reach Kubernetes with.
    @Test(arguments: [minimal, everything])
    func aSidecarWithoutATokenIsToldToDoWithoutKubernetes(resource: JSON) throws {
        let app = try TodoApp(validating: resource)
        let templates = DesiredState.children(of: app, inputs: DesiredStateInputs()).compactMap {
            $0["kind"] == "Deployment" ? $0.at("spec", "template") : nil
        }
        let called = templates.filter { $0.at("metadata", "annotations", "dapr.io/enabled") == "true" }
        #expect(called.count == 4)
        for template in called {
            let key = "dapr.io/disable-builtin-k8s-secret-store"
            #expect(template.at("spec", "automountServiceAccountToken") == false)
            #expect(template.at("metadata", "annotations", key) == "true")
        }
    }

    /// OpenShift lets pods in that name no user, or one of the range of their namespace; and its DNS is on 5353 behind
    /// its Service, where policies apply.
    @Test func anAppRunsOnOpenShift() throws {
        let app = try TodoApp(validating: Self.minimal)
        let children = DesiredState.children(of: app, inputs: DesiredStateInputs())
        let pods = children.compactMap { $0["kind"] == "Deployment" ? $0.at("spec", "template", "spec") : nil }
        #expect(pods.count == 4)
        for pod in pods {
            let contexts = [pod["securityContext"]] + (pod["containers"]?.array ?? []).map { $0["securityContext"] }
            for user in ["fsGroup", "runAsGroup", "runAsUser"] { #expect(contexts.allSatisfy { $0?[user] == nil }) }
            #expect(pod.at("securityContext", "runAsNonRoot") == true)
        }
        let policies = children.filter { $0["kind"] == "NetworkPolicy" }
        #expect(policies.count == 4)
        for policy in policies {
            let ports = policy.at("spec", "egress")?[0]?["ports"]?.array ?? []
            #expect(ports.contains(["port": 5353, "protocol": "UDP"]))
        }
    }

    /// A thousand databases that are all at work at the same minute would be none's quiet hour.
    @Test func theDailyJobsOfManyAppsAreSpreadOverTheQuietHours() throws {
        var times: [String: Int] = [:]
        for number in 0..<1000 {
            var object = Self.minimal
            object.set(.string("app-\(number)"), at: "metadata", "name")
            let app = try TodoApp(validating: object)
            for binding in DailyBinding.all(of: app).map(\.object) {
                let schedule = try #require(binding.at("spec", "metadata")?[0]?["value"]?.string)
                let fields = schedule.split(separator: " ")
                #expect(fields.count == 6 && fields.suffix(3) == ["*", "*", "*"])
                let numbers = fields.prefix(3).compactMap { Int($0) }
                #expect((0..<60).contains(numbers[0]) && (0..<60).contains(numbers[1]) && (1..<5).contains(numbers[2]))
                times["\(numbers[2]):\(numbers[1])", default: 0] += 1
            }
        }
        #expect(times.count == 240)
        #expect(times.values.max() ?? 0 < 25)
    }

    @Test func thePodTemplateDependsOnTheSpecAndNotOnTheRelease() throws {
        var resource = Self.minimal
        resource.set("registry.example/todo:9", at: "spec", "image")
        let app = try TodoApp(validating: resource)
        let template = DesiredState.children(of: app, inputs: DesiredStateInputs()).last?.at("spec", "template")
        #expect(template?.text.contains(ProductVersion.current) == false)
    }
}
