import Foundation
import Testing

/// Real kubectl, every version that is on the machine, against `todo cluster`.
@Suite(.serialized, .enabled(if: !Kubectl.installed.isEmpty, "kubectl is not on PATH; the README says how to get it"))
struct KubectlTests {
    static let deployment = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, labels: {app: web}}
        spec:
          replicas: 0
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              containers:
              - name: web
                image: registry.example/web:1
                ports: [{containerPort: 8080}]

        """

    static let widgets = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: widgets.test.example}
        spec:
          group: test.example
          scope: Namespaced
          names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
          versions:
          - name: v1
            served: true
            storage: true
            subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
            additionalPrinterColumns: [{name: Size, type: string, jsonPath: .spec.size}]
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec:
                    type: object
                    required: [size]
                    properties:
                      size: {type: string, enum: [small, large], description: How big it is.}
                      replicas: {type: integer, default: 1}
                    x-kubernetes-validations: [{rule: "self.replicas < 5", message: at most four}]
                  status: {type: object, x-kubernetes-preserve-unknown-fields: true}

        """

    /// Runs `arguments` in the namespace; expects success, and what is printed to contain every one of `expected`.
    struct Session {
        let kubectl: Kubectl
        let namespace: String

        @discardableResult
        func expect(
            _ arguments: [String], input: String? = nil, prints expected: [String] = [], fails: Bool = false,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> String {
            let result = try await kubectl.run(["-n", namespace] + arguments, input: input)
            #expect((result.status != 0) == fails, "\(result)", sourceLocation: sourceLocation)
            let said = result.out + result.err
            for text in expected {
                #expect(said.contains(text), "misses \(text): \(result)", sourceLocation: sourceLocation)
            }
            return said
        }
    }

    static func session(_ path: String, _ purpose: String) async throws -> Session {
        let kubectl = try Kubectl(path: path, kubeconfig: try await SharedCluster.running().kubeconfig)
        let version = path.split(separator: "/").last?.filter(\.isNumber) ?? ""
        let namespace = "\(purpose)-v\(version)"
        let created = try await kubectl("create", "namespace", namespace)
        #expect(created.out == "namespace/\(namespace) created\n", "\(created)")
        return Session(kubectl: kubectl, namespace: namespace)
    }

    @Test(arguments: Kubectl.installed)
    func typedCreateSendsWhatTheServerUnderstands(path: String) async throws {
        let here = try await Self.session(path, "typed")
        for (arguments, printed) in [
            (["configmap", "c", "--from-literal=a=1"], "configmap/c created"),
            (["secret", "generic", "s", "--from-literal=k=v"], "secret/s created"),
            (["serviceaccount", "robot"], "serviceaccount/robot created"),
            (["deployment", "d", "--image=registry.example/x:1", "--replicas=0"], "deployment.apps/d created"),
            (["job", "j", "--image=registry.example/x:1"], "job.batch/j created"),
            (["cronjob", "cj", "--image=registry.example/x:1", "--schedule=0 4 * * *"], "cronjob.batch/cj created"),
            (["service", "clusterip", "svc", "--tcp=80:8080"], "service/svc created"),
            (["ingress", "i", "--rule=a.example/*=svc:80"], "ingress.networking.k8s.io/i created"),
            (["role", "r", "--verb=get", "--resource=pods"], "role.rbac.authorization.k8s.io/r created"),
            (["rolebinding", "rb", "--role=r", "--user=ann"], "rolebinding.rbac.authorization.k8s.io/rb created"),
            (
                ["poddisruptionbudget", "p", "--selector=app=d", "--min-available=1"],
                "poddisruptionbudget.policy/p created"
            ),
            (["quota", "q", "--hard=pods=3"], "resourcequota/q created"),
        ] {
            try await here.expect(["create"] + arguments, prints: [printed])
        }
        try await here.expect(["get", "configmap", "c", "-o", "jsonpath={.data.a}"], prints: ["1"])
        try await here.expect(["get", "secret", "s", "-o", "jsonpath={.data.k}"], prints: ["dg=="])
        try await here.expect(
            ["get", "cronjob", "cj", "-o", "jsonpath={.spec.schedule}/{.spec.concurrencyPolicy}"],
            prints: ["0 4 * * */Allow"])
        try await here.expect(
            ["get", "ingress", "i", "-o", "jsonpath={.spec.rules[0].http.paths[0].backend.service.name}"],
            prints: ["svc"])
        try await here.expect(["create", "configmap", "c"], prints: ["already exists"], fails: true)
        let token = try await here.expect(["create", "token", "robot"])
        #expect(token.split(separator: ".").count == 3)
    }

    @Test(arguments: Kubectl.installed)
    func applyDiffAndPatchKeepWhatOthersSet(path: String) async throws {
        let here = try await Self.session(path, "apply")
        try await here.expect(["apply", "-f", "-"], input: Self.deployment, prints: ["deployment.apps/web created"])
        try await here.expect(["apply", "-f", "-"], input: Self.deployment, prints: ["unchanged"])
        let changed = Self.deployment.replacingOccurrences(of: "web:1", with: "web:2")
        try await here.expect(["diff", "-f", "-"], input: changed, prints: ["registry.example/web:2"], fails: true)
        try await here.expect(["apply", "-f", "-"], input: changed, prints: ["configured"])
        try await here.expect(["diff", "-f", "-"], input: changed)
        let serverSide = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ssa}\ndata: {a: \"1\"}\n"
        try await here.expect(["apply", "--server-side", "-f", "-"], input: serverSide, prints: ["serverside-applied"])
        try await here.expect(
            ["apply", "--server-side", "--field-manager=other", "-f", "-"],
            input: serverSide.replacingOccurrences(of: "\"1\"", with: "\"2\""), prints: ["conflict"], fails: true)
        try await here.expect(
            [
                "patch", "deploy", "web", "-p",
                #"{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"1"}]}]}}}}"#,
            ],
            prints: ["patched"])
        try await here.expect(
            ["patch", "deploy", "web", "--type=merge", "-p", #"{"metadata":{"annotations":{"note":"hi"}}}"#],
            prints: ["patched"])
        try await here.expect(
            [
                "patch", "deploy", "web", "--type=json", "-p",
                #"[{"op":"replace","path":"/spec/revisionHistoryLimit","value":4}]"#,
            ],
            prints: ["patched"])
        try await here.expect(
            [
                "get", "deploy", "web", "-o",
                "jsonpath={.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env[0].name} {.metadata.annotations.note} {.spec.revisionHistoryLimit}",
            ],
            prints: ["registry.example/web:2 A hi 4"])
        try await here.expect(["label", "deploy", "web", "team=blue"], prints: ["labeled"])
        try await here.expect(["annotate", "deploy", "web", "why=test"], prints: ["annotated"])
        try await here.expect(["get", "deploy", "-l", "team=blue", "-o", "name"], prints: ["deployment.apps/web"])
        try await here.expect(
            ["apply", "-f", "-"], input: Self.deployment.replacingOccurrences(of: "replicas: 0", with: "replicsa: 0"),
            prints: ["unknown field"], fails: true)
    }

    @Test(arguments: Kubectl.installed)
    func objectsAreShownAsByARealServer(path: String) async throws {
        let here = try await Self.session(path, "show")
        try await here.expect(["apply", "-f", "-"], input: Self.deployment)
        try await here.expect(
            ["get", "deploy"], prints: ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "web", "0/0"])
        try await here.expect(
            ["get", "deploy", "-o", "wide"], prints: ["CONTAINERS", "IMAGES", "SELECTOR", "app=web"])
        try await here.expect(
            ["get", "deploy", "web", "-o", "yaml"], prints: ["kind: Deployment", "progressDeadlineSeconds: 600"])
        try await here.expect(
            ["describe", "deploy", "web"], prints: ["StrategyType:", "RollingUpdate", "registry.example/web:1"])
        try await here.expect(["explain", "deployment.spec.replicas"], prints: ["FIELD: replicas <integer>"])
        try await here.expect(["explain", "pod.spec.containers"], prints: ["<[]Container>"])
        try await here.expect(["api-resources"], prints: ["deployments", "deploy", "apps/v1", "configmaps", "cm"])
        try await here.expect(["api-versions"], prints: ["apps/v1", "batch/v1", "events.k8s.io/v1"])
        try await here.expect(["auth", "can-i", "create", "deployments"], prints: ["yes"])
        try await here.expect(
            ["auth", "can-i", "list", "secrets", "--as=system:serviceaccount:\(here.namespace):default"],
            prints: ["no"],
            fails: true)
        try await here.expect(["scale", "deploy/web", "--replicas=0"], prints: ["scaled"])
        try await here.expect(["get", "ns", here.namespace], prints: ["Active"])
        try await here.expect(["version"], prints: ["Server Version"])
        try await here.expect(["get", "widgetz"], prints: ["doesn't have a resource type"], fails: true)
    }

    @Test(arguments: Kubectl.installed)
    func customResourcesAreValidatedDefaultedAndWaitedFor(path: String) async throws {
        let here = try await Self.session(path, "custom")
        try await here.expect(["apply", "--server-side", "--force-conflicts", "-f", "-"], input: Self.widgets)
        try await here.expect(["wait", "--for=condition=Established", "crd/widgets.test.example", "--timeout=20s"])
        func widget(_ spec: String) -> String {
            "apiVersion: test.example/v1\nkind: Widget\nmetadata: {name: w}\nspec: \(spec)\n"
        }
        try await here.expect(
            ["apply", "-f", "-"], input: widget("{size: small}"), prints: ["widget.test.example/w created"])
        try await here.expect(["get", "wd", "w", "-o", "jsonpath={.spec.replicas}"], prints: ["1"])
        try await here.expect(["get", "wd"], prints: ["NAME", "SIZE", "small"])
        try await here.expect(
            ["apply", "-f", "-"], input: widget("{size: huge}"), prints: ["Unsupported value"], fails: true)
        try await here.expect(
            ["apply", "-f", "-"], input: widget("{size: small, replicas: 9}"), prints: ["at most four"], fails: true)
        try await here.expect(
            ["apply", "-f", "-"], input: widget("{size: small, wat: 1}"), prints: ["unknown field"], fails: true)
        try await here.expect(["scale", "wd/w", "--replicas=3"], prints: ["scaled"])
        try await here.expect(["explain", "widget.spec.size"], prints: ["How big it is."])
        try await here.expect(
            [
                "patch", "wd", "w", "--subresource=status", "--type=merge", "-p",
                #"{"status":{"conditions":[{"type":"Ready","status":"True"}]}}"#,
            ],
            prints: ["patched"])
        try await here.expect(["wait", "--for=condition=Ready", "wd/w", "--timeout=10s"], prints: ["condition met"])
        try await here.expect(["describe", "wd", "w"], prints: ["Size:", "small"])
        try await here.expect(["delete", "wd", "w", "--wait"], prints: ["deleted"])
    }

    @Test(arguments: Kubectl.installed)
    func deletionFollowsOwnersFinalizersAndNamespaces(path: String) async throws {
        let here = try await Self.session(path, "delete")
        for policy in ["background", "foreground", "orphan"] {
            try await here.expect(["create", "configmap", "owner-\(policy)"])
            let uid = try await here.expect(["get", "cm", "owner-\(policy)", "-o", "jsonpath={.metadata.uid}"])
            let child = """
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  name: child-\(policy)
                  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner-\(policy), uid: \(uid), blockOwnerDeletion: true}]

                """
            try await here.expect(["create", "-f", "-"], input: child)
            try await here.expect(
                ["delete", "cm", "owner-\(policy)", "--cascade=\(policy)", "--wait"], prints: ["deleted"])
            if policy == "orphan" {
                try await here.expect(["get", "cm", "child-orphan", "-o", "name"], prints: ["configmap/child-orphan"])
            } else {
                try await here.expect(["wait", "--for=delete", "cm/child-\(policy)", "--timeout=20s"])
            }
        }
        try await here.expect(["create", "configmap", "held"])
        try await here.expect([
            "patch", "cm", "held", "--type=merge", "-p", #"{"metadata":{"finalizers":["test.example/hold"]}}"#,
        ])
        try await here.expect(["delete", "cm", "held", "--wait=false"], prints: ["deleted"])
        try await here.expect(["get", "cm", "held", "-o", "jsonpath={.metadata.deletionTimestamp}"], prints: ["20"])
        try await here.expect(["patch", "cm", "held", "--type=merge", "-p", #"{"metadata":{"finalizers":null}}"#])
        try await here.expect(["get", "cm", "held"], prints: ["not found"], fails: true)
        try await here.expect(["delete", "namespace", here.namespace, "--wait", "--timeout=60s"], prints: ["deleted"])
        try await here.expect(["get", "ns", here.namespace], prints: ["not found"], fails: true)
    }
}
