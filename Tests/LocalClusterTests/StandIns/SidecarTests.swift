import Concurrency
import HTTPTransport
import HTTPTypes
import Hummingbird
import KubernetesClient
import Logging
import StructuredData
import Testing

@testable import LocalCluster

@Suite(.timeLimit(.minutes(10))) struct SidecarTests {
    private static let token = HTTPField.Name("dapr-api-token") ?? .authorization

    private static func object(_ kind: String, _ version: String, _ name: String, _ spec: JSON) -> KubernetesObject {
        KubernetesObject([
            "apiVersion": .string("dapr.io/\(version)"), "kind": .string(kind),
            "metadata": ["name": .string(name), "namespace": "default"], "spec": spec,
        ])
    }

    private static func createObjects(_ cluster: TestCluster) async throws {
        for (name, value) in [("api-token", "an api token"), ("app-token", "an app token")] {
            try await cluster.create(.secrets, name, ["stringData": ["token": .string(value)]])
        }
        let kinds = ResourceType.daprKinds
        let component: JSON = [
            "type": "pubsub.kafka", "version": "v1", "metadata": [["name": "initialOffset", "value": "oldest"]],
        ]
        _ = try await cluster.client.create(object("Component", "v1alpha1", "bus", component), kinds[0])
        let subscription: JSON = ["pubsubname": "bus", "topic": "t", "routes": ["default": "/events"]]
        _ = try await cluster.client.create(object("Subscription", "v2alpha1", "s", subscription), kinds[1])
    }

    private static func createPod(_ cluster: TestCluster) async throws {
        var pod: JSON = [
            "metadata": [
                "name": "app", "namespace": "default",
                "annotations": [
                    "dapr.io/enabled": "true", "dapr.io/app-id": "my-app", "dapr.io/app-port": "8099",
                    "dapr.io/api-token-secret": "api-token", "dapr.io/app-token-secret": "app-token",
                ],
            ]
        ]
        pod["spec"] = TestCluster.podSpec(
            "echo port $DAPR_HTTP_PORT \"$DAPR_API_TOKEN\" \"$APP_API_TOKEN\"; " + TestCluster.waiting)
        _ = try await cluster.client.create(KubernetesObject(pod), .pods)
    }

    /// The variables that the pod says it has, once it runs.
    private static func line(_ cluster: TestCluster) async throws -> Substring {
        var log = ""
        try await eventually("the pod says its variables") {
            log = (try? await cluster.log("app")) ?? ""
            return log.contains("started as")
        }
        return log.split(separator: "\n")[0]
    }

    private static func port(_ line: Substring) throws -> Int {
        try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }

    /// Publishes by the pod's sidecar; the status of the answer.
    private static func publish(_ token: String?, port: Int) async -> Int? {
        let transport = CurlTransport(configuration: .init(proxy: .none))
        defer { transport.close() }
        var headers: HTTPFields = [.contentType: "application/json"]
        headers[Self.token] = token
        let request = ClientRequest(
            method: .post, url: "http://127.0.0.1:\(port)/v1.0/publish/bus/t?metadata.partitionKey=k",
            headers: headers, body: .bytes(Array(#"{"n":1}"#.utf8)))
        return try? await transport.send(request).status.code
    }

    /// The app of the pod, which listens under the pod's address.
    private static func serve(
        address: String, arrivals: Lock<[(HTTPFields, JSON)]>, hangs: Bool = false
    ) -> Task<Void, any Error> {
        let router = Router()
        router.post("/events") { request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            let event = try JSON(parsing: Array(body.readableBytesView))
            arrivals.withLock { $0.append((request.headers, event)) }
            if hangs { try await Task.sleep(for: .seconds(600)) }
            return Response(status: .ok)
        }
        var logger = Logger(label: "app")
        logger.logLevel = .critical
        let application = Application(
            router: router, configuration: .init(address: .hostname(address, port: 8099), serverName: nil),
            logger: logger)
        return Task { try await application.runService(gracefulShutdownSignals: []) }
    }

    @Test func aPodIsGivenASidecarWithTokensAndEventsAndLosesItInTheEnd() async throws {
        try await TestCluster.running(runsStandIns: true) { cluster in
            try await Self.createObjects(cluster)
            try await Self.createPod(cluster)
            let line = try await Self.line(cluster)
            #expect(line.hasSuffix("an api token an app token"))
            let port = try Self.port(line)

            let address = try #require(try await cluster.pods().first?.address)
            let arrivals = Lock<[(HTTPFields, JSON)]>([])
            let app = Self.serve(address: address, arrivals: arrivals)
            defer { app.cancel() }
            func publish(_ token: String?) async -> Int? { await Self.publish(token, port: port) }
            #expect(await publish(nil) == 401)
            try await eventually("the component is known") { await publish("an api token") == 204 }
            try await eventually("the event is delivered") { arrivals.withLock { !$0.isEmpty } }
            let (headers, event) = arrivals.withLock { $0[0] }
            #expect(headers[Self.token] == "an app token")
            #expect(event["data"] == ["n": 1])
            #expect(event["source"] == "my-app")

            try await cluster.client.delete(.pods, namespace: "default", name: "app")
            try await eventually("the sidecar is gone") { await publish("an api token") == nil }
        }
    }

    @Test func anAppThatHangsHoldsUpTheEndOfItsPodForAMomentAndOfNoOther() async throws {
        try await TestCluster.running(runsStandIns: true) { cluster in
            try await Self.createObjects(cluster)
            try await Self.createPod(cluster)
            let port = try Self.port(try await Self.line(cluster))
            let address = try #require(try await cluster.pods().first?.address)
            let arrivals = Lock<[(HTTPFields, JSON)]>([])
            let app = Self.serve(address: address, arrivals: arrivals, hangs: true)
            defer { app.cancel() }
            try await cluster.create(.pods, "other", ["spec": TestCluster.podSpec(TestCluster.waiting)])
            try await eventually("the other runs") {
                (try? await cluster.log("other"))?.contains("started as") ?? false
            }
            try await eventually("the component is known") { await Self.publish("an api token", port: port) == 204 }
            try await eventually("the app is at work") { arrivals.withLock { !$0.isEmpty } }
            let start = ContinuousClock.now
            for pod in ["app", "other"] { try await cluster.client.delete(.pods, namespace: "default", name: pod) }
            try await eventually("both are gone") { try await cluster.names(.pods).isEmpty }
            #expect(start.duration(to: .now) < .seconds(40), "a delivery may take a minute")
        }
    }

    @Test func aPodWaitsForTheSecretOfItsToken() async throws {
        try await TestCluster.running(runsStandIns: true) { cluster in
            try await Self.createPod(cluster)
            try await eventually("it says what is missing") {
                try await cluster.waiting("app")?["message"]?.string == "secret \"api-token\" not found"
            }
        }
    }

    @Test func aSidecarWithoutATokenHasToBeToldToDoWithoutItsStoreOfSecrets() async throws {
        func pod(_ name: String, _ annotation: JSON?) -> KubernetesObject {
            var annotations: JSON = ["dapr.io/enabled": "true", "dapr.io/app-id": .string(name)]
            annotations["dapr.io/disable-builtin-k8s-secret-store"] = annotation
            var spec = TestCluster.podSpec(TestCluster.waiting)
            spec["automountServiceAccountToken"] = false
            return KubernetesObject([
                "metadata": ["name": .string(name), "namespace": "default", "annotations": annotations], "spec": spec,
            ])
        }
        try await TestCluster.running(runsStandIns: true) { cluster in
            _ = try await cluster.client.create(pod("not-told", nil), .pods)
            _ = try await cluster.client.create(pod("told", "true"), .pods)
            try await eventually("the one runs") { (try? await cluster.log("told"))?.contains("started as") ?? false }
            try await eventually("the other says what is missing") {
                try await cluster.waiting("not-told")?["message"]?.string?.hasSuffix("disable-builtin-k8s-secret-store")
                    ?? false
            }
        }
    }

    @Test(arguments: [
        ("@every 90s", 1000, 1090), ("*/15 * * * * *", 0, 15), ("*/15 * * * * *", 46, 60), ("5,20 0 * * * *", 4, 5),
        ("5,20 0 * * * *", 5, 20), ("5,20 0 * * * *", 20, 3605), ("0 1 * * *", 0, 3600),
    ]) func schedulesOfBindingsMayHaveSeconds(_ schedule: String, _ after: Int64, _ expected: Int64) throws {
        let next = try BindingSchedule.read(schedule)
        #expect(next(KubernetesTime(seconds: after)) == KubernetesTime(seconds: expected))
    }
}
