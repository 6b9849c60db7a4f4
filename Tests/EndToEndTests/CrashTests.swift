import Foundation
import KubernetesClient
import PostgresServer
import StructuredData
import Testing

/// kill -9 of the operator, of the cluster and of PostgreSQL at random moments: it always ends where it should.
@Suite(.loadsProcessorsForLong, .inTime) struct CrashTests {
    @Test func twentyKillsAtRandomPointsLeaveNothingWrong() async throws {
        var random = SeededRandom(for: "crash test")
        let installation = try await Installation()
        try await installation.createApps()
        let victims = (0..<20).map { Victim.allCases[$0 % Victim.allCases.count] }.shuffled(using: &random)
        for (round, victim) in victims.enumerated() {
            try await installation.changeSomething(round)
            // Not for something to come true: this is the random point.
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...400, using: &random)))
            try await installation.kill(victim)
        }
        try await installation.expectConverged()
        try await installation.deleteApp("crash-2")
        try await installation.expectConverged(apps: ["crash-0", "crash-1"])
        try await installation.stop()
    }
}

private enum Victim: CaseIterable { case operatorProcess, cluster, database }

/// A cluster, an operator and a PostgreSQL, each a process of its own that can be killed and started again.
private final class Installation {
    static let namespace = "crash"
    static let childTypes: [ResourceType] = [
        .deployments, .services, .serviceAccounts, .podDisruptionBudgets, .networkPolicies,
    ]

    private let database: PostgresServer
    private let cluster: TestCluster
    private var operatorProcess: BackgroundProcess
    private var client: KubernetesClient { cluster.client }

    init() async throws {
        database = try await PostgresServer.start()
        cluster = try await TestCluster.start(forAppsIn: Self.namespace, keepsData: true)
        operatorProcess = try await Self.startOperator(cluster)
    }

    private static func startOperator(_ cluster: TestCluster) async throws -> BackgroundProcess {
        try await cluster.startOperator("--log-level", "warning")
    }

    func createApps() async throws {
        for number in 0..<3 {
            try await cluster.create(todoApp: "crash-\(number)", namespace: Self.namespace, on: database)
        }
    }

    /// One edit per round, so that there is something under way when the kill comes.
    func changeSomething(_ round: Int) async throws {
        let patch: JSON =
            round % 2 == 0
            ? ["spec": ["networkPolicy": .string(round % 4 == 0 ? "Disabled" : "Enabled")]]
            : ["spec": ["services": ["api": ["replicas": JSON(round % 3 == 0 ? 2 : 1)]]]]
        try await cluster.merge(patch, into: "crash-\(round % 3)", namespace: Self.namespace)
    }

    func kill(_ victim: Victim) async throws {
        switch victim {
        case .operatorProcess:
            try await operatorProcess.stop(SIGKILL)
            operatorProcess = try await Self.startOperator(cluster)
        case .cluster: try await cluster.killAndRestart()
        case .database:
            try await database.kill()
            try await database.restart()
        }
    }

    func deleteApp(_ name: String) async throws {
        _ = try await client.delete(.todoApps, namespace: Self.namespace, name: name, options: DeleteOptions())
    }

    /// Every app is Ready for its latest spec, and has exactly its objects.
    func expectConverged(apps: [String] = ["crash-0", "crash-1", "crash-2"]) async throws {
        var limited: [String] = []
        for app in apps {
            let ready = try await eventually(
                within: .seconds(90), "\(app) is ready; \(operatorProcess.output.suffix(2000))"
            ) {
                let object = try? await client.get(.todoApps, namespace: Self.namespace, name: app)
                return object.flatMap { $0.isReady ? $0 : nil }
            }
            if ready.spec?["networkPolicy"] == "Enabled" { limited.append(app) }
        }
        for type in Self.childTypes {
            let wanted = (type == .networkPolicies ? limited : apps).flatMap { app in
                TestCluster.services.map { "\(app)-\($0)" }
            }
            _ = try await eventually("\(type.kind): exactly \(wanted)") {
                let names = try await list(type).filter { $0.controller != nil }.map(\.name).sorted()
                return names == wanted ? true : nil
            }
        }
        _ = try await eventually(within: .seconds(60), "as many pods as replicas") {
            func replicas(_ type: ResourceType) async throws -> Int {
                try await list(type).reduce(0) { $0 + ($1.spec?["replicas"]?.int ?? 0) }
            }
            let wanted = try await replicas(.deployments)
            let (live, pods) = (try await replicas(.replicaSets), try await list(.pods))
            return live == wanted && pods.count == wanted ? true : nil
        }
    }

    private func list(_ type: ResourceType) async throws -> [KubernetesObject] {
        try await client.list(type, namespace: Self.namespace, options: ListOptions()).items
    }

    func stop() async throws {
        try await operatorProcess.stop(SIGTERM)
        try await cluster.stop()
    }
}
