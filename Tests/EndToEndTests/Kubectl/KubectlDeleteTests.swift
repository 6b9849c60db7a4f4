import ChildProcess
import Testing

/// Deletion follows owners, finalizers and namespaces.
@Suite(.needsKubectl, .loadsProcessors) struct KubectlDeleteTests {
    @Test(arguments: Kubectl.installed)
    func dependentsGoFirstLastOrNotAtAll(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("cascade", path: path)
        func delete(_ cascade: String) async throws -> String {
            let owner = "owner-\(cascade)"
            try await kubectl.expect("create", "configmap", owner)
            let uid = try await kubectl.expect("get", "cm", owner, "-o", "jsonpath={.metadata.uid}")
            let child = """
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  name: child-\(cascade)
                  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: \(owner), uid: \(uid), blockOwnerDeletion: true}]

                """
            try await kubectl.expect("create", "-f", "-", input: child)
            try await kubectl.expect("delete", "cm", owner, "--cascade=\(cascade)", "--wait", prints: ["deleted"])
            try await kubectl.expect("get", "cm", owner, prints: ["(NotFound)"], exits: 1)
            return "child-\(cascade)"
        }
        // The owner is there until its dependents are gone.
        try await kubectl.expect("get", "cm", delete("foreground"), prints: ["(NotFound)"], exits: 1)
        try await kubectl.expect("wait", "--for=delete", "cm/\(delete("background"))", "--timeout=120s")
        let orphan = try await delete("orphan")
        let owners = "jsonpath=<{.metadata.ownerReferences}>"
        try await kubectl.expect("get", "cm", orphan, "-o", owners, prints: ["<>"])

        try await kubectl.expect("create", "-f", "-", input: Samples.deployment)
        try await kubectl.expect("wait", "--for=condition=Available", "deploy/web", "--timeout=120s")
        try await kubectl.expect("delete", "deploy", "web", "--cascade=orphan", prints: ["deleted"])
        try await kubectl.expect(
            "get", "rs", "-l", "app=web", "-o", "jsonpath=<{.items[*].metadata.ownerReferences}>", prints: ["<>"])
        // A new Deployment takes the ReplicaSet over.
        try await kubectl.expect("create", "-f", "-", input: Samples.deployment)
        try await kubectl.expect(
            "wait", "--for=jsonpath={.metadata.ownerReferences[0].name}=web", "rs", "-l", "app=web", "--timeout=120s")
        try await kubectl.expect("delete", "deploy", "web", "--cascade=foreground", prints: ["deleted"])
        try await kubectl.expect("get", "rs", prints: ["No resources found"])
    }

    @Test(arguments: Kubectl.installed)
    func whatIsHeldStaysUntilItIsReleased(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("delete", path: path)
        try await kubectl.expect("create", "configmap", "held")
        try await kubectl.expect(
            "patch", "cm", "held", "--type=merge", "-p", #"{"metadata":{"finalizers":["test.example/hold"]}}"#)
        try await kubectl.expect("delete", "cm", "held", "--wait=false", prints: ["deleted"])
        try await kubectl.expect("get", "cm", "held", "-o", "jsonpath={.metadata.deletionTimestamp}", prints: ["T"])
        let waiting = try await kubectl.start("delete", "cm", "held", "--wait", "--timeout=120s")
        _ = try await waiting.line(matching: /(configmap "held" deleted)/)
        #expect(waiting.isRunning)
        try await kubectl.expect("patch", "cm", "held", "--type=merge", "-p", #"{"metadata":{"finalizers":null}}"#)
        #expect(try await waiting.exit() == .exited(0), "\(waiting.output)")

        for name in ["a", "b", "c"] { try await kubectl.expect("create", "configmap", name) }
        try await kubectl.expect("label", "cm", "a", "b", "go=yes")
        try await kubectl.expect(
            "delete", "cm", "-l", "go=yes", "--dry-run=server", prints: ["\"a\" deleted (server dry run)"])
        try await kubectl.expect("delete", "cm", "-l", "go=yes", prints: ["\"a\" deleted", "\"b\" deleted"])
        let left = try await kubectl.expect("get", "cm", "-o", "name")
        #expect(left == "configmap/c\nconfigmap/kube-root-ca.crt\n")
        try await kubectl.expect(
            "delete", "namespace", kubectl.namespace, "--wait", "--timeout=120s", prints: ["deleted"])
        try await kubectl.expect("get", "ns", kubectl.namespace, prints: ["(NotFound)"], exits: 1)
    }
}
