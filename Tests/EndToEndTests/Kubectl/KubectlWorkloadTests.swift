import Testing

/// rollout and scale, on pods that run.
@Suite(.needsKubectl, .loadsProcessors) struct KubectlWorkloadTests {
    @Test(arguments: Kubectl.installed)
    func deploymentsRollForwardAndBack(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("roll", path: path)
        func rolledOut() async throws {
            try await kubectl.expect(
                "rollout", "status", "deploy/talker", "--timeout=120s",
                prints: ["deployment \"talker\" successfully rolled out"])
        }
        try await kubectl.expect("apply", "-f", "-", input: Samples.lease(holder: "nobody"))
        let talker = Samples.talker(namespace: kubectl.namespace, kubeconfig: kubectl.kubeconfig)
        try await kubectl.expect("apply", "-f", "-", input: talker)
        try await rolledOut()
        try await kubectl.expect("get", "pods", prints: ["talker-", "1/1", "Running"])
        let first = try await kubectl.expect("get", "pods", "-o", "jsonpath={.items[*].metadata.name}")

        try await kubectl.expect(
            "set", "image", "deploy/talker", "operator=ghcr.io/todo-operator/todo:2", prints: ["image updated"])
        try await rolledOut()
        try await kubectl.expect("wait", "--for=delete", "pod/\(first)", "--timeout=120s")
        try await kubectl.expect("rollout", "history", "deploy/talker", prints: ["REVISION", "\n1 ", "\n2 "])
        try await kubectl.expect(
            "rollout", "history", "deploy/talker", "--revision=2", prints: ["Image:", "todo-operator/todo:2"])
        try await kubectl.expect("rollout", "undo", "deploy/talker", prints: ["rolled back"])
        try await rolledOut()
        try await kubectl.expect(
            "get", "deploy", "talker", "-o", "jsonpath={..image}", prints: ["todo-operator/todo:1"])
        let history = try await kubectl.expect("rollout", "history", "deploy/talker", prints: ["\n2 ", "\n3 "])
        #expect(!history.contains("\n1 "), "a revision that is rolled back to becomes the newest: \(history)")
        try await kubectl.expect(
            "rollout", "undo", "deploy/talker", "--to-revision=99", prints: ["unable to find specified revision 99"],
            exits: 1)

        try await kubectl.expect("rollout", "pause", "deploy/talker", prints: ["paused"])
        try await kubectl.expect(
            "rollout", "restart", "deploy/talker", prints: ["can't restart paused deployment"], exits: 1)
        try await kubectl.expect("rollout", "resume", "deploy/talker", prints: ["resumed"])
        try await kubectl.expect("rollout", "restart", "deploy/talker", prints: ["restarted"])
        try await rolledOut()
        try await kubectl.expect("rollout", "history", "deploy/talker", prints: ["\n3 ", "\n4 "])
    }

    @Test(arguments: Kubectl.installed)
    func replicasAreScaled(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("scale", path: path)
        try await kubectl.expect("apply", "-f", "-", input: Samples.lease(holder: "nobody"))
        let talker = Samples.talker(namespace: kubectl.namespace, kubeconfig: kubectl.kubeconfig)
        try await kubectl.expect("apply", "-f", "-", input: talker)
        try await kubectl.expect(
            "scale", "deploy/talker", "--current-replicas=5", "--replicas=2",
            prints: ["Expected replicas to be 5, was 1"], exits: 1)
        try await kubectl.expect("scale", "deploy/talker", "--replicas=2", prints: ["deployment.apps/talker scaled"])
        try await kubectl.expect(
            "wait", "--for=jsonpath={.status.readyReplicas}=2", "deploy/talker", "--timeout=120s",
            prints: ["condition met"])
        try await kubectl.expect("get", "deploy", "talker", prints: ["2/2"])
        try await kubectl.expect("scale", "deploy/talker", "--replicas=0", prints: ["scaled"])
        try await kubectl.expect("wait", "--for=delete", "pod", "-l", "app=talker", "--timeout=120s")
        try await kubectl.expect("get", "pods", prints: ["No resources found"])
        try await kubectl.expect("scale", "deploy/talker", "--replicas=-1", prints: ["error"], exits: 1)
    }
}
