import ChildProcess
import Testing

/// What goes on while things change: get -w, wait, logs -f.
@Suite(.needsKubectl, .loadsProcessors) struct KubectlFollowTests {
    @Test(arguments: Kubectl.installed)
    func aWatchShowsEachChangeAsItHappens(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("watch", path: path)
        try await kubectl.expect("create", "configmap", "old", "--from-literal=a=1")
        let watch = try await kubectl.start("get", "cm", "-w", "--output-watch-events")
        _ = try await watch.line(matching: /(?m)^(ADDED +old +1)\b/)
        try await kubectl.expect("create", "configmap", "new")
        _ = try await watch.line(matching: /(?m)^(ADDED +new +0)\b/)
        try await kubectl.expect("patch", "cm", "new", "--type=merge", "-p", #"{"data":{"a":"1","b":"2"}}"#)
        _ = try await watch.line(matching: /(?m)^(MODIFIED +new +2)\b/)
        try await kubectl.expect("delete", "cm", "new")
        _ = try await watch.line(matching: /(?m)^(DELETED +new +2)\b/)
        try await watch.stop()
        let events = watch.output.split(separator: "\n").filter { $0.contains(" new ") }
            .map { $0.split(separator: " ")[0] }
        #expect(events == ["ADDED", "MODIFIED", "DELETED"], "\(watch.output)")

        // Leaving what a selector takes in is shown as a deletion.
        try await kubectl.expect("label", "cm", "old", "in=yes")
        let selected = try await kubectl.start("get", "cm", "-w", "--output-watch-events", "-l", "in=yes")
        _ = try await selected.line(matching: /(?m)^(ADDED +old)\b/)
        try await kubectl.expect("label", "cm", "old", "in=no", "--overwrite")
        _ = try await selected.line(matching: /(?m)^(DELETED +old)\b/)
        try await selected.stop()
    }

    @Test(arguments: Kubectl.installed)
    func waitEndsWhenItComesTrueAndNotBefore(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("wait", path: path)
        try await kubectl.expect("create", "-f", "-", input: Samples.deployment)
        try await kubectl.expect(
            "wait", "--for=condition=Available", "deploy/web", "--timeout=120s",
            prints: ["deployment.apps/web condition met"])
        try await kubectl.expect("create", "configmap", "c", "--from-literal=a=1")
        for (target, change) in [
            ("--for=jsonpath={.data.a}=2", ["patch", "cm", "c", "-p", #"{"data":{"a":"2"}}"#]),
            ("--for=delete", ["delete", "cm", "c"]),
        ] {
            try await kubectl.expectTimeout(
                "wait", target, "cm/c", prints: "timed out waiting for the condition on configmaps/c")
            let waiting = try await kubectl.start("wait", target, "cm/c", "--timeout=120s")
            let changed = try await kubectl.run(change)
            #expect(changed.status == 0, "\(changed)")
            #expect(try await waiting.exit() == .exited(0), "\(waiting.output)")
        }
        try await kubectl.expect(
            "wait", "--for=condition=Ready", "pod/none", "--timeout=20s", prints: ["(NotFound)"], exits: 1)
    }

    @Test(arguments: Kubectl.installed)
    func logsAreFollowedUntilThePodIsGone(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("logs", path: path)
        func lead(_ holder: String) async throws {
            try await kubectl.expect("apply", "-f", "-", input: Samples.lease(holder: holder))
        }
        try await lead("ann")
        let talker = Samples.talker(namespace: kubectl.namespace, kubeconfig: kubectl.kubeconfig)
        try await kubectl.expect("create", "-f", "-", input: talker)
        try await kubectl.expect(
            "rollout", "status", "deploy/talker", "--timeout=120s", prints: ["successfully rolled out"])
        let pod = try await kubectl.expect("get", "pods", "-o", "jsonpath={.items[0].metadata.name}")

        let follower = try await kubectl.start("logs", "-f", pod)
        _ = try await follower.line(matching: /"msg":"another process leads","holder":"(ann)"/)
        #expect(!follower.output.contains("ben"))
        try await lead("ben")
        _ = try await follower.line(matching: /"msg":"another process leads","holder":"(ben)"/)
        let first = try await kubectl.expect("logs", pod, "--limit-bytes=8")
        #expect(first.utf8.count == 8)
        let tail = try await kubectl.expect("logs", "deploy/talker", "--tail=2", "--timestamps")
        #expect(
            tail.split(separator: "\n").filter { $0.wholeMatch(of: /\d{4}-\d\d-\d\dT\S+Z \{.*\}/) != nil }.count == 2,
            "\(tail)")
        try await kubectl.expect("logs", pod, "-c", "none", prints: ["container none is not valid"], exits: 1)
        try await kubectl.expect("logs", pod, "--previous", prints: ["previous terminated container"], exits: 1)

        try await kubectl.expect("delete", "deploy", "talker", prints: ["deleted"])
        #expect(try await follower.exit() == .exited(0), "\(follower.output)")
        try await kubectl.expect("wait", "--for=delete", "pod/\(pod)", "--timeout=120s")
        try await kubectl.expect("logs", pod, prints: ["(NotFound)"], exits: 1)
    }
}
