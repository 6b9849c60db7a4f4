import Dapr
import DaprSidecar
import FoundationEssentials
import Glibc
import HTTPTypes
import KubernetesClient
import Logging
import LocalPostgres
import StructuredData
import Testing
import TodoModel
import TopicLog
import WebSocketClient

@testable import RealtimeService

/// With a sidecar beside it.
@Suite(.timeLimit(.minutes(10))) struct SidecarTests {
    private static let component: JSON = [
        "metadata": ["name": "todo-pubsub", "namespace": "default"],
        "spec": [
            "type": "pubsub.kafka", "version": "v1",
            "metadata": [
                ["name": "consumerGroup", "value": "{podName}"], ["name": "initialOffset", "value": "newest"],
            ],
        ],
    ]

    private static func subscription(_ topic: String) -> KubernetesObject {
        KubernetesObject([
            "metadata": ["name": .string(topic), "namespace": "default"],
            "spec": [
                "pubsubname": "todo-pubsub", "topic": .string("prefix." + topic),
                "routes": ["default": .string(EventFlow.path(of: topic))],
                "bulkSubscribe": ["enabled": true, "maxMessagesCount": 200, "maxAwaitDurationMs": 10],
            ],
        ])
    }

    private static func resources(_ topics: [String]) -> DaprResources {
        DaprResources(components: [KubernetesObject(component)], subscriptions: topics.map(subscription))
    }

    @Test func `it is ready once its sidecar brings it events, and stays so`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "realtime-\(UUID().text)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var logger = Logger(label: "dapr")
        logger.logLevel = .critical
        let host = try DaprHost(
            topics: .init(folder: "\(folder)/topics"), stateFolder: "\(folder)/state", secrets: { _, _, _ in nil },
            schedules: { _ in { _ in nil } }, logger: logger)
        host.update(Self.resources([]))
        var pod = SidecarPod(
            uid: "1", name: "realtime-1", namespace: "default", appID: "todo-realtime",
            appPort: try LoopbackPort.free(),
            address: "127.0.0.1")
        pod.appToken = RunningRealtime.appToken
        let sidecar = try await host.start(pod)
        let environment = ["PORT": "\(pod.appPort ?? 0)", "DAPR_HTTP_PORT": "\(sidecar)"]
        try await RunningRealtime.with(environment) { service in
            /// Waits for a sidecar that takes longer to answer than it may.
            func untilMissing(_ topic: String, butNot other: String? = nil) async throws {
                try await service.eventually {
                    let answer = try await service.send(.get, "/readyz")
                    #expect(answer.status == 503, "\(answer.text)")
                    return answer.text.contains(topic) && other.map { !answer.text.contains($0) } ?? true
                }
            }
            try await untilMissing("task-events")
            host.update(Self.resources([TodoEvent.topic]))
            try await untilMissing("reminder-events", butNot: "task-events")
            host.update(Self.resources([TodoEvent.topic, ReminderEvent.topic, AccountEvent.topic]))
            try await service.eventually { try await service.send(.get, "/readyz").status == 200 }
            // Who comes from now on misses nothing.
            let ann = service.api.person("ann")
            let (client, _, _) = try await service.live(token: "ann")
            let dapr = DaprClient(.init(endpoint: "http://127.0.0.1:\(sidecar)"))
            let event = OutgoingEvent(service.api.write("first", by: ann).json, partitionKey: ann.text)
            try await dapr.publish(event, to: "prefix." + TodoEvent.topic, of: "todo-pubsub")
            #expect(await client.nextTitle() == "first")
            // A sidecar that goes takes nobody's connection along.
            await host.stop(uid: pod.uid)
            #expect(try await service.send(.get, "/readyz").status == 200)
        }
        try await host.close()
    }
}
