import Foundation
import Testing

/// apply in both ways, diff, edit, patch, label and annotate.
@Suite(.needsKubectl, .loadsProcessors) struct KubectlApplyTests {
    @Test(arguments: Kubectl.installed)
    func clientSideApplyChangesWhatTheFileSaysAndNoMore(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("apply", path: path)
        let one = Samples.deployment
        let two = one.replacingOccurrences(of: "web:1", with: "web:2").replacingOccurrences(
            of: "labels: {app: web}}\nspec", with: "labels: {}}\nspec")
        try await kubectl.expect("diff", "-f", "-", input: one, prints: ["+kind: Deployment"], exits: 1)
        try await kubectl.expect("apply", "-f", "-", input: one, prints: ["deployment.apps/web created"])
        try await kubectl.expect("apply", "-f", "-", input: one, prints: ["deployment.apps/web unchanged"])
        try await kubectl.expect("diff", "-f", "-", input: one)
        try await kubectl.expect(
            "diff", "-f", "-", input: two,
            prints: ["-      - image: registry.example/web:1", "+      - image: registry.example/web:2"], exits: 1)
        let broken = two.replacingOccurrences(of: "replicas: 0", with: "replicas: many")
        #expect(try await kubectl.run(["diff", "-f", "-"], input: broken).status > 1)
        try await kubectl.expect(
            "apply", "-f", "-", "--dry-run=server", input: two, prints: ["configured (server dry run)"])
        try await kubectl.expect("diff", "-f", "-", input: one)
        try await kubectl.expect("annotate", "deploy", "web", "why=test", prints: ["annotated"])
        try await kubectl.expect("apply", "-f", "-", input: two, prints: ["deployment.apps/web configured"])
        try await kubectl.expect(
            "get", "deploy", "web", "-o",
            "jsonpath={.spec.template.spec.containers[*].image} {.metadata.annotations.why} <{.metadata.labels.app}>",
            prints: ["registry.example/web:2 test <>"])
    }

    @Test(arguments: Kubectl.installed)
    func serverSideApplyKeepsEachFieldWithItsManager(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("ssa", path: path)
        let managers = "jsonpath={.metadata.managedFields[*].manager}"
        let (one, two) = (Samples.configMap("c", data: "{a: '1', b: '1'}"), Samples.configMap("c", data: "{a: '2'}"))
        try await kubectl.expect(
            "apply", "--server-side", "-f", "-", input: one, prints: ["configmap/c serverside-applied"])
        let version = try await kubectl.expect("get", "cm", "c", "-o", "jsonpath={.metadata.resourceVersion}")
        try await kubectl.expect("apply", "--server-side", "-f", "-", input: one)
        try await kubectl.expect(
            "get", "cm", "c", "-o", "jsonpath=<{.metadata.resourceVersion}>", prints: ["<\(version)>"])
        try await kubectl.expect(
            "apply", "--server-side", "--field-manager=other", "-f", "-", input: two,
            prints: ["Apply failed with 1 conflict: conflict with \"kubectl\": .data.a", "--force-conflicts"], exits: 1)
        try await kubectl.expect(
            "apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", input: two,
            prints: ["serverside-applied"])
        try await kubectl.expect("get", "cm", "c", "-o", "jsonpath={.data}", prints: [#"{"a":"2","b":"1"}"#])
        try await kubectl.expect(
            "get", "cm", "c", "--show-managed-fields", "-o", managers, prints: ["kubectl", "other"])
        // What a manager no longer applies goes, unless it is another's.
        try await kubectl.expect(
            "apply", "--server-side", "-f", "-", input: Samples.configMap("c", data: "{d: '1'}"))
        try await kubectl.expect("get", "cm", "c", "-o", "jsonpath={.data}", prints: [#"{"a":"2","d":"1"}"#])
        // From client-side to server-side: the fields move over with it.
        try await kubectl.expect("apply", "-f", "-", input: Samples.configMap("moved", data: "{a: '1'}"))
        try await kubectl.expect(
            "apply", "--server-side", "-f", "-", input: Samples.configMap("moved", data: "{b: '1'}"),
            prints: ["serverside-applied"])
        try await kubectl.expect("get", "cm", "moved", "-o", "jsonpath={.data}", prints: [#"{"b":"1"}"#])
    }

    @Test(arguments: Kubectl.installed)
    func patchLabelAnnotateAndEditSayWhatTheyDid(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("patch", path: path)
        try await kubectl.expect("create", "-f", "-", input: Samples.deployment)
        for (type, patch) in [
            (
                "strategic",
                #"{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"1"}]}]}}}}"#
            ),
            ("merge", #"{"metadata":{"annotations":{"note":"hi"}}}"#),
            ("json", #"[{"op":"replace","path":"/spec/revisionHistoryLimit","value":4}]"#),
        ] {
            try await kubectl.expect("patch", "deploy", "web", "--type=\(type)", "-p", patch, prints: ["web patched"])
            try await kubectl.expect("patch", "deploy", "web", "--type=\(type)", "-p", patch, prints: ["(no change)"])
        }
        try await kubectl.expect(
            "get", "deploy", "web", "-o",
            "jsonpath={.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env[0].name} {.metadata.annotations.note} {.spec.revisionHistoryLimit}",
            prints: ["registry.example/web:1 A hi 4"])
        try await kubectl.expect(
            "patch", "deploy", "web", "--type=json", "-p", #"[{"op":"test","path":"/spec/replicas","value":7}]"#,
            prints: ["test"], exits: 1)
        try await kubectl.expect(
            "patch", "deploy", "web", "-p", #"{"spec":{"selector":{"matchLabels":{"app":"x"}}}}"#,
            prints: ["field is immutable"], exits: 1)

        try await kubectl.expect("label", "deploy", "web", "team=blue", prints: ["labeled"])
        try await kubectl.expect(
            "label", "deploy", "web", "team=red",
            prints: ["'team' already has a value (blue), and --overwrite is false"], exits: 1)
        try await kubectl.expect("label", "deploy", "web", "team=red", "--overwrite", prints: ["labeled"])
        try await kubectl.expect(
            "get", "deploy", "-l", "team in (red,green)", "-o", "name", prints: ["deployment.apps/web"])
        try await kubectl.expect("label", "deploy", "web", "team-", prints: ["unlabeled"])
        try await kubectl.expect("get", "deploy", "-l", "team", prints: ["No resources found"])
        try await kubectl.expect("label", "deploy", "web", "team=not/valid", prints: ["a valid label"], exits: 1)
        try await kubectl.expect("annotate", "deploy", "web", "why=test", prints: ["annotated"])
        try await kubectl.expect(
            "annotate", "deploy", "web", "why=other", prints: ["'why' already has a value (test)"], exits: 1)

        func edit(_ script: String, prints text: String) async throws {
            try await kubectl.expect(
                "edit", "deploy", "web", environment: ["KUBE_EDITOR": "sed -i \(script)"], prints: [text])
        }
        try await edit("s/web:1/web:3/", prints: "deployment.apps/web edited")
        try await edit("s/nothing/else/", prints: "Edit cancelled, no changes made.")
        try await kubectl.expect("get", "deploy", "web", "-o", "jsonpath={..image}", prints: ["registry.example/web:3"])
    }
}
