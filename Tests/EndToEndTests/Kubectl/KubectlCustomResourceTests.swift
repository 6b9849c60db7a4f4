import ChildProcess
import Testing

/// Kinds that a CustomResourceDefinition adds.
@Suite(.needsKubectl, .loadsProcessors) struct KubectlCustomResourceTests {
    @Test(arguments: Kubectl.installed)
    func customResourcesAreValidatedDefaultedAndWaitedFor(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("custom", path: path)
        try await kubectl.expect("apply", "--server-side", "--force-conflicts", "-f", "-", input: Samples.widgets)
        try await kubectl.expect("wait", "--for=condition=Established", "crd/widgets.test.example", "--timeout=120s")
        func apply(_ spec: String, prints text: String, exits status: Int32 = 0) async throws {
            try await kubectl.expect(
                "apply", "-f", "-", input: Samples.widget("w", spec: spec), prints: [text], exits: status)
        }
        try await apply("{size: small}", prints: "widget.test.example/w created")
        try await kubectl.expect("get", "wd", "w", "-o", "jsonpath=<{.spec.replicas}>", prints: ["<1>"])
        try await kubectl.expect("get", "wd", prints: ["NAME", "SIZE", "small"])
        try await apply("{size: huge}", prints: #"spec.size: Unsupported value: "huge""#, exits: 1)
        try await apply("{size: small, replicas: 9}", prints: "at most four", exits: 1)
        try await apply("{size: small, wat: 1}", prints: "unknown field \"spec.wat\"", exits: 1)
        try await kubectl.expect("scale", "wd/w", "--replicas=3", prints: ["scaled"])
        try await kubectl.expect("scale", "wd/w", "--replicas=7", prints: ["at most four"], exits: 1)
        try await kubectl.expect("explain", "widget.spec.size", prints: ["How big it is."])
        try await kubectl.expectTimeout("wait", "--for=condition=Ready", "wd/w", prints: "timed out")
        let waiting = try await kubectl.start("wait", "--for=condition=Ready", "wd/w", "--timeout=120s")
        try await kubectl.expect(
            "patch", "wd", "w", "--subresource=status", "--type=merge", "-p",
            #"{"status":{"conditions":[{"type":"Ready","status":"True"}]},"spec":{"size":"large"}}"#,
            prints: ["patched"])
        #expect(try await waiting.exit() == .exited(0), "\(waiting.output)")
        try await kubectl.expect("get", "wd", "w", "-o", "jsonpath={.spec.size}", prints: ["small"])
        try await kubectl.expect("describe", "wd", "w", prints: ["Size:", "small", "Ready"])
        try await kubectl.expect(
            "edit", "wd", "w", environment: ["KUBE_EDITOR": "sed -i s/small/large/"], prints: ["w edited"])
        try await kubectl.expect("delete", "wd", "w", "--wait", prints: ["deleted"])
        try await kubectl.expect("get", "wd", "w", prints: [#"widgets.test.example "w" not found"#], exits: 1)
    }
}
