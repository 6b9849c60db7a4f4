import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

@Suite struct ContainerEnvironmentTests {
    private func environment(_ container: JSON) -> ContainerEnvironment {
        let pod = KubernetesObject([
            "metadata": ["name": "web", "namespace": "shop", "uid": "u1", "labels": ["app": "web"]],
            "spec": ["containers": [container], "serviceAccountName": "runner"],
        ])
        return ContainerEnvironment(
            pod: pod, container: ContainerSpec(container, isInit: false), address: "127.64.0.9",
            node: NodeDescription())
    }

    private func resolve(
        _ env: JSON, secrets: [String: [String: String]] = [:], configMaps: [String: [String: String]] = [:]
    ) throws -> [String: String] {
        var sources = ContainerEnvironment.Sources()
        sources.secrets = secrets
        sources.configMaps = configMaps
        return try environment(["name": "main", "env": env]).resolve(sources)
    }

    @Test(arguments: [
        ("$(A)", "1"), ("x$(A)y", "x1y"), ("$$(A)", "$(A)"), ("$(B)", "$(B)"), ("$A", "$A"), ("a$", "a$"),
        ("$(A", "$(A"), ("$(A)$(A)", "11"),
    ])
    func expandsReferences(text: String, expected: String) {
        #expect(ContainerEnvironment.expand(text, ["A": "1"]) == expected)
    }

    @Test func laterVariablesSeeEarlierOnes() throws {
        let result = try resolve([["name": "A", "value": "1"], ["name": "B", "value": "$(A)2"]])
        #expect(result == ["A": "1", "B": "12"])
    }

    @Test func readsSecretsConfigMapsAndThePodItself() throws {
        let result = try resolve(
            [
                ["name": "S", "valueFrom": ["secretKeyRef": ["name": "s", "key": "token"]]],
                ["name": "C", "valueFrom": ["configMapKeyRef": ["name": "c", "key": "k"]]],
                ["name": "N", "valueFrom": ["fieldRef": ["fieldPath": "metadata.namespace"]]],
                ["name": "L", "valueFrom": ["fieldRef": ["fieldPath": "metadata.labels['app']"]]],
                ["name": "I", "valueFrom": ["fieldRef": ["fieldPath": "status.podIP"]]],
                ["name": "O", "valueFrom": ["secretKeyRef": ["name": "none", "key": "k", "optional": true]]],
            ], secrets: ["s": ["token": "abc"]], configMaps: ["c": ["k": "v"]])
        #expect(result == ["S": "abc", "C": "v", "N": "shop", "L": "web", "I": "127.64.0.9"])
    }

    @Test func whatIsMissingIsNamedAsKubeletNamesIt() {
        let reference: JSON = [["name": "S", "valueFrom": ["secretKeyRef": ["name": "s", "key": "token"]]]]
        #expect(throws: ContainerEnvironment.Missing(message: "secret \"s\" not found")) { try resolve(reference) }
        #expect(throws: ContainerEnvironment.Missing(message: "couldn't find key token in Secret shop/s")) {
            try resolve(reference, secrets: ["s": [:]])
        }
    }

    @Test func takesAllOfASourceWithItsPrefix() throws {
        let container: JSON = ["name": "main", "envFrom": [["prefix": "P_", "configMapRef": ["name": "c"]]]]
        var sources = ContainerEnvironment.Sources()
        sources.configMaps = ["c": ["A": "1"]]
        #expect(try environment(container).resolve(sources) == ["P_A": "1"])
    }

    @Test func resourceAmountsAreInTheDivisorsUnit() throws {
        let container: JSON = [
            "name": "main", "resources": ["limits": ["memory": "64Mi", "cpu": "250m"]],
            "env": [
                ["name": "M", "valueFrom": ["resourceFieldRef": ["resource": "limits.memory", "divisor": "1Mi"]]],
                ["name": "C", "valueFrom": ["resourceFieldRef": ["resource": "limits.cpu"]]],
            ],
        ]
        #expect(try environment(container).resolve(.init()) == ["M": "64", "C": "1"])
    }

    @Test func serviceLinksNameHostAndPorts() {
        let service = KubernetesObject([
            "metadata": ["name": "my-db", "namespace": "shop"],
            "spec": ["clusterIP": "127.96.0.7", "ports": [["name": "sql", "port": 5432, "protocol": "TCP"]]],
        ])
        let links = ContainerEnvironment.serviceLinks([service], enabled: true, namespace: "shop")
        #expect(links["MY_DB_SERVICE_HOST"] == "127.96.0.7")
        #expect(links["MY_DB_SERVICE_PORT"] == "5432")
        #expect(links["MY_DB_SERVICE_PORT_SQL"] == "5432")
        #expect(links["MY_DB_PORT_5432_TCP"] == "tcp://127.96.0.7:5432")
        #expect(ContainerEnvironment.hosts([service], namespace: "shop") == "my-db.shop.svc=127.96.0.7")
        #expect(ContainerEnvironment.hosts([service], namespace: "other").isEmpty)
        #expect(ContainerEnvironment.serviceLinks([service], enabled: false, namespace: "shop").isEmpty)
        #expect(ContainerEnvironment.serviceLinks([service], enabled: true, namespace: "other").isEmpty)
    }

    @Test(arguments: [
        ("registry:5000/team/app:1", true), ("registry:5000/team/app", true), ("registry:5000/team/app@sha256:0", true),
        ("registry:5000/team/other:1", false), ("team/app:1", false),
    ])
    func anImageWithoutATagStandsForAllTags(image: String, isKnown: Bool) {
        let images = ImageList(programs: ["registry:5000/team/app": "/bin/app"])
        #expect((images.program(for: image) != nil) == isKnown)
    }
}
