import ChildProcess
import Concurrency
import Foundation
import KubernetesClient
import ObjectHealth
import PostgresServer
import StructuredData
import Testing

/// The life of an app, Strimzi and Dapr played by the cluster: each step as its conditions tell it, and in each state that
/// anybody could see, kstatus and Argo CD say the same (promises 2, 10).
@Suite(.loadsProcessorsForLong, .inTime) struct AppLifecycleTests {
    @Test func everyStepIsToldAsItIs() async throws {
        let life = try await Life.start()
        // Managed: the database and the Kafka come first, then what needs them. Where applying takes its time, Strimzi as it
        // is played here is ready before anybody looks, and only its Secrets are waited for.
        try await life.step(
            "create",
            tells: [
                "KafkaReady=False/", "KafkaReady=True/KafkaRunning", "DaprReady=True/SidecarsReady",
                "Ready=True/AllReady",
            ]
        ) { try await life.create() }
        #expect(try await life.children(Life.kafkas) == ["life"])

        let scaled = try await life.step("scale", tells: ["Ready=False/RollingOut", "Ready=True/AllReady"]) {
            try await life.change(["services": ["api": ["replicas": 2]]])
        }
        #expect(scaled.last?.status?["services"]?[0]?["ready"] == 2)

        let rollouts = try await StateRecorder.start(life.cluster.client, .deployments, namespace: Life.namespace)
        let upgraded = try await life.step("upgrade", tells: ["Ready=False/RollingOut", "Ready=True/AllReady"]) {
            try await life.change(["image": "ghcr.io/todo-operator/todo:99.0.0"])
        }
        let versions = upgraded.compactMap { $0.status?["version"]?.string }
        #expect(Set(versions.dropLast()).count == 1 && versions.last == "99.0.0", "not before all runs it: \(versions)")
        try await life.expectOneAfterTheOther(rollouts)

        try await life.step(
            "rotate the login of the database",
            tells: [
                "Ready=False/RollingOut", "Ready=True/AllReady",
            ]
        ) { try await life.rotateLogin() }

        try await life.step("rotate the tokens", tells: ["Ready=False/RollingOut", "Ready=True/AllReady"]) {
            try await life.change(["secretRotation": "second"])
        }

        try await life.step("external", tells: ["KafkaReady=True/ExternalKafka", "Ready=True/AllReady"]) {
            let external: JSON = ["bootstrapServers": ["kafka.example.com:9092"], "tls": ["mode": "Disabled"]]
            try await life.change(["kafka": ["managed": .null, "external": external]])
        }
        try await life.expectNone(Life.kafkas, Life.topics)

        try await life.step("suspend", until: "Ready=Unknown/Suspended") { try await life.change(["suspend": true]) }
        try await life.step("resume", tells: ["Ready=True/AllReady"]) { try await life.change(["suspend": false]) }

        try await life.step("managed again", tells: ["KafkaReady=True/KafkaRunning", "Ready=True/AllReady"]) {
            try await life.change(["kafka": .null])
        }
        try await life.step("retain", tells: ["Ready=True/AllReady"]) {
            try await life.change(["deletionPolicy": "Retain"])
        }
        let kept = try await life.deleteAndKeep()
        try await life.step("take up what stayed", tells: ["Ready=True/AllReady"]) { try await life.create() }
        #expect(try await life.kafkaUID() == kept)
        try await life.delete()
        try await life.step("create again", tells: ["Ready=True/AllReady"]) { try await life.create() }
        try await life.deleteNamespace()
        try await life.stop()
    }
}

/// An app `life`, with everything around it.
private final class Life: Sendable {
    static let namespace = "life"
    static let kafkas = ResourceType(group: "kafka.strimzi.io", version: "v1", kind: "Kafka", plural: "kafkas")
    static let topics = ResourceType(
        group: "kafka.strimzi.io", version: "v1", kind: "KafkaTopic", plural: "kafkatopics")
    static let users = ResourceType(group: "kafka.strimzi.io", version: "v1", kind: "KafkaUser", plural: "kafkausers")

    let cluster: TestCluster
    let database: PostgresServer
    let operatorProcess: BackgroundProcess
    let recorder: StateRecorder
    /// The version with which the last step made the app Ready; nil where it did not.
    private let settled = Lock<Int?>(nil)

    private init(
        cluster: TestCluster, database: PostgresServer, operatorProcess: BackgroundProcess, recorder: StateRecorder
    ) {
        self.cluster = cluster
        self.database = database
        self.operatorProcess = operatorProcess
        self.recorder = recorder
    }

    static func start() async throws -> Life {
        let cluster = try await TestCluster.start(forAppsIn: namespace)
        try await SampleTests.installKinds(in: cluster)
        let recorder = try await StateRecorder.start(cluster.client, .todoApps, namespace: namespace)
        if ArgoHealth.lua == nil { print("life: Argo CD is not asked: lua5.4 is missing") }
        return Life(
            cluster: cluster, database: try await PostgresServer.shared(),
            operatorProcess: try await cluster.startOperator("--log-level", "warning"), recorder: recorder)
    }

    func stop() async throws {
        #expect(try await operatorProcess.stop(SIGTERM) == .exited(0), "\(operatorProcess.output)")
        try await cluster.stop()
    }

    // MARK: - What is done to it

    func create() async throws {
        try await cluster.create(todoApp: "life", namespace: Self.namespace, on: database)
    }

    func change(_ spec: JSON) async throws {
        try await cluster.merge(["spec": spec], into: "life", namespace: Self.namespace)
    }

    func rotateLogin() async throws {
        let name = "owner_\(UInt32.random(in: 0...UInt32.max))"
        let secret = try await cluster.client.get(.secrets, namespace: Self.namespace, name: "life-db")
        let data = Data(base64Encoded: secret.json.at("data", "uri")?.string ?? "") ?? Data()
        var uri = try #require(URLComponents(string: String(decoding: data, as: UTF8.self)))
        _ = try await database.psql("CREATE ROLE \(name) LOGIN SUPERUSER PASSWORD '\(name)'")
        uri.user = name
        uri.password = name
        _ = try await cluster.client.patch(
            .secrets, namespace: Self.namespace, name: "life-db",
            .merge(["stringData": ["uri": JSON(uri.string ?? "")]]),
            options: WriteOptions())
    }

    /// What holds events and keys stays; the rest goes. Gives the uid of the Kafka.
    func deleteAndKeep() async throws -> String {
        let kafka = try await kafkaUID()
        _ = try await recorder.states(
            of: "life", after: { try await deleteApp() }, until: \.isDeleted)
        try await expectNone(Self.users, .deployments, .services, .networkPolicies, .podDisruptionBudgets)
        #expect(try await names(Self.topics).count == 4)
        #expect(try await kafkaUID() == kafka)
        #expect(try await names(.secrets).contains("life-api-token-second"))
        _ = try await cluster.client.delete(
            .secrets, namespace: Self.namespace, name: "life-db", options: DeleteOptions())
        return kafka
    }

    func kafkaUID() async throws -> String {
        try await cluster.client.get(Self.kafkas, namespace: Self.namespace, name: "life").uid
    }

    private func deleteApp() async throws {
        expectReady(until: try await version(), "it is deleted")
        settled.withLock { $0 = nil }
        _ = try await cluster.client.delete(
            .todoApps, namespace: Self.namespace, name: "life", options: DeleteOptions())
    }

    /// Topics and users go before the Kafka that has to take them away; what is left is for a person to keep.
    func delete() async throws {
        let client = cluster.client
        let topics = try await StateRecorder.start(client, Self.topics, namespace: Self.namespace)
        let users = try await StateRecorder.start(client, Self.users, namespace: Self.namespace)
        let kafkas = try await StateRecorder.start(client, Self.kafkas, namespace: Self.namespace)
        let states = try await recorder.states(of: "life", after: { try await deleteApp() }, until: \.isDeleted)
        #expect(states.allSatisfy { KStatus(of: $0.json) == .terminating })
        try await expectNone(
            Self.kafkas, Self.topics, Self.users, .deployments, .services, .networkPolicies, .podDisruptionBudgets)
        func ends(_ recorder: StateRecorder) -> [Int] {
            recorder.all.filter(\.isDeleted).compactMap { Int($0.object.resourceVersion) }
        }
        // A watch may hear of it later than a list.
        let kafka = try await eventually("their ends are told") {
            ends(topics).count == 4 && ends(users).count == 4 ? ends(kafkas).first : nil
        }
        #expect((ends(topics) + ends(users)).allSatisfy { $0 < kafka })
        // Those of the name before are a person's to delete: they were to be kept.
        let others = ["api-token", "dapr-token", "link-key"].map { "life-\($0)-second" }
        _ = try await eventually("the Secrets of the app go") {
            try await names(.secrets) == (["life-audit-keys", "life-db"] + others).sorted() ? true : nil
        }
        _ = try await client.delete(.secrets, namespace: Self.namespace, name: "life-db", options: DeleteOptions())
    }

    func deleteNamespace() async throws {
        _ = try await cluster.client.delete(.namespaces, namespace: nil, name: Self.namespace, options: DeleteOptions())
        _ = try await eventually(within: .seconds(60), "the namespace goes") {
            try await cluster.client.getIfPresent(.namespaces, namespace: nil, name: Self.namespace) == nil ? true : nil
        }
    }

    // MARK: - What is seen of it

    /// Makes a change, and waits until the app is Ready with it, or is as told.
    @discardableResult
    func step(
        _ what: String, tells turns: [String] = [], until end: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation, _ change: () async throws -> Void
    ) async throws -> [KubernetesObject] {
        let start = ContinuousClock.now
        let before = try await version()
        let states = try await recorder.states(
            of: "life", after: change,
            until: { seen in
                if let end { return Story([seen.object]).turns.contains(end) }
                // A Secret that changes is no change of the spec.
                return seen.object.isReady && Story([seen.object]).turns.contains("Ready=True/AllReady")
            }, sourceLocation: sourceLocation)
        let story = Story(states)
        print("life: \(what): \((ContinuousClock.now - start).inSeconds): \(story)")
        #expect(story.tells(turns), "\(what): \(story)", sourceLocation: sourceLocation)
        try await expectTruth(states, what, sourceLocation)
        expectReady(until: before, what, sourceLocation)
        settled.withLock {
            $0 = (states.last?.isReady ?? false) ? states.last.flatMap { Int($0.resourceVersion) } : nil
        }
        return states
    }

    /// Versions are the cluster's: this one is of everything that there is.
    private func version() async throws -> Int {
        try #require(Int(try await cluster.client.list(.todoApps, namespace: Self.namespace).resourceVersion))
    }

    /// Once it was Ready it has stayed so up to this version, at which the next change was made.
    private func expectReady(until change: Int, _ what: String, _ location: SourceLocation = #_sourceLocation) {
        guard let settled = settled.withLock({ $0 }) else { return }
        for seen in recorder.all where seen.object.name == "life" {
            guard let version = Int(seen.object.resourceVersion), version > settled, version <= change else { continue }
            #expect(seen.object.isReady, "before \(what): \(seen.object.json.text)", sourceLocation: location)
        }
    }

    private func expectTruth(_ states: [KubernetesObject], _ what: String, _ location: SourceLocation) async throws {
        let told = states.filter { $0.status?["observedGeneration"] != nil }
        let argo = ArgoHealth.lua == nil ? nil : try await ArgoHealth.judge(told.map(\.json)).map(\.status)
        for (index, state) in told.enumerated() {
            let types = state.conditions.compactMap { $0["type"]?.string }
            let isSeen = state.status?["observedGeneration"]?.int != -1
            #expect(types.contains("Ready") == isSeen && Set(types).count == types.count, sourceLocation: location)
            #expect(!(types.contains("Reconciling") && types.contains("Stalled")), sourceLocation: location)
            for condition in state.conditions where ["Reconciling", "Stalled"].contains(condition["type"]?.string) {
                #expect(condition["status"] == "True", "\(what)", sourceLocation: location)
            }
            let status = KStatus(of: state.json)
            #expect((status == .current) == state.isReady, "\(what): \(state.json.text)", sourceLocation: location)
            guard let argo, argo[index] != "Suspended" else { continue }
            let expected = [KStatus.current: "Healthy", .inProgress: "Progressing", .failed: "Degraded"][status]
            #expect(argo[index] == expected, "\(what): \(state.json.text)", sourceLocation: location)
        }
    }

    /// In the order of the services, each begins when the one before it is complete (promise 11).
    func expectOneAfterTheOther(_ recorder: StateRecorder) async throws {
        var last = 0
        for name in ["api", "audit", "notification", "realtime"] {
            func isNew(_ deployment: KubernetesObject) -> Bool {
                let image = deployment.json.at("spec", "template", "spec", "containers")?[0]?["image"]?.string
                return image?.hasSuffix(":99.0.0") == true
            }
            func isComplete(_ deployment: KubernetesObject) -> Bool {
                let (wanted, status) = (deployment.spec?["replicas"], deployment.status)
                return isNew(deployment) && status?["observedGeneration"]?.int == deployment.generation
                    && ["replicas", "updatedReplicas", "readyReplicas"].allSatisfy { status?[$0] == wanted }
            }
            func first(_ isMeant: (KubernetesObject) -> Bool) -> Int? {
                recorder.all.map(\.object).first { $0.name == "life-\(name)" && isMeant($0) }
                    .flatMap { Int($0.resourceVersion) }
            }
            // The watch of the Deployments may be behind that of the apps.
            let end = try await eventually("\(name) is complete") { first(isComplete) }
            let start = try #require(first(isNew))
            #expect(last < start && start < end, "\(name)")
            last = end
        }
    }

    func children(_ type: ResourceType) async throws -> [String] { try await names(type) }

    private func names(_ type: ResourceType) async throws -> [String] {
        try await cluster.client.list(type, namespace: Self.namespace).items.map(\.name).sorted()
    }

    func expectNone(_ types: ResourceType..., sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for type in types {
            _ = try await eventually(within: .seconds(60), "no \(type.plural) are left", sourceLocation: sourceLocation)
            {
                try await names(type).isEmpty ? true : nil
            }
        }
    }
}
