import Foundation
import KubernetesClient
import StructuredData
import Testing

/// The Helm chart, by Helm's own engine.
@Suite(.needsHelm, .loadsProcessors, .inTime) struct HelmChartTests {
    /// Every value, each other than the default.
    static let everything: JSON = [
        "nameOverride": "todos", "fullnameOverride": "todos-operator", "commonLabels": ["team": "platform"],
        "image": [
            "repository": "registry.example:5000/todo", "tag": "1.2.3",
            "digest": .string("sha256:\(String(repeating: "ab", count: 32))"), "pullPolicy": "Always",
        ],
        "imagePullSecrets": [["name": "registry"]],
        "replicas": 3, "watchNamespace": "team", "appSelector": "shard in (a,b)", "leaseName": "todo-ab",
        "inheritedLabels": ["team", "costs.example.com/*"], "workers": 16, "logLevel": "debug",
        "resources": ["limits": ["memory": "1Gi"], "requests": ["cpu": "1", "memory": "256Mi"]],
        "nodeSelector": ["kubernetes.io/os": "linux"],
        "tolerations": [["key": "dedicated", "operator": "Exists", "effect": "NoSchedule"]],
        "affinity": [
            "nodeAffinity": [
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    "nodeSelectorTerms": [
                        ["matchExpressions": [["key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]]]]
                    ]
                ]
            ]
        ],
        "priorityClassName": "system-cluster-critical", "podAnnotations": ["example.com/note": "here"],
        "serviceAccount": ["create": false, "name": "mine", "annotations": ["example.com/role": "todo"]],
        "rbac": ["create": false, "watchSecrets": true, "aggregate": false],
        "crds": ["install": false],
        "podDisruptionBudget": ["enabled": false], "networkPolicy": ["enabled": false],
        "serviceMonitor": ["enabled": true, "interval": "10s", "labels": ["release": "prometheus"]],
        "prometheusRule": ["enabled": true, "labels": ["release": "prometheus"]],
        "test": ["image": "registry.example/busybox:1"],
    ]
    /// Values that show only together with others.
    static let companions: [String: JSON] = [
        "serviceAccount.create": ["serviceAccount": ["name": "mine"]],
        "serviceMonitor.interval": ["serviceMonitor": ["enabled": true]],
        "serviceMonitor.labels": ["serviceMonitor": ["enabled": true]],
        "prometheusRule.labels": ["prometheusRule": ["enabled": true]],
    ]

    private let helm: Helm

    init() throws { helm = try #require(Helm.installed) }

    @Test(
        arguments: [
            ([:], []),
            (
                ["watchNamespace": "team", "rbac": ["watchSecrets": true]],
                ["--watch-namespace", "team", "--watch-secrets"]
            ),
        ] as [(JSON, [String])])
    func theChartGivesWhatTheOtherWaysOfInstallingGive(values: JSON, options: [String]) async throws {
        let manifests = try await Command.run(Command.todo, ["manifests"] + options)
        // Helm makes the namespace itself.
        let expected = try YAML.parse(manifests.out).filter { $0["kind"] != "Namespace" }
        let rendered = try await helm.template(values).filter {
            $0.at("metadata", "annotations", "helm.sh/hook") == nil
        }
        #expect(try Self.byName(rendered).keys.sorted() == Self.byName(expected).keys.sorted())
        let (one, other) = (try Self.byName(rendered), try Self.byName(expected))
        for (name, text) in other { #expect(one[name] == text, "\(name)") }
    }

    /// Releases that share the apps hold a Lease each.
    @Test(
        arguments: [
            ([:], "todo-operator", nil), (["appSelector": "shard=a"], "apps-a-todo-operator", "apps-a-todo-operator"),
            (["appSelector": "shard=a", "leaseName": "mine"], "mine", "mine"), (["leaseName": "mine"], "mine", "mine"),
        ] as [(JSON, String, String?)])
    func theRoleAllowsTheLeaseThatTheOperatorHolds(values: JSON, lease: String, option: String?) async throws {
        let objects = try await helm.template(values, release: "apps-a")
        let role = try #require(
            objects.first {
                $0["kind"] == "Role" && $0.at("metadata", "name") == "apps-a-todo-operator-leader-election"
            })
        #expect(role["rules"]?.array?.compactMap { $0["resourceNames"] } == [[.string(lease)]])
        let deployment = try #require(objects.first { $0["kind"] == "Deployment" })
        let arguments = deployment.at("spec", "template", "spec", "containers")?[0]?["args"]?.array ?? []
        let named = arguments.compactMap(\.string).first { $0.hasPrefix("--lease-name=") }
        #expect(named == option.map { "--lease-name=\($0)" })
    }

    @Test func theMonitoringIsThatOfTheComponent() async throws {
        let file = Command.repository.appending(path: "manifests/components/monitoring/monitoring.yaml").path
        let values: JSON = ["serviceMonitor": ["enabled": true], "prometheusRule": ["enabled": true]]
        let rendered = try Self.byName(try await helm.template(values))
        let expected = try Self.byName(try YAML.parse(Command.text(of: file)))
        #expect(expected.count == 2)
        for (name, text) in expected { #expect(rendered[name] == text, "\(name)") }
    }

    @Test func theCRDsAreUpgradedWithTheChartAndStayWhenItGoes() async throws {
        let crds = try await helm.template([:]).filter { $0["kind"] == "CustomResourceDefinition" }
        #expect(!crds.isEmpty)
        for crd in crds { #expect(crd.at("metadata", "annotations", "helm.sh/resource-policy") == "keep") }
        #expect(!FileManager.default.fileExists(atPath: "\(Helm.chart)/crds"))

        let cluster = try await TestCluster.start()
        _ = try await cluster.client.create(
            KubernetesObject(["metadata": ["name": "todo-system"]]), .namespaces, namespace: nil)
        try await helm.upgrade(["replicas": 0], kubeconfig: cluster.kubeconfig)
        try await helm.upgrade(["replicas": 0, "rbac": ["watchSecrets": true]], kubeconfig: cluster.kubeconfig)
        let deployment = try await cluster.client.get(
            .deployments, namespace: "todo-system", name: "todo-operator", subresource: nil)
        #expect(deployment.spec?["replicas"] == 0)
        try await helm.uninstall(kubeconfig: cluster.kubeconfig)
        #expect(
            try await cluster.client.getIfPresent(.deployments, namespace: "todo-system", name: "todo-operator") == nil)
        for crd in crds {
            let name = crd.at("metadata", "name")?.string ?? ""
            #expect(
                try await cluster.client.getIfPresent(.customResourceDefinitions, namespace: nil, name: name) != nil)
        }
        try await cluster.stop()
    }

    @Test func withDefaultsAndWithEveryValueSetTheObjectsAreValid() async throws {
        for values in [[:], Self.everything] as [JSON] {
            #expect(try await Schemas.faults(in: try await helm.template(values)) == "")
        }
        var allOn = Self.everything
        for toggle in [
            "rbac.create", "rbac.aggregate", "crds.install", "podDisruptionBudget.enabled", "networkPolicy.enabled",
        ] {
            let parts = toggle.split(separator: ".").map(String.init)
            allOn.set(true, at: parts[0], parts[1])
        }
        #expect(try await Schemas.faults(in: try await helm.template(allOn)) == "")
    }

    @Test func everyValueDoesSomething() async throws {
        let defaults = try YAML.parse(Command.text(of: "\(Helm.chart)/values.yaml"))[0]
        let known = Self.leaves(of: defaults, like: defaults)
        #expect(
            Set(known.map(\.path)) == Set(Self.leaves(of: Self.everything, like: defaults).map(\.path)),
            "the values of this test and of values.yaml are not the same")
        for (path, value) in Self.leaves(of: Self.everything, like: defaults) {
            let before = Self.companions[path.joined(separator: ".")] ?? [:]
            let after = Self.setting(value, at: path, in: before)
            let change = try await Self.text(helm.template(after)) != Self.text(helm.template(before))
            #expect(change, "\(path.joined(separator: ".")) changes nothing")
        }
    }

    @Test(
        arguments: [
            ["replica": 3], ["replicas": "two"], ["workers": 0], ["logLevel": "verbose"],
            ["image": ["digest": "sha256:12"]], ["watchNamespace": "a,b"], ["inheritedLabels": ["*"]],
            ["rbac": ["clusterAdmin": true]],
            ["serviceAccount": ["create": false]], ["resources": ["claims": []]],
        ] as [JSON])
    func aValueThatIsNoneOrWrongIsRefused(values: JSON) async throws {
        await #expect(throws: Helm.Refusal.self) { try await helm.template(values) }
    }

    @Test func theChartIsOfTheReleaseOfTheProgram() async throws {
        let chart = try YAML.parse(Command.text(of: "\(Helm.chart)/Chart.yaml"))[0]
        let version = try await Command.run(Command.todo, ["--version"]).out.trimmingCharacters(in: .newlines)
        #expect(chart["version"]?.string == version && chart["appVersion"]?.string == version)
    }
}

extension HelmChartTests {
    /// By kind and name, in one form and without what only Helm puts there.
    fileprivate static func byName(_ objects: [JSON]) throws -> [String: String] {
        try objects.reduce(into: [:]) { found, object in
            let names = [object["kind"], object.at("metadata", "namespace"), object.at("metadata", "name")]
            let name = names.compactMap { $0?.string }.joined(separator: " ")
            found[name] = String(decoding: try plain(object).canonical(), as: UTF8.self)
        }
    }

    private static func plain(_ object: JSON) -> JSON {
        var object = object
        for path in [["metadata"], ["spec", "template", "metadata"]] {
            for label in ["helm.sh/chart", "app.kubernetes.io/managed-by"] {
                guard path.reduce(Optional(object), { $0?[$1] })?.at("labels", label) != nil else { continue }
                object = removing(path + ["labels", label], from: object)
            }
        }
        if object.at("metadata", "annotations", "helm.sh/resource-policy") != nil {
            object = removing(["metadata", "annotations"], from: object)
        }
        return object
    }

    private static func removing(_ path: [String], from object: JSON) -> JSON {
        guard let first = path.first else { return object }
        var object = object
        object[first] = path.count == 1 ? Optional.none : removing(Array(path.dropFirst()), from: object[first] ?? [:])
        return object
    }

    fileprivate static func text(_ objects: [JSON]) -> String { YAML.write(documents: objects) }

    /// The members that are no objects, or that hold whatever a user likes.
    fileprivate static func leaves(of value: JSON, like defaults: JSON) -> [(path: [String], value: JSON)] {
        (value.object ?? [:]).flatMap { key, member -> [(path: [String], value: JSON)] in
            guard let inner = defaults[key]?.object, !inner.isEmpty, key != "resources" else {
                return [([key], member)]
            }
            return leaves(of: member, like: defaults[key] ?? [:]).map { ([key] + $0.path, $0.value) }
        }
    }

    fileprivate static func setting(_ value: JSON, at path: [String], in values: JSON) -> JSON {
        guard let first = path.first else { return value }
        var values = values
        values[first] = setting(value, at: Array(path.dropFirst()), in: values[first] ?? [:])
        return values
    }
}
