import ChildProcess
import Foundation
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
