import ChildProcess
import Foundation
import HTTPTypes
import KubernetesClient
import StructuredData
import Testing

/// The main job: one command, a `TodoApp` that becomes Ready, tasks over HTTP, and all of it again after a restart.
@Suite(.inTime) struct TodoUpTests {
    @Test func theAppIsReadyWithinTenSecondsAndTheTaskOutlivesARestart() async throws {
        try await LoadGate.shared.alone {
            let data = try TemporaryFolder()
            let (first, firstStart) = try await Self.start(data)
            let made = try await first.task(printedAs: /(?m)^ +(curl .*-X POST .*)$/)
            #expect(made["title"] == "Try todo-operator")
            #expect(try await first.tasks() == [made])
            let mode = try FileManager.default.attributesOfItem(atPath: first.kubeconfig)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(try await first.process.stop(SIGINT) == .exited(0), "\(first.process.output)")

            let (second, secondStart) = try await Self.start(data)
            #expect(try await second.tasks() == [made])
            #expect(try await second.process.stop(SIGTERM) == .exited(0), "\(second.process.output)")
            print("todo up: ready after \(firstStart.inSeconds), on data that is there after \(secondStart.inSeconds)")
            #expect(firstStart < .seconds(10) && secondStart < .seconds(10))
        }
    }

    /// With how long it took until the TodoApp was Ready and the program had said how to use it.
    private static func start(_ data: TemporaryFolder) async throws -> (TodoUp, Duration) {
        let start = ContinuousClock.now
        let up = try await TodoUp.start(data)
        let elapsed = ContinuousClock.now - start
        let app = try await up.client.get(.todoApps, namespace: "todo", name: "todo")
        #expect(app.isReady, "\(app.json.text)")
        return (up, elapsed)
    }

    @Test(.loadsProcessors) func withoutAFileTheAppsOfBeforeGoOnAsPeopleHaveLeftThem() async throws {
        let data = try TemporaryFolder()
        let first = try await TodoUp.start(
            data,
            app: [
                "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp",
                "metadata": ["name": "mine", "namespace": "team"],
                "spec": ["auth": ["signUp": "Open"], "services": ["api": ["replicas": 1]]],
            ])
        let made = try await first.task(printedAs: /(?m)^ +(curl .*-X POST .*)$/)
        _ = try await first.client.patch(
            .todoApps, namespace: "team", name: "mine", .merge(["spec": ["auth": ["signUp": "Closed"]]]))
        // Nobody but this command knows what is in it.
        try await first.client.delete(.secrets, namespace: "team", name: "mine-db")
        #expect(try await first.process.stop(SIGINT) == .exited(0), "\(first.process.output)")

        let port = try ListeningSocket().port
        let second = try await TodoUp.start(data, port: port)
        let apps = try await second.client.listAll(.todoApps).items
        #expect(apps.map(\.name) == ["mine"])
        #expect(apps.first?.json.at("spec", "auth", "signUp") == "Closed")
        #expect(apps.first?.json.at("spec", "web", "url") == .string("http://127.0.0.1:\(port)"))
        #expect(try await second.tasks() == [made])
        #expect(try await second.process.stop(SIGINT) == .exited(0), "\(second.process.output)")
    }

    /// Both apps wait for a Secret: how to get to the cluster, and so make it, is told before.
    @Test(.loadsProcessors) func aFileMayHoldKindsAndAppsAndOneThatIsDeletedEndsNothing() async throws {
        let folder = try TodoUpRefusalsTests.folder()
        let apps = ["one", "two"].map { name in
            """
            apiVersion: todo-operator.dev/v1alpha1
            kind: TodoApp
            metadata: {name: \(name), namespace: team}
            spec:
              notifications: {email: {host: mail.example.com, from: todo@example.com, secretRef: {name: login}}}

            """
        }
        let file = folder.url.appending(path: "all.yaml")
        try ([Samples.widget("w", spec: "{size: small}"), Samples.widgets] + apps).joined(separator: "---\n")
            .write(to: file, atomically: true, encoding: .utf8)
        let port = try ListeningSocket().port
        let up = try await BackgroundProcess.start(
            Command.todo, ["up", "--data-dir", folder.url.path, "--port", "\(port)", "-f", file.path])
        let kubeconfig = try await up.line(matching: /(?m)^the cluster is up; export KUBECONFIG=(\S+)$/)
        let client = KubernetesClient(configuration: try ClusterConfiguration.load(kubeconfig: kubeconfig))
        let widgets = ResourceType(group: "test.example", version: "v1", kind: "Widget", plural: "widgets")
        #expect(try await client.get(widgets, namespace: "default", name: "w").spec?["size"] == "small")
        let urls = try await client.listAll(.todoApps).items.map { $0.json.at("spec", "web", "url")?.string ?? "none" }
        #expect(urls == ["http://127.0.0.1:\(port)", "none"], "the port leads to the first")
        try await client.delete(.todoApps, namespace: "team", name: "one")
        _ = try await up.line(matching: /(team\/one was deleted)/)
        #expect(try await client.listAll(.todoApps).items.map(\.name) == ["two"])
        #expect(try await up.stop(SIGINT) == .exited(0), "\(up.output)")
    }

    /// People set it for the world outside, and seldom say what is not there.
    @Test(.loadsProcessors) func servicesAskEachOtherPastEveryProxy() async throws {
        let service: JSON = ["replicas": 1, "env": [["name": "http_proxy", "value": "http://127.0.0.1:1"]]]
        let up = try await TodoUp.start(
            app: [
                "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp",
                "metadata": ["name": "todo", "namespace": "todo"],
                "spec": [
                    "services": ["api": service, "audit": service, "notification": service, "realtime": service]
                ],
            ])
        let user = APIUser(site: up.address, email: "", id: "", token: up.token)
        // To the service and, for who asks, back to the api.
        for path in ["/v1/audit", "/v1/channels"] { try await user.insist(.get, path) }
        let replica = LiveReplica(of: user)
        let following = Task { await replica.run() }
        try await user.insist(.post, "/v1/tasks", ["title": "live"])
        _ = try await eventually(within: .seconds(120), "it is seen live; it said: \(up.process.output)") {
            replica.now.tasks.isEmpty ? nil : true
        }
        following.cancel()
        await following.value
        try await up.process.stop(SIGINT)
    }

    @Test(.needsKubectl, .loadsProcessors) func podsAreRolledScaledAndReadByKubectl() async throws {
        let up = try await TodoUp.start()
        let path = try #require(Kubectl.installed.last)
        let kubectl = try Kubectl(path: path, kubeconfig: up.kubeconfig, namespace: "todo")
        func waitFor(_ what: String, _ object: String) async throws {
            try await kubectl.expect("wait", "--for=\(what)", object, "--timeout=120s", prints: ["condition met"])
        }
        try await waitFor("condition=Ready", "todoapp/todo")
        try await kubectl.expect("get", "tda", prints: ["READY", "True", "VERSION", "URL", "AGE"])
        try await kubectl.expect("explain", "todoapp.spec.database", prints: ["secretRef"])
        for _ in 0..<2 {
            try await kubectl.expect(
                "rollout", "status", "deploy/todo-api", "--timeout=120s", prints: ["successfully rolled out"])
            try await kubectl.expect("rollout", "restart", "deploy/todo-api", prints: ["restarted"])
        }
        try await kubectl.expect("rollout", "status", "deploy/todo-api", "--timeout=120s")
        try await kubectl.expect("get", "pods", prints: ["todo-api-", "1/1", "Running"])
        try await kubectl.expect("logs", "deploy/todo-api", "--tail=20", prints: ["\"level\""])
        try await kubectl.expect(
            "describe", "todoapp", "todo",
            prints: ["AllReady", "Deployment todo-api, todo-audit", "Kafka todo"])
        try await kubectl.expect("get", "events", prints: ["ScalingReplicaSet"])
        // What somebody else changes is put back.
        try await kubectl.expect("scale", "deploy/todo-api", "--replicas=0", prints: ["scaled"])
        try await waitFor("jsonpath={.spec.replicas}=2", "deploy/todo-api")
        // And what the user changes is done.
        let change = #"{"spec":{"services":{"api":{"replicas":1}},"networkPolicy":"Disabled"}}"#
        try await kubectl.expect("patch", "tda", "todo", "--type=merge", "-p", change, prints: ["patched"])
        try await waitFor("jsonpath={.spec.replicas}=1", "deploy/todo-api")
        try await kubectl.expect("wait", "--for=delete", "networkpolicy/todo-api", "--timeout=120s")
        try await kubectl.expect("delete", "tda", "todo", "--wait", "--timeout=120s", prints: ["deleted"])
        try await kubectl.expect("wait", "--for=delete", "deploy/todo-api", "--timeout=120s")
        try await up.process.stop(SIGINT)
    }
}

extension TodoUp {
    /// Runs the line that it printed, as it is, and gives the JSON of the answer.
    fileprivate func task(printedAs pattern: Regex<(Substring, Substring)>) async throws -> JSON {
        let line = try await process.line(matching: pattern)
        let result = try await Command.run("sh", ["-c", line])
        #expect(result.status == 0, "\(result)")
        return try JSON(parsing: result.out)
    }

    /// What the printed line lists.
    fileprivate func tasks() async throws -> [JSON] {
        let answer = try await task(printedAs: /(?m)^ +(curl (?!.*POST).*\/tasks .*)$/)
        return answer["items"]?.array ?? []
    }
}
