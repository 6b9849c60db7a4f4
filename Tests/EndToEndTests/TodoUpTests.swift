import ChildProcess
import Foundation
import Testing

/// The main job: one command, a `TodoApp` that becomes Ready, tasks over HTTP, and all of it again after a restart.
@Suite(.serialized) struct TodoUpTests {
    @Test func theAppIsReadyAndTheTaskOutlivesARestart() async throws {
        let data = try TemporaryFolder()
        // A PostgreSQL that runs as another user must be able to enter.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: data.url.path)
        let arguments = ["up", "--data-dir", data.url.path, "--port", "0"]

        let first = try await BackgroundProcess.start(Command.todo, arguments)
        let curl = try await first.line(matching: /(?m)^\s*(curl .*POST.*)$/, within: .seconds(120))
        let made = try await Command.run("sh", ["-c", curl])
        #expect(made.out.contains("Try todo-operator"), "\(made)")
        let list = try await first.line(matching: /(?m)^\s*(curl (?!.*POST).*tasks.*)$/)
        let listed = try await Command.run("sh", ["-c", list])
        #expect(listed.out.contains("Try todo-operator"), "\(listed)")

        let kubeconfig = data.url.appending(path: "kubeconfig").path
        let mode = try FileManager.default.attributesOfItem(atPath: kubeconfig)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        if let path = Kubectl.installed.last {
            let kubectl = try Kubectl(path: path, kubeconfig: kubeconfig)
            let ready = try await kubectl(
                "wait", "--for=condition=Ready", "todoapp/todo", "-n", "todo", "--timeout=30s")
            #expect(ready.status == 0, "\(ready)")
            let table = try await kubectl("get", "tda", "-n", "todo")
            #expect(table.out.contains("READY") && table.out.contains("True") && table.out.contains("URL"), "\(table)")
        }
        #expect(try await first.stop(SIGINT) == .exited(0), "\(first.output)")

        let second = try await BackgroundProcess.start(Command.todo, arguments)
        let again = try await second.line(matching: /(?m)^\s*(curl (?!.*POST).*tasks.*)$/, within: .seconds(60))
        let kept = try await Command.run("sh", ["-c", again])
        #expect(kept.out.contains("Try todo-operator"), "\(kept)")
        try await second.stop(SIGINT)
    }

    @Test(.enabled(if: !Kubectl.installed.isEmpty, "kubectl is not on PATH"))
    func podsAreRolledScaledAndReadByKubectl() async throws {
        let data = try TemporaryFolder()
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: data.url.path)
        let up = try await BackgroundProcess.start(Command.todo, ["up", "--data-dir", data.url.path, "--port", "0"])
        _ = try await up.line(matching: /(?m)^\s*(curl .*POST.*)$/, within: .seconds(120))
        let kubectl = try Kubectl(
            path: Kubectl.installed.last ?? "", kubeconfig: data.url.appending(path: "kubeconfig").path)
        func expect(_ arguments: String..., prints texts: [String], sourceLocation: SourceLocation = #_sourceLocation)
            async throws
        {
            let result = try await kubectl.run(["-n", "todo"] + arguments)
            #expect(result.status == 0, "\(result)", sourceLocation: sourceLocation)
            for text in texts {
                #expect(
                    (result.out + result.err).contains(text), "misses \(text): \(result)",
                    sourceLocation: sourceLocation)
            }
        }
        try await expect("rollout", "status", "deploy/todo-api", "--timeout=60s", prints: ["successfully rolled out"])
        try await expect("rollout", "restart", "deploy/todo-api", prints: ["restarted"])
        try await expect("rollout", "status", "deploy/todo-api", "--timeout=60s", prints: ["successfully rolled out"])
        try await expect("get", "pods", prints: ["todo-api-", "1/1", "Running"])
        try await expect("logs", "deploy/todo-api", "--tail=20", prints: ["\"level\""])
        try await expect("describe", "todoapp", "todo", prints: ["AllReady", "Created Deployment todo/todo-api"])
        try await expect("get", "events", prints: ["ScalingReplicaSet"])
        // What somebody else changes is put back.
        try await expect("scale", "deploy/todo-api", "--replicas=0", prints: ["scaled"])
        try await expect(
            "wait", "--for=jsonpath={.spec.replicas}=2", "deploy/todo-api", "--timeout=20s", prints: ["condition met"])
        // And what the user changes is done.
        try await expect(
            "patch", "tda", "todo", "--type=merge", "-p",
            #"{"spec":{"services":{"api":{"replicas":1}},"networkPolicy":"Disabled"}}"#,
            prints: ["patched"])
        try await expect(
            "wait", "--for=jsonpath={.spec.replicas}=1", "deploy/todo-api", "--timeout=20s", prints: ["condition met"])
        try await expect("wait", "--for=delete", "networkpolicy/todo-api", "--timeout=20s", prints: [])
        try await expect("delete", "tda", "todo", "--wait", "--timeout=30s", prints: ["deleted"])
        try await expect("wait", "--for=delete", "deploy/todo-api", "--timeout=60s", prints: [])
        try await up.stop(SIGINT)
    }
}
