import APIServer
import ControllerRuntime
import Glibc
import HTTPTransport
import HTTPTypes
import KubernetesClient
import Logging
import StructuredData
import Testing

@testable import LocalCluster

/// A whole cluster in this process, whose image `sh` is the shell.
struct TestCluster {
    let cluster: LocalCluster
    var client: KubernetesClient { cluster.client }

    /// - Parameter faults: made from the start.
    static func running(
        dataFolder: String? = nil, runsStandIns: Bool = false, faults: (Faults) -> Void = { _ in },
        _ body: (TestCluster) async throws -> Void
    ) async throws {
        var configuration = LocalCluster.Configuration()
        configuration.port = 0
        configuration.dataFolder = dataFolder
        configuration.runsStandIns = runsStandIns
        configuration.programs = ["sh": "/bin/sh"]
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let cluster = try await LocalCluster(configuration: configuration, logger: logger)
        faults(cluster.server.faults)
        try await cluster.start()
        do { try await body(TestCluster(cluster: cluster)) } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
    }

    /// A process that says what it was given and ends on SIGTERM.
    static let waiting =
        "echo started as $HOSTNAME at $TODO_BIND_ADDRESS; trap 'echo bye; exit 0' TERM; "
        + "while :; do sleep 60 & wait $!; done"

    static func podSpec(_ script: String, _ change: JSON = [:]) -> JSON {
        var container: JSON = ["name": "main", "image": "sh", "args": ["-c", JSON(script)]]
        for (key, value) in change.object ?? [:] { container[key] = value }
        return ["containers": [container], "terminationGracePeriodSeconds": 5]
    }

    func create(_ type: ResourceType, _ name: String, _ members: JSON, namespace: String = "default") async throws {
        var object: JSON = ["metadata": ["name": JSON(name), "namespace": JSON(namespace)]]
        for (key, value) in members.object ?? [:] { object[key] = value }
        _ = try await client.create(KubernetesObject(object), type)
    }

    func createDeployment(_ name: String, replicas: Int, namespace: String = "default") async throws {
        let labels: JSON = ["app": JSON(name)]
        try await create(
            .deployments, name,
            [
                "spec": [
                    "replicas": JSON(replicas), "selector": ["matchLabels": labels],
                    "template": ["metadata": ["labels": labels], "spec": Self.podSpec(Self.waiting)],
                ]
            ], namespace: namespace)
    }

    /// Creates it and waits until it is rolled out.
    func rollOut(_ name: String, replicas: Int) async throws {
        try await createDeployment(name, replicas: replicas)
        try await rolledOut(name, replicas: replicas)
    }

    func get(_ type: ResourceType, _ name: String) async throws -> KubernetesObject? {
        try await client.getIfPresent(type, namespace: "default", name: name)
    }

    func names(_ type: ResourceType, namespace: String = "default") async throws -> [String] {
        try await client.list(type, namespace: namespace).items.map(\.name)
    }

    func pods() async throws -> [PodView] {
        try await client.list(.pods, namespace: "default").items.map(PodView.init)
    }

    func rolledOut(_ name: String, replicas: Int) async throws {
        try await eventually("\(name) is rolled out") {
            let deployment = try await get(.deployments, name)
            let status = deployment?.status
            return status?["observedGeneration"]?.int == deployment?.generation
                && status?["updatedReplicas"]?.int ?? 0 == replicas && status?["replicas"]?.int ?? 0 == replicas
                && status?["availableReplicas"]?.int ?? 0 == replicas
        }
    }

    func log(_ pod: String, previous: Bool = false) async throws -> String {
        let path = "/api/v1/namespaces/default/pods/\(pod)/log\(previous ? "?previous=true" : "")"
        return String(decoding: try await client.raw(path: path).body, as: UTF8.self)
    }

    func waiting(_ pod: String) async throws -> JSON? {
        try await get(.pods, pod)?.status?["containerStatuses"]?[0]?.at("state", "waiting")
    }
}

@Suite(.timeLimit(.minutes(10))) struct LocalClusterTests {
    @Test func rollsADeploymentOutScalesItAndRollsItAgain() async throws {
        try await TestCluster.running { cluster in
            try await cluster.rollOut("web", replicas: 2)
            let first = try await cluster.pods().map(\.object.name)
            #expect(Set(try await cluster.pods().compactMap(\.address)).count == 2)
            #expect(try await cluster.log(first[0]).hasPrefix("started as \(first[0]) at 127."))

            let scale = Patch.merge(["spec": ["replicas": 3]])
            _ = try await cluster.client.patch(
                .deployments, namespace: "default", name: "web", scale, subresource: "scale")
            try await cluster.rolledOut("web", replicas: 3)

            let restart: JSON = ["spec": ["template": ["metadata": ["annotations": ["restartedAt": "now"]]]]]
            _ = try await cluster.client.patch(.deployments, namespace: "default", name: "web", .merge(restart))
            try await cluster.rolledOut("web", replicas: 3)
            try await eventually("the old pods are gone") {
                Set(try await cluster.pods().map(\.object.name)).isDisjoint(with: first)
            }
            #expect(try await cluster.names(.replicaSets).count == 2)
            let deployment = try await cluster.get(.deployments, "web")
            #expect(deployment?.annotations["deployment.kubernetes.io/revision"] == "2")
        }
    }

    @Test func aSteadyClusterWritesNothing() async throws {
        try await TestCluster.running { cluster in
            try await cluster.createDeployment("web", replicas: 1)
            try await cluster.create(.services, "web", ["spec": ["selector": ["app": "web"], "ports": [["port": 80]]]])
            try await cluster.rolledOut("web", replicas: 1)
            try await eventually("the endpoint is there") {
                try await cluster.get(.endpoints, "web")?.json["subsets"]?[0]?["addresses"] != nil
            }
            // Every change of an object of ours would begin a pass over all of them; a marker does not.
            func versions() async throws -> [String] {
                var result: [String] = []
                for type in [ResourceType.pods, .replicaSets, .deployments, .services, .endpoints, .endpointSlices] {
                    result += try await cluster.client.list(type, namespace: "default").items.map(\.resourceVersion)
                }
                return result
            }
            var markers = 0
            try await eventually("fifty markers change nothing of ours") {
                let before = try await versions()
                for _ in 0..<50 {
                    markers += 1
                    try await cluster.create(.configMaps, "marker-\(markers)", [:])
                }
                return try await versions() == before
            }
        }
    }

    @Test func aPodSaysWhyItCannotRunAndRunsOnceItCan() async throws {
        try await TestCluster.running { cluster in
            let env: JSON = [
                ["name": "TOKEN", "valueFrom": ["secretKeyRef": ["name": "s", "key": "token"]]]
            ]
            try await cluster.create(
                .pods, "needy", ["spec": TestCluster.podSpec("echo got $TOKEN; exec sleep 60", ["env": env])])
            try await cluster.create(.pods, "foreign", ["spec": TestCluster.podSpec("", ["image": "nginx"])])
            try await eventually("both wait") {
                let needy = try await cluster.waiting("needy")
                let foreign = try await cluster.waiting("foreign")
                return needy?["reason"] == "CreateContainerConfigError" && foreign?["reason"] == "ErrImagePull"
            }
            #expect(try await cluster.waiting("needy")?["message"] == "secret \"s\" not found")
            try await cluster.create(.secrets, "s", ["stringData": ["token": "abc"]])
            try await eventually("it runs") {
                try await cluster.get(.pods, "needy")?.status?["phase"] == "Running"
            }
            try await eventually("it has logged") { try await cluster.log("needy") == "got abc\n" }
        }
    }

    @Test func aContainerThatEndsIsStartedAgainAndItsLogIsKept() async throws {
        try await TestCluster.running { cluster in
            try await cluster.create(.pods, "crash", ["spec": TestCluster.podSpec("echo boom $$; exit 3")])
            try await eventually("it backs off") {
                try await cluster.waiting("crash")?["reason"] == "CrashLoopBackOff"
            }
            let status = try await cluster.get(.pods, "crash")?.status?["containerStatuses"]?[0]
            #expect(status?["restartCount"] == 1)
            #expect(status?.at("lastState", "terminated", "exitCode") == 3)
            #expect(try await cluster.log("crash", previous: true).hasPrefix("boom"))
        }
    }

    @Test func theStatusOfAPodThatFailedSaysWhatItWroteLastIfThePodWantsThat() async throws {
        try await TestCluster.running { cluster in
            try await cluster.create(
                .pods, "crash",
                [
                    "spec": TestCluster.podSpec(
                        "seq 1 100; exit 3", ["terminationMessagePolicy": "FallbackToLogsOnError"])
                ])
            try await cluster.create(.pods, "quiet", ["spec": TestCluster.podSpec("echo boom; exit 3")])
            func message(_ pod: String) async throws -> (isThere: Bool, text: String?) {
                let end = try await cluster.get(.pods, pod)?.status?["containerStatuses"]?[0]?.at(
                    "lastState", "terminated")
                return (end != nil, end?["message"]?.string)
            }
            try await eventually("both have failed") {
                let (first, second) = (try await message("crash"), try await message("quiet"))
                return first.isThere && second.isThere
            }
            #expect(try await message("crash").text == (21...100).map { "\($0)\n" }.joined())
            #expect(try await message("quiet").text == nil)
        }
    }

    @Test func aDeletedPodEndsInOrder() async throws {
        try await TestCluster.running { cluster in
            try await cluster.create(.pods, "one", ["spec": TestCluster.podSpec(TestCluster.waiting)])
            try await eventually("it has started") {
                (try? await cluster.log("one").hasPrefix("started")) ?? false
            }
            let path = "https://cluster/api/v1/namespaces/default/pods/one/log?follow=true"
            let log = try await cluster.cluster.server.transport(as: .admin).send(ClientRequest(url: path))
            try await cluster.client.delete(.pods, namespace: "default", name: "one")
            // Read to its end, which is that of the process.
            #expect(String(decoding: try await log.body.collect(upTo: 1 << 20), as: UTF8.self).hasSuffix("bye\n"))
            try await eventually("the pod is gone") { try await cluster.get(.pods, "one") == nil }
        }
    }

    @Test(arguments: [DeleteOptions.Propagation.background, .foreground])
    func whatADeploymentOwnedGoesWithIt(propagation: DeleteOptions.Propagation) async throws {
        try await TestCluster.running { cluster in
            try await cluster.rollOut("web", replicas: 2)
            try await cluster.client.delete(
                .deployments, namespace: "default", name: "web", options: DeleteOptions(propagation: propagation))
            if propagation == .foreground {
                try await eventually("the Deployment is gone") { try await cluster.get(.deployments, "web") == nil }
                // It waited for its ReplicaSet.
                #expect(try await cluster.names(.replicaSets).isEmpty)
            }
            try await eventually("all is gone") {
                let replicaSets = try await cluster.names(.replicaSets)
                let pods = try await cluster.names(.pods)
                return replicaSets.isEmpty && pods.isEmpty
            }
        }
    }

    @Test func aForwardedPortLeadsToTheServicesEndpoints() async throws {
        try await TestCluster.running { cluster in
            let port = try await cluster.cluster.forward(
                port: 0, toService: "kubernetes", namespace: "default", servicePort: 443)
            let transport = CurlTransport(
                configuration: .init(tls: CurlTransport.TLS(trust: .anyone), proxy: .none))
            try await eventually("the endpoint is known") {
                let response = try? await transport.send(ClientRequest(url: "https://127.0.0.1:\(port)/version"))
                // The one path of the API server that anybody may read.
                return response?.status.code == 200
            }
        }
    }

    @Test func orphansStayAndAreAdopted() async throws {
        try await TestCluster.running { cluster in
            try await cluster.rollOut("web", replicas: 2)
            let pods = try await cluster.names(.pods)
            try await cluster.client.delete(
                .deployments, namespace: "default", name: "web", options: DeleteOptions(propagation: .orphan))
            try await eventually("the Deployment is gone") { try await cluster.get(.deployments, "web") == nil }
            let orphans = try await cluster.client.list(.replicaSets, namespace: "default").items
            #expect(orphans.map(\.ownerReferences.count) == [0])
            try await cluster.rollOut("web", replicas: 2)
            #expect(try await cluster.names(.replicaSets) == orphans.map(\.name))
            #expect(try await cluster.names(.pods) == pods)
        }
    }

    /// It was looked at while it still had an owner, and that one is gone by the time that it is asked for.
    @Test func whatWasLetGoMeanwhileStays() async throws {
        try await TestCluster.running { cluster in
            let faults = cluster.cluster.server.faults
            func hits(_ action: Faults.Action, _ verb: String, _ name: String, count: Int? = nil) -> Faults.ID {
                faults.add(action, for: .init(verbs: [verb], resource: "configmaps", name: name), count: count)
            }
            let late = hits(.delay(.seconds(5)), "get", "owner", count: 1)
            try await cluster.create(.configMaps, "owner", [:])
            let owner = try await cluster.client.list(.configMaps, namespace: "default").items.first {
                $0.name == "owner"
            }
            let reference: JSON = [
                "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": JSON(try #require(owner).uid),
            ]
            var child: JSON = ["metadata": ["name": "child", "namespace": "default"]]
            child["metadata"]?["ownerReferences"] = [reference]
            _ = try await cluster.client.create(KubernetesObject(child), .configMaps)
            try await eventually("the collector asks for the owner") { faults.hits(of: late) == 1 }
            let reads = hits(.delay(.zero), "get", "child")
            try await cluster.client.delete(
                .configMaps, namespace: "default", name: "owner", options: DeleteOptions(propagation: .orphan))
            try await eventually("it looks at the child again") { faults.hits(of: reads) >= 2 }
            let left = try await cluster.get(.configMaps, "child")
            #expect(left?.ownerReferences.count == 0)
        }
    }

    static let gizmo = ResourceType(group: "example.com", version: "v1", kind: "Gizmo", plural: "gizmos")
    static let gizmos: JSON = [
        "metadata": ["name": "gizmos.example.com"],
        "spec": [
            "group": "example.com", "scope": "Namespaced", "names": ["plural": "gizmos", "kind": "Gizmo"],
            "versions": [
                [
                    "name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": ["type": "object"]],
                ]
            ],
        ],
    ]

    /// By the time that what an owner leaves is looked at, the server does not know the owner's kind any more; or it was
    /// looked at, and the watch of the owners, being slow, ended before it told that one went.
    @Test(arguments: [true, false])
    func whatCustomResourcesOwnedGoesWithTheirDefinition(isLookedAtLate: Bool) async throws {
        try await TestCluster.running { cluster in
            let faults = cluster.cluster.server.faults
            let watches = faults.add(
                .delay(isLookedAtLate ? .zero : .seconds(60)), for: .init(verbs: ["watch"], resource: "gizmos"))
            _ = try await cluster.client.create(KubernetesObject(Self.gizmos), .customResourceDefinitions)
            try await eventually("the collector watches gizmos") { faults.hits(of: watches) >= 1 }
            try await cluster.create(Self.gizmo, "g", [:])
            let owner = try #require(try await cluster.get(Self.gizmo, "g"))
            let reference: JSON = [
                "apiVersion": "example.com/v1", "kind": "Gizmo", "name": "g", "uid": JSON(owner.uid),
            ]
            let looks =
                isLookedAtLate
                ? faults.add(.delay(.seconds(2)), for: .init(verbs: ["get"], resource: "configmaps", name: "child"))
                : faults.add(.delay(.zero), for: .init(verbs: ["get"], resource: "gizmos"))
            let metadata: JSON = ["name": "child", "namespace": "default", "ownerReferences": [reference]]
            _ = try await cluster.client.create(KubernetesObject(["metadata": metadata]), .configMaps)
            try await eventually("the collector looks at it") { faults.hits(of: looks) >= 1 }
            try await cluster.client.delete(.customResourceDefinitions, name: "gizmos.example.com")
            try await eventually("it is gone") { try await !cluster.names(.configMaps).contains("child") }
        }
    }

    @Test func aNamespaceTakesEverythingWithItCustomResourcesToo() async throws {
        try await TestCluster.running { cluster in
            _ = try await cluster.client.create(KubernetesObject(Self.gizmos), .customResourceDefinitions)
            _ = try await cluster.client.create(KubernetesObject(["metadata": ["name": "demo"]]), .namespaces)
            try await eventually("it is furnished") {
                let accounts = try await cluster.names(.serviceAccounts, namespace: "demo")
                let configMaps = try await cluster.names(.configMaps, namespace: "demo")
                return accounts == ["default"] && configMaps == ["kube-root-ca.crt"]
            }
            try await cluster.createDeployment("web", replicas: 1, namespace: "demo")
            try await eventually("the gizmo is made") {
                (try? await cluster.create(Self.gizmo, "g", [:], namespace: "demo")) != nil
            }
            try await cluster.client.delete(.namespaces, name: "demo")
            try await eventually("the namespace is gone") {
                try await cluster.client.getIfPresent(.namespaces, name: "demo") == nil
            }
            #expect(try await cluster.names(Self.gizmo, namespace: "demo").isEmpty)
            #expect(try await cluster.names(.pods, namespace: "demo").isEmpty)
        }
    }

    @Test func aClusterGoesOnWhereItStopped() async throws {
        var template = Array("/tmp/todo-data-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { LogFolder.removeTree(folder) }
        var before: [PodView] = []
        try await TestCluster.running(dataFolder: folder) { cluster in
            try await cluster.rollOut("web", replicas: 2)
            before = try await cluster.pods()
        }
        try await TestCluster.running(dataFolder: folder) { cluster in
            try await eventually("both run again") {
                let pods = try await cluster.pods()
                return pods.allSatisfy { $0.isReady && $0.restarts == 1 }
            }
            let after = try await cluster.pods()
            #expect(after.map(\.object.uid) == before.map(\.object.uid))
            #expect(after.map(\.address) == before.map(\.address))
        }
    }
}
