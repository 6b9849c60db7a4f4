import Foundation
import StructuredData
import Testing

/// The typed `kubectl create` commands, which send protobuf, and what the server refuses.
@Suite(.needsKubectl, .loadsProcessors) struct KubectlCreateTests {
    @Test(arguments: Kubectl.installed)
    func whatIsCreatedIsWhatWasAskedFor(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("create", path: path)
        let namespace = kubectl.namespace
        let image = "--image=registry.example/x:1"
        for (arguments, jsonPath, expected) in [
            ("configmap c --from-literal=a=1", "{.data.a}", "1"),
            ("secret generic s --from-literal=k=v", "{.type} {.data.k}", "Opaque dg=="),
            ("serviceaccount robot", "{.metadata.name}", "robot"),
            (
                "deployment d \(image) --replicas=0 --port=80",
                "{.spec.replicas} {.spec.template.spec.containers[0].ports[0].containerPort}",
                "0 80"
            ),
            ("job j \(image)", "{.spec.template.spec.restartPolicy} {.spec.backoffLimit}", "Never 6"),
            ("cronjob cj \(image) --schedule=@daily", "{.spec.schedule} {.spec.concurrencyPolicy}", "@daily Allow"),
            ("job now --from=cronjob/cj", "{.metadata.ownerReferences[0].kind}", "CronJob"),
            ("service clusterip svc --tcp=80:8080", "{.spec.type} {.spec.ports[0].targetPort}", "ClusterIP 8080"),
            ("service nodeport np --tcp=80", "{.spec.type} {.spec.ports[0].port}", "NodePort 80"),
            ("service externalname en --external-name=a.example", "{.spec.externalName}", "a.example"),
            ("ingress i --rule=a.example/*=svc:80", "{.spec.rules[0].http.paths[0].backend.service.name}", "svc"),
            ("role r --verb=get,list --resource=pods", "{.rules[0].verbs}", #"["get","list"]"#),
            ("rolebinding rb --role=r --user=ann", "{.roleRef.name} {.subjects[0].name}", "r ann"),
            ("clusterrole \(namespace)-cr --verb=get --resource=nodes", "{.rules[0].resources[0]}", "nodes"),
            (
                "clusterrolebinding \(namespace)-crb --clusterrole=\(namespace)-cr --serviceaccount=\(namespace):robot",
                "{.subjects[0].kind}", "ServiceAccount"
            ),
            ("poddisruptionbudget p --selector=app=d --min-available=1", "{.spec.minAvailable}", "1"),
            ("quota q --hard=pods=3", "{.spec.hard.pods}", "3"),
        ] {
            let words = arguments.split(separator: " ").map(String.init)
            let result = try await kubectl.run(["create"] + words + ["-o", "jsonpath=\(jsonPath)"])
            #expect(result.status == 0 && result.out == expected, "\(result)")
        }
        try await kubectl.expect("create", "configmap", "plain", prints: ["configmap/plain created"])
    }

    @Test(arguments: Kubectl.installed)
    func rolesAndTokensLetInWhomTheyShould(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("access", path: path)
        let robot = "--as=system:serviceaccount:\(kubectl.namespace):robot"
        try await kubectl.expect("create", "serviceaccount", "robot", prints: ["serviceaccount/robot created"])
        try await kubectl.expect("auth", "can-i", "create", "deployments", prints: ["yes"])
        try await kubectl.expect("auth", "can-i", "list", "pods", robot, prints: ["no"], exits: 1)
        try await kubectl.expect("create", "role", "reader", "--verb=list", "--resource=pods")
        try await kubectl.expect(
            "create", "rolebinding", "reader", "--role=reader", "--serviceaccount=\(kubectl.namespace):robot")
        try await kubectl.expect("auth", "can-i", "list", "pods", robot, prints: ["yes"])
        try await kubectl.expect("auth", "can-i", "delete", "pods", robot, prints: ["no"], exits: 1)
        try await kubectl.expect("auth", "can-i", "--list", robot, prints: ["pods", "[list]"])
        try await kubectl.expect("auth", "whoami", prints: ["kubernetes-admin", "system:masters"])
        let user = "system:serviceaccount:\(kubectl.namespace):robot"
        try await kubectl.expect(
            "get", "secrets", robot,
            prints: [
                "Error from server (Forbidden): secrets is forbidden: User \"\(user)\" cannot list resource \"secrets\" "
                    + "in API group \"\" in the namespace \"\(kubectl.namespace)\""
            ], exits: 1)

        // The token is let in as the robot, by a server that sees nothing else of it.
        let token = try await kubectl.expect("create", "token", "robot", "--duration=1h")
        let bare = try await kubectl.configuration(token: token)
        try await kubectl.expect("get", "pods", environment: bare, prints: ["No resources found"])
        try await kubectl.expect("get", "secrets", environment: bare, prints: ["(Forbidden)", user], exits: 1)
        let forged = try await kubectl.configuration(token: token + "x")
        try await kubectl.expect("get", "pods", environment: forged, prints: ["Unauthorized"], exits: 1)
    }

    @Test(arguments: Kubectl.installed)
    func whatIsRefusedIsSaidAsByARealServer(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("refuse", path: path)
        try await kubectl.expect("create", "configmap", "c", "--from-literal=a=1")
        try await kubectl.expect(
            "create", "configmap", "c",
            prints: [#"error: failed to create configmap: configmaps "c" already exists"#], exits: 1)
        try await kubectl.expect(
            "create", "-f", "-", input: Samples.configMap("c", data: "{}"),
            prints: ["Error from server (AlreadyExists)", #"configmaps "c" already exists"#], exits: 1)
        try await kubectl.expect(
            "get", "configmap", "none", prints: [#"Error from server (NotFound): configmaps "none" not found"#],
            exits: 1)
        try await kubectl.expect("delete", "cm", "none", prints: ["(NotFound)"], exits: 1)
        try await kubectl.expect("delete", "cm", "none", "--ignore-not-found")
        try await kubectl.expect("get", "widgetz", prints: ["doesn't have a resource type \"widgetz\""], exits: 1)
        try await kubectl.expect(
            "apply", "-f", "-", input: Samples.configMap("Bad_Name", data: "{}"),
            prints: ["The ConfigMap \"Bad_Name\" is invalid: metadata.name: Invalid value: \"Bad_Name\""], exits: 1)
        let unselected = Samples.deployment.replacingOccurrences(
            of: "matchLabels: {app: web}", with: "matchLabels: {app: x}")
        try await kubectl.expect(
            "apply", "-f", "-", input: unselected,
            prints: ["The Deployment \"web\" is invalid: spec.template.metadata.labels: Invalid value:"], exits: 1)
        try await kubectl.expect(
            "apply", "-f", "-", input: Samples.deployment.replacingOccurrences(of: "replicas: 0", with: "replicsa: 0"),
            prints: ["unknown field \"spec.replicsa\""], exits: 1)
        try await kubectl.expect(
            "create", "-f", "-", "-n", "no-such", input: Samples.deployment,
            prints: [#"(NotFound)"#, #"namespaces "no-such" not found"#], exits: 1)
        try await kubectl.expect(
            "create", "job", "j", "--from=cronjob/none", prints: ["(NotFound)", "cronjobs.batch"], exits: 1)

        // A replace of what is no longer the newest.
        let old = try await kubectl.expect("get", "cm", "c", "-o", "json")
        try await kubectl.expect("label", "cm", "c", "a=b")
        try await kubectl.expect(
            "replace", "-f", "-", input: old,
            prints: ["Error from server (Conflict)", "the object has been modified"], exits: 1)
    }
}

extension Kubectl {
    /// The environment for a kubeconfig with this server, its CA, and nothing but `token`.
    fileprivate func configuration(token: String) async throws -> [String: String] {
        let all = try YAML.parse(try await run(["config", "view", "--raw", "-o", "yaml"]).out).first
        let cluster = all?["clusters"]?.array?.first?["cluster"] ?? [:]
        let bare: JSON = [
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "contexts": [["name": "c", "context": ["cluster": "c", "user": "u", "namespace": .string(namespace)]]],
            "clusters": [["name": "c", "cluster": cluster]],
            "users": [["name": "u", "user": ["token": .string(token)]]],
        ]
        let file = TestRun.folder.appending(path: "token-\(UInt64.random(in: 0 ... .max))")
        try bare.text.write(to: file, atomically: true, encoding: .utf8)
        return ["KUBECONFIG": file.path]
    }
}
