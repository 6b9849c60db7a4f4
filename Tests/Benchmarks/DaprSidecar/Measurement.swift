import Concurrency
import DaprSidecar
import Foundation
import HTTPTransport
import HTTPTypes
import Hummingbird
import KubernetesClient
import Logging
import StructuredData
import TopicLog

/// The app: counts what arrives, and notes when single events do.
final class CountingApp: Sendable {
    let received = Lock(0)
    let arrivals = Lock<[Int: ContinuousClock.Instant]>([:])

    func serve() async throws -> Int {
        let router = Router()
        router.get("/dapr/subscribe") { _, _ in
            let subscriptions: JSON = [
                [
                    "pubsubname": "bus", "topic": "bulk", "route": "/bulk",
                    "bulkSubscribe": ["enabled": true, "maxMessagesCount": 300, "maxAwaitDurationMs": 10],
                ],
                ["pubsubname": "bus", "topic": "single", "route": "/single"],
            ]
            return Self.json(subscriptions)
        }
        router.post("/bulk") { [self] request, _ in
            let body = try await request.body.collect(upTo: 64 << 20)
            let entries = try JSON(parsing: body.readableBytesView)["entries"]?.array ?? []
            received.withLock { $0 += entries.count }
            return Self.json([
                "statuses": .array(entries.map { ["entryId": $0["entryId"] ?? .null, "status": "SUCCESS"] })
            ])
        }
        router.post("/single") { [self] request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            let now = ContinuousClock.now
            let number = try JSON(parsing: body.readableBytesView).at("data", "number")?.int ?? 0
            arrivals.withLock { $0[number] = now }
            return Response(status: .ok)
        }
        var logger = Logger(label: "app")
        logger.logLevel = .critical
        let (ports, running) = AsyncStream<Int>.makeStream()
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0), serverName: nil),
            onServerRunning: { channel in running.yield(channel.localAddress?.port ?? 0) }, logger: logger)
        Task { try await application.runService(gracefulShutdownSignals: []) }
        for await port in ports { return port }
        throw CancellationError()
    }

    private static func json(_ json: JSON) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: json.encoded())))
    }
}

struct Measurement {
    let app: CountingApp
    let base: String
    private let transport = CurlTransport(configuration: .init(proxy: .none, offersHTTP2: false))

    static func run(events: Int) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "dapr-bench-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let host = try DaprHost(
            topics: .init(folder: "\(folder)/topics"), stateFolder: "\(folder)/state", secrets: { _, _, _ in nil },
            schedules: { _ in { _ in nil } }, logger: Logger(label: "dapr"))
        let app = CountingApp()
        let pod = SidecarPod(
            uid: "1", name: "app-1", namespace: "default", appID: "app", appPort: try await app.serve(),
            address: "127.0.0.1")
        let component: JSON = [
            "metadata": ["name": "bus", "namespace": "default"],
            "spec": [
                "type": "pubsub.kafka", "version": "v1", "metadata": [["name": "initialOffset", "value": "oldest"]],
            ],
        ]
        host.update(DaprResources(components: [KubernetesObject(component)]))
        let measurement = Measurement(app: app, base: "http://127.0.0.1:\(try await host.start(pod))/v1.0/publish")
        try await measurement.bulk(events)
        try await measurement.latency(count: 2000, perSecond: 200)
        try await host.close()
    }

    private static func event(_ number: Int) -> JSON {
        [
            "specversion": "1.0", "id": .string("018f-\(number)"), "type": "dev.todo-operator.task.updated",
            "source": "/users/1", "datacontenttype": "application/json",
            "data": ["number": JSON(number), "text": .string(String(repeating: "x", count: 400))],
        ]
    }

    private func post(_ path: String, _ body: [UInt8], type: String) async throws {
        while true {
            let response = try await transport.send(
                ClientRequest(
                    method: .post, url: "\(base)/\(path)", headers: [.contentType: type], body: .bytes(body)))
            if response.status.code == 204 { return }
            try await Task.sleep(for: .milliseconds(10))  // the sidecar has just been started
        }
    }

    private func bulk(_ events: Int) async throws {
        let size = 500
        let bodies = stride(from: 0, to: events, by: size).map { start -> [UInt8] in
            JSON.array(
                (start..<min(start + size, events)).map { number in
                    [
                        "entryId": .string(String(number)), "contentType": "application/cloudevents+json",
                        "metadata": ["partitionKey": .string("user-\(number % 997)")], "event": Self.event(number),
                    ]
                }
            ).encoded()
        }
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<4 {
                group.addTask {
                    for index in stride(from: lane, to: bodies.count, by: 4) {
                        try await post("bulk/bus/bulk", bodies[index], type: "application/json")
                    }
                }
            }
            try await group.waitForAll()
        }
        let published = start.duration(to: .now)
        while app.received.withLock({ $0 }) < events { try await Task.sleep(for: .milliseconds(1)) }
        let delivered = start.duration(to: .now)
        print("published in bulk   \(rate(events, published)) events/s")
        print("delivered in bulk   \(rate(events, delivered)) events/s, from the first publish to the last delivery")
    }

    private func rate(_ events: Int, _ duration: Duration) -> Int { Int(Double(events) / (duration / .seconds(1))) }

    private func latency(count: Int, perSecond: Int) async throws {
        var sent: [Int: ContinuousClock.Instant] = [:]
        let start = ContinuousClock.now
        for number in 0..<count {
            try await Task.sleep(until: start + .seconds(1) * number / perSecond)
            sent[number] = .now
            try await post(
                "bus/single?metadata.partitionKey=\(number % 97)", Self.event(number).encoded(),
                type: "application/cloudevents+json")
        }
        while app.arrivals.withLock({ $0.count }) < count { try await Task.sleep(for: .milliseconds(1)) }
        let arrivals = app.arrivals.withLock { $0 }
        let times = sent.compactMap { number, time in arrivals[number].map { time.duration(to: $0) / .milliseconds(1) }
        }
        .sorted()
        let figures = [0.5, 0.9, 0.99].map { times[Int(Double(times.count - 1) * $0)] }
        print("publish to delivery p50 \(figures[0]) ms, p90 \(figures[1]) ms, p99 \(figures[2]) ms at \(perSecond)/s")
    }
}
