import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

@Suite(.timeLimit(.minutes(10))) struct InheritedLabelsTests {
    private static let labels: [String: String] = [
        "team": "ops", "costs.example.com/centre": "42", "example.com/other": "x",
        "argocd.argoproj.io/instance": "apps", "app.kubernetes.io/instance": "not-ours",
        "app.kubernetes.io/version": "7", "todo-operator.dev/binding": "b", "strimzi.io/cluster": "theirs",
    ]

    private static func app(inheriting patterns: String) throws -> TodoApp {
        var object = MergePatch.apply(
            ["spec": ["web": ["host": "a.example", "ingress": [:]], "monitoring": ["serviceMonitor": "Enabled"]]],
            to: DesiredStateTests.minimal)
        object.set(JSON(labels), at: "metadata", "labels")
        var app = try TodoApp(validating: object)
        app.inheritedLabels = try InheritedLabels(patterns).labels(of: app)
        return app
    }

    @Test func whatIsOnTheListIsCopiedAndNothingElse() throws {
        #expect(try Self.app(inheriting: "").inheritedLabels == [:])
        #expect(
            try Self.app(inheriting: "team, costs.example.com/*,missing").inheritedLabels
                == ["team": "ops", "costs.example.com/centre": "42"])
    }

    @Test func aLabelThatTheOperatorGoesByIsNeverTakenFromTheApp() throws {
        let patterns = "app.kubernetes.io/*,todo-operator.dev/*,strimzi.io/cluster"
        for child in DesiredState.children(of: try Self.app(inheriting: patterns), inputs: DesiredStateInputs()) {
            let labels = child.at("metadata", "labels")
            #expect(labels?["app.kubernetes.io/instance"] == "todo" && labels?["app.kubernetes.io/version"] == "7")
            #expect(labels?["strimzi.io/cluster"] != "theirs" && labels?["todo-operator.dev/binding"] == nil)
        }
    }

    @Test func everyObjectAndEveryPodHasThemAndNoSelector() throws {
        let children = DesiredState.children(of: try Self.app(inheriting: "team"), inputs: DesiredStateInputs())
        #expect(children.count > 20)
        for child in children {
            #expect(child.at("metadata", "labels", "team") == "ops", "\(child["kind"] ?? "")")
            guard var spec = child["spec"] else { continue }
            if child["kind"] == "Deployment" {
                #expect(spec.at("template", "metadata", "labels", "team") == "ops")
                spec.set(nil, at: "template", "metadata")
            }
            #expect(!spec.text.contains(#""team":"#), "\(child["kind"] ?? "")")
        }
    }

    @Test(arguments: ["*", "a/b/c", "Example.com/*", "a/*/b", "-x", "example.com/"])
    func aPatternThatIsNoneIsRefused(pattern: String) {
        #expect(throws: InheritedLabels.InvalidPattern.self) { try InheritedLabels(pattern) }
    }

    @Test func theyFollowTheApp() async throws {
        let list = try InheritedLabels("team")
        let cluster = try await OperatorHarness { $0.inheritedLabels = list }
        try await cluster.whileRunning {
            try await cluster.install()
            try await cluster.whenReason(.rollingOut)
            #expect(
                try await cluster.find(OperatorHarness.services, "todo-api")?.at("metadata", "labels", "team") == nil)
            try await cluster.patch(
                TodoGroup.todoApp, "todo",
                ["metadata": ["labels": ["team": "ops", "argocd.argoproj.io/instance": "apps"]]])
            let deployment = try await eventually("the pods have the label") {
                let found = try await cluster.find(DesiredState.deploymentType, "todo-api")
                return found?.at("spec", "template", "metadata", "labels", "team") == "ops" ? found : nil
            }
            #expect(deployment.at("metadata", "labels", "argocd.argoproj.io/instance") == nil)
            #expect(
                try await cluster.find(OperatorHarness.services, "todo-api")?.at("metadata", "labels", "team") == "ops")
            try await cluster.patch(TodoGroup.todoApp, "todo", ["metadata": ["labels": ["team": .null]]])
            _ = try await eventually("it goes again") {
                let found = try await cluster.find(DesiredState.deploymentType, "todo-api")
                return found?.at("spec", "template", "metadata", "labels", "team") == nil ? true : nil
            }
        }
    }
}
